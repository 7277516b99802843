"""BSRGAN, Real-ESRGAN and SwinIR loaded from checkpoints of tiny networks, and checkpoints that are refused."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.methods import spandrel_models
from ccsr_bench.methods.base import Execution, Method
from ccsr_bench.methods.in_process import check_libraries
from ccsr_bench.methods.loading import load_method
from ccsr_bench.methods.registry import find_method
from tests.support import tiny_spandrel
from tests.support.pictures import picture

pytest.importorskip("spandrel", reason="needs the extra `spandrel`")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_spandrel.write_checkpoints(tmp_path_factory.mktemp("checkpoints"))


def load(name: str, folder: Path, execution: Execution | None = None) -> Method:
    spec = find_method(name)
    return load_method(spec, execution or Execution(), spec.find_weights(folder))


def computed(network: Any, lr: np.ndarray) -> np.ndarray:
    """Return the output of a network for an image, computed directly by torch."""
    with torch.inference_mode():
        output = network(torch.from_numpy(lr).permute(2, 0, 1)[None].float().div(255))
    pixels: np.ndarray = output[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255
    return pixels.round().astype(np.uint8)


@pytest.mark.parametrize(("name", "seed"), [("bsrgan", 0), ("real-esrgan", 1)])
def test_output_is_that_of_the_network(name: str, seed: int, checkpoints: Path) -> None:
    lr = picture(0, 32)[:, :25]
    outputs = load(name, checkpoints).restore(lr, [5, 6])
    assert outputs.shape == (2, 128, 100, 3)
    assert len(np.unique(outputs)) > 100  # the output is not constant
    for output in outputs:
        np.testing.assert_array_equal(output, computed(tiny_spandrel.rrdb(seed=seed), lr))


@pytest.mark.parametrize(("name", "seed"), [("swinir-gan", 2), ("swinir-l1", 3)])
@pytest.mark.parametrize(("height", "width"), [(32, 24), (19, 30)])
def test_swinir_pads_by_one_window_that_is_cut_off(
    name: str, seed: int, height: int, width: int, checkpoints: Path
) -> None:
    lr = picture(0, 32)[:height, :width]
    output = load(name, checkpoints).restore(lr, [5])[0]
    network = tiny_spandrel.swinir(seed=seed)
    rows, columns = (height // 8 + 1) * 8, (width // 8 + 1) * 8
    more = np.concatenate([lr, lr[::-1]])[:rows]
    more = np.concatenate([more, more[:, ::-1]], axis=1)[:, :columns]
    np.testing.assert_array_equal(output, computed(network, more)[: 4 * height, : 4 * width])
    plain = computed(network, lr)
    assert (output != plain).any()


def build(checkpoints: Path, name: str = "real-esrgan", **sizes: Any) -> spandrel_models.SpandrelModel:
    """Return a network with other sizes than its variant."""
    spec = find_method(name)
    folders = {role: weights.folder for role, weights in spec.find_weights(checkpoints).items()}
    parameters = {**spec.variant.parameters, **sizes}
    return spandrel_models.SpandrelModel(**parameters, weights=folders, execution=Execution())


def as_official_script(network: Any, lr: np.ndarray, *, pre_pad: int, tile: int, tile_pad: int) -> np.ndarray:
    """Return an output as `RealESRGANer.enhance` of Real-ESRGAN's script computes it, restated from its arithmetic.

    Source: ``realesrgan/utils.py`` of https://github.com/xinntao/Real-ESRGAN at a4abfb2.
    """
    image = torch.from_numpy(lr.astype(np.float32) / 255).permute(2, 0, 1)[None]
    image = torch.nn.functional.pad(image, (0, pre_pad, 0, pre_pad), mode="reflect")
    height, width = image.shape[2:]
    output = torch.zeros(1, 3, 4 * height, 4 * width)
    with torch.inference_mode():
        for top in range(0, height, tile or height):
            for left in range(0, width, tile or width):
                bottom, right = min(top + (tile or height), height), min(left + (tile or width), width)
                above, before = min(top, tile_pad), min(left, tile_pad)
                seen = image[:, :, top - above : bottom + tile_pad, left - before : right + tile_pad]
                inner = network(seen)[:, :, 4 * above :, 4 * before :]
                rows, columns = slice(4 * top, 4 * bottom), slice(4 * left, 4 * right)
                output[:, :, rows, columns] = inner[:, :, : 4 * (bottom - top), : 4 * (right - left)]
    output = output[0, :, : 4 * (height - pre_pad), : 4 * (width - pre_pad)].clamp(0, 1)
    return (output.permute(1, 2, 0).numpy() * 255.0).round().astype(np.uint8)


@pytest.mark.parametrize(("pre_padding", "tile", "overlap"), [(10, 0, 10), (0, 16, 3), (10, 16, 10), (3, 9, 2)])
def test_sizes_are_those_of_the_official_script(pre_padding: int, tile: int, overlap: int, checkpoints: Path) -> None:
    lr = picture(0, 64)[:37, :50]
    output = build(checkpoints, pre_padding=pre_padding, tile=tile, tile_overlap=overlap).restore(lr, [0])[0]
    network = tiny_spandrel.rrdb(seed=1)
    expected = as_official_script(network, lr, pre_pad=pre_padding, tile=tile, tile_pad=overlap)
    np.testing.assert_array_equal(output, expected)
    assert (output != computed(network, lr)).any()


def test_overlap_of_the_receptive_field_hides_the_tiles(checkpoints: Path) -> None:
    lr = picture(0, 64)
    whole = build(checkpoints).restore(lr, [0])[0].astype(int)
    differences = {
        overlap: np.abs(build(checkpoints, tile=24, tile_overlap=overlap).restore(lr, [0])[0] - whole)
        for overlap in (0, 20, 64)
    }
    assert differences[0].max() > 1
    assert differences[20].max() <= 1  # the tiny network sees 18 pixels to each side
    assert differences[64].max() == 0  # every tile sees the whole image


def test_tiles_of_swinir_begin_at_its_windows(checkpoints: Path) -> None:
    lr = picture(0, 32)[:30, :27]
    whole = build(checkpoints, "swinir-gan").restore(lr, [0])[0]
    tiled = build(checkpoints, "swinir-gan", tile=16, tile_overlap=8).restore(lr, [0])[0]
    assert tiled.shape == whole.shape
    np.testing.assert_array_equal(build(checkpoints, "swinir-gan", tile=8, tile_overlap=32).restore(lr, [0])[0], whole)
    with pytest.raises(BenchError, match="`tile` 20: must be a multiple of 8 for this network"):
        build(checkpoints, "swinir-gan", tile=20)
    with pytest.raises(BenchError, match="`tile_overlap` 10: must be a multiple of 8 for this network"):
        build(checkpoints, "swinir-gan", tile=16, tile_overlap=10, mirror_to_next=0)


@pytest.mark.parametrize("parameter", ["mirror_to_next", "pre_padding", "tile", "tile_overlap"])
@pytest.mark.parametrize("size", [-1, 1.5, True, "64"])
def test_size_that_is_no_number_of_pixels_is_refused(parameter: str, size: object, checkpoints: Path) -> None:
    sizes: dict[str, Any] = {parameter: size}
    with pytest.raises(BenchError, match=f"`{parameter}` {size!r}: must be a number of pixels"):
        build(checkpoints, **sizes)


def test_lack_of_memory_is_told_with_advice(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method = build(checkpoints)
    for reason, error in (("DefaultCPUAllocator: can't allocate memory", MemoryError), ("other", RuntimeError)):

        def fail(*_: object, reason: str = reason) -> None:
            raise RuntimeError(reason)

        monkeypatch.setattr(method._network.model, "forward", fail)
        advice = "32x24 LR pixels at once do not fit into memory; add `tile`" if error is MemoryError else "other"
        with pytest.raises(error, match=advice):
            method.restore(picture(0, 32)[:, :24], [0])


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_near_float32(dtype: Literal["bfloat16", "float16"], checkpoints: Path) -> None:
    lr = picture(0, 16)
    exact = load("bsrgan", checkpoints, Execution(dtype="float32")).restore(lr, [0])
    half = load("bsrgan", checkpoints, Execution(dtype=dtype)).restore(lr, [0])
    assert 0 < np.abs(half.astype(int) - exact).mean() < 4
    np.testing.assert_array_equal(load("bsrgan", checkpoints).restore(lr, [0]), exact)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_precision_that_a_network_lacks_is_refused(dtype: Literal["bfloat16", "float16"], checkpoints: Path) -> None:
    with pytest.raises(BenchError, match=f"`dtype` {dtype}: SwinIR does not run in it; leave it out"):
        load("swinir-gan", checkpoints, Execution(dtype=dtype))


def test_overflow_is_an_error(checkpoints: Path) -> None:
    method = load("bsrgan", checkpoints)
    assert isinstance(method, spandrel_models.SpandrelModel)
    with torch.no_grad():
        method._network.model.model[-1].bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match=r"overflowed in torch\.float32"):
        method.restore(picture(0, 16), [0])


def test_batch_without_effect_is_refused(checkpoints: Path) -> None:
    with pytest.raises(BenchError, match="`batch` 4: all runs share one output"):
        load("bsrgan", checkpoints, Execution(batch=4))
    load("bsrgan", checkpoints, Execution(batch=1))


def test_network_is_compiled_when_asked(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network: compiled.append(network))
    load("bsrgan", checkpoints)
    assert not compiled
    load("bsrgan", checkpoints, Execution(compiled=True))
    assert [type(network).__name__ for network in compiled] == ["RRDBNet"]


@pytest.mark.skipif("CCSR_BENCH_SLOW" not in os.environ, reason="compiles for a minute; set CCSR_BENCH_SLOW=1")
@pytest.mark.parametrize("name", ["bsrgan", "swinir-gan"])
def test_compiled_network_gives_the_same_picture(name: str, checkpoints: Path) -> None:
    lr = picture(0, 16)
    compiled = load(name, checkpoints, Execution(compiled=True)).restore(lr, [0])
    assert np.abs(compiled.astype(int) - load(name, checkpoints).restore(lr, [0])).max() <= 1


class Malicious:
    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, (str(self._marker),)


@pytest.mark.parametrize("how", ["torch", "old-torch", "pickle"])
def test_malicious_checkpoint_runs_nothing(how: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = tiny_spandrel.write(tmp_path, "bsrgan", {})
    content = {"extra": Malicious(marker)}
    if how == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "torch")
    with pytest.raises(BenchError, match=r"BSRGAN\.pth: not the weights of .*mkdir' is forbidden\)") as error:
        load("bsrgan", tmp_path)
    assert "\n" not in str(error.value)
    assert not marker.exists()
    pickle.loads(pickle.dumps(Malicious(marker)))
    assert marker.exists()  # a pickle that is loaded without protection does run


def test_other_networks_are_refused(tmp_path: Path) -> None:
    tensors = tiny_spandrel.rrdb(seed=0, scale=2).state_dict()
    tiny_spandrel.write(tmp_path, "bsrgan", tensors)
    with pytest.raises(BenchError, match=r"holds a network ESRGAN x2, 3 to 3 channels; it must be ESRGAN x4, 3 to 3"):
        load("bsrgan", tmp_path)
    tiny_spandrel.write(tmp_path, "real-esrgan", tiny_spandrel.swinir(seed=0).state_dict())
    with pytest.raises(BenchError, match=r"holds a network SwinIR x4, 3 to 3 channels; it must be ESRGAN x4"):
        load("real-esrgan", tmp_path)
    tiny_spandrel.write(tmp_path, "swinir-l1", tiny_spandrel.rrdb(seed=0).state_dict())
    with pytest.raises(BenchError, match=r"holds a network ESRGAN x4, 3 to 3 channels; it must be SwinIR x4"):
        load("swinir-l1", tmp_path)


def broken(path: Path, how: str) -> None:
    """Damage a checkpoint of the RRDB network."""
    data = path.read_bytes()
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "web page":
        path.write_bytes(b"<!DOCTYPE html>")
    elif how == "unknown network":
        torch.save({"weight": torch.zeros(1)}, path)
    else:
        tensors = torch.load(path, weights_only=True)
        del tensors["HRconv.bias" if how == "tensor missing" else "conv_first.weight"]
        torch.save(tensors, path)


@pytest.mark.parametrize(
    "how", ["truncated", "empty", "web page", "unknown network", "tensor missing", "first tensor missing"]
)
def test_damaged_checkpoint_is_refused_in_one_line(how: str, tmp_path: Path) -> None:
    tiny_spandrel.write_checkpoints(tmp_path)
    broken(tmp_path / tiny_spandrel.CHECKPOINTS["bsrgan"], how)
    with pytest.raises(BenchError, match=r"BSRGAN\.pth: not the weights of .*; get the published file, or") as error:
        load("bsrgan", tmp_path)
    assert "\n" not in str(error.value)


def test_missing_checkpoint_is_named(tmp_path: Path, checkpoints: Path) -> None:
    with pytest.raises(NotInstalledError, match=r"method 'bsrgan': no weights .*`ccsr-bench prepare --method bsrgan`"):
        find_method("bsrgan").find_weights()
    with pytest.raises(NotInstalledError, match=r"holds no 003_.*searched its folders swinir-l1, .*as `weights`"):
        find_method("swinir-l1").find_weights(tmp_path)
    arguments: dict[str, Any] = {"architecture": "ESRGAN", "file": "other.pth", "execution": Execution()}
    with pytest.raises(BenchError, match=r"other\.pth: not the weights of .*\(FileNotFoundError: "):
        spandrel_models.SpandrelModel(**arguments, weights={"network": checkpoints / "model_zoo"})
    with pytest.raises(BenchError, match="names no weights for network"):
        spandrel_models.SpandrelModel(**arguments, weights={"base": checkpoints})


def test_missing_library_is_named(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_libraries(find_method("swinir-gan"))
    monkeypatch.setitem(sys.modules, "spandrel", None)
    for look in (lambda: check_libraries(find_method("swinir-gan")), lambda: load("swinir-gan", checkpoints)):
        with pytest.raises(BenchError, match=r"needs `pip install 'ccsr-bench\[spandrel\]'`"):
            look()
