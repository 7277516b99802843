"""Inception features against pyiqa's, given the same file of weights."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.images import write_png
from ccsr_bench.metrics.base import ImageBatch, SetMetric
from ccsr_bench.metrics.catalogue import build_metrics, find_protocol
from ccsr_bench.metrics.inception_features import InceptionFeatures, resize_to_input
from ccsr_bench.metrics.networks.inception import NormalisedConvolution, load_inception
from ccsr_bench.metrics.weight_files import FILES
from tests.support.metrics.layouts_inception import inception_tensors, write_inception
from tests.support.metrics.random_weights import install
from tests.support.pictures import noisy, picture

CPU = torch.device("cpu")
NAME = FILES["inception"].name
SIZES = [(512, 512), (97, 131), (5, 3)]

pytestmark = pytest.mark.usefixtures("inference")


@pytest.fixture
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of weights, written once."""
    folder = tmp_path_factory.mktemp("inception")
    write_inception(folder)
    return folder / NAME


def link(file: Path) -> Callable[[Path], None]:
    return lambda folder: os.link(file, folder / NAME)


@pytest.fixture
def installed(file: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(monkeypatch, home, link(file))


@pytest.fixture(scope="module")
def ours(file: Path, tmp_path_factory: pytest.TempPathFactory) -> InceptionFeatures:
    """Ours, built once."""
    home = tmp_path_factory.mktemp("inception-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", str(home))
        install(patch, home, link(file))
        return InceptionFeatures(device=CPU)


@pytest.fixture(scope="module")
def theirs(file: Path) -> Any:
    """pyiqa's network; it loads the same file, strictly."""
    pytest.importorskip("pyiqa", reason="needs the extra `pyiqa`")
    module = importlib.import_module("pyiqa.archs.inception")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FID_WEIGHTS_URL", str(file))
        return module.InceptionV3(output_blocks=[3]).eval()


def images(height: int, width: int, count: int = 2) -> np.ndarray:
    """Return ever noisier images."""
    first = picture(3, max(height, width))[:height, :width]
    return np.stack([noisy(first, 20 * index, index) for index in range(count)])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("size", SIZES)
def test_agree_with_pyiqa_on_files(size: tuple[int, int], ours: InceptionFeatures, theirs: Any, tmp_path: Path) -> None:
    arch = importlib.import_module("pyiqa.archs.fid_arch")
    pixels = images(*size)
    pixels[1] = pixels[1, :, :, :1]  # grey
    paths = [tmp_path / f"{index}.png" for index in range(len(pixels))]
    for path, image in zip(paths, pixels, strict=True):
        write_png(path, image)
    found = ours.features(ImageBatch(pixels, CPU)).numpy()
    assert found.shape == (2, 2048)
    assert found.dtype == np.float32
    assert np.abs(found[0] - found[1]).max() > 0.1, "the features must tell the images apart"

    dataset = arch.ResizeDataset(paths, "clean")
    np.testing.assert_array_equal(resize_to_input(ImageBatch(pixels, CPU).levels), np.stack([dataset[0], dataset[1]]))
    expected = arch.get_folder_features(
        str(tmp_path), theirs, num_workers=0, batch_size=2, device=CPU, mode="clean", verbose=False
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_a_vector_depends_on_its_own_image_alone(ours: InceptionFeatures) -> None:
    pixels = images(40, 64)
    together = ours.features(ImageBatch(pixels, CPU))
    for image, expected in zip(pixels, together, strict=True):
        assert torch.equal(ours.features(ImageBatch(image[None], CPU))[0], expected)


def test_images_of_any_size(ours: InceptionFeatures) -> None:
    """Every image is resize_to_input, so one pixel is enough."""
    vector = ours.features(ImageBatch(np.full((1, 1, 1, 3), 200, dtype=np.uint8), CPU))
    flat = ours.features(ImageBatch(np.full((1, 299, 299, 3), 200, dtype=np.uint8), CPU))
    assert torch.allclose(vector, flat, rtol=0, atol=1e-5)


def test_resizing_clips_but_does_not_round() -> None:
    edge = np.zeros((1, 16, 16, 3), dtype=np.uint8)
    edge[:, :, 8:] = 255
    planes = resize_to_input(ImageBatch(edge, CPU).levels)
    assert planes.shape == (1, 3, 299, 299)
    assert planes.min() == 0
    assert planes.max() == 255
    assert (planes != planes.round()).any()


def test_folding_is_batch_normalisation() -> None:
    convolution = NormalisedConvolution(3, 8, (1, 7), stride=2)
    norm = torch.nn.BatchNorm2d(8, eps=1e-3).eval()
    for name in ("weight", "bias", "running_mean", "running_var"):
        values = torch.rand(8) + 0.5
        getattr(norm, name).copy_(values)
        getattr(convolution.bn, name).copy_(values)
    inputs = torch.randn(2, 3, 20, 20)
    expected = norm(convolution.conv(inputs)).relu()
    convolution.fold()
    assert torch.allclose(convolution(inputs), expected, rtol=0, atol=1e-6)


def test_catalogue_builds_both_on_one_network(installed: Path, ours: InceptionFeatures) -> None:
    """`fast` changes nothing on a CPU, so the definition does not change either."""
    built, skipped = build_metrics(["fid", "kid"], find_protocol("paper"), CPU, precision="fast")
    assert not skipped
    fid, kid = built["fid"], built["kid"]
    assert isinstance(fid, SetMetric)
    assert isinstance(kid, SetMetric)
    assert fid.extractor is kid.extractor
    for label, metric in (("FID: ", fid), ("KID: ", kid)):
        assert metric.definition.startswith(label)
        assert metric.definition.endswith(ours.definition)
    batch = ImageBatch(images(32, 32, 1), CPU)
    assert torch.equal(fid.extractor.features(batch), ours.features(batch))


def test_definition(ours: InceptionFeatures) -> None:
    for text in ("no crop", "299x299", "float32", "(ccsr-bench)", f"{NAME} sha256 "):
        assert text in ours.definition


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return inception_tensors()


def test_classifiers_and_counts_are_left_out(tensors: dict[str, Tensor]) -> None:
    counts = {name.replace("running_var", "num_batches_tracked"): torch.tensor(0) for name in tensors if "var" in name}
    more = {**tensors, **counts, "AuxLogits.fc.weight": torch.zeros(1)}
    network = load_inception(more, NAME)
    assert sum(isinstance(module, NormalisedConvolution) for module in network.modules()) == 94
    assert not any("bn" in name for name in network.state_dict())


def test_other_weights_are_refused(tensors: dict[str, Tensor]) -> None:
    name = "Mixed_7c.branch3x3dbl_3b.bn.running_var"
    with pytest.raises(BenchError, match=rf"{NAME}: lacks {name} \(1\)"):
        load_inception({key: value for key, value in tensors.items() if key != name}, NAME)
    with pytest.raises(BenchError, match=r"also has Mixed_8a.conv.weight \(1\)"):
        load_inception({**tensors, "Mixed_8a.conv.weight": torch.zeros(1)}, NAME)
    with pytest.raises(BenchError, match=rf"{name} is \(1,\), not \(384,\)"):
        load_inception({**tensors, name: torch.zeros(1)}, NAME)


def test_missing_file(home: Path) -> None:
    with pytest.raises(MetricUnavailableError, match=rf"^fid: no {NAME} in .* `ccsr-bench prepare --metrics"):
        InceptionFeatures(device=CPU)


def test_another_or_a_broken_file(home: Path, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    def truncated(folder: Path) -> None:
        (folder / NAME).write_bytes(file.read_bytes()[:100_000])

    folder = home / "weights"
    folder.mkdir()
    truncated(folder)
    with pytest.raises(BenchError, match="wrong sha256"):
        InceptionFeatures(device=CPU)
    install(monkeypatch, home, truncated)
    with pytest.raises(BenchError, match="no readable weights"):
        InceptionFeatures(device=CPU)
