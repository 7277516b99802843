"""MUSIQ against pyiqa's, both with the same random weights."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.musiq import MUSIQ
from ccsr_bench.metrics.networks.musiq_patches import copy_sizes, multi_scale_patches, places
from tests.support.metrics.layouts_musiq import NAME, musiq_shapes, save_musiq, write_musiq
from tests.support.metrics.random_weights import install
from tests.support.pictures import picture

CPU = torch.device("cpu")
TOLERANCE = 100 * 1e-5
"""Scores lie between 0 and 100."""

Scorer = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def musiq_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, written once."""
    folder = tmp_path_factory.mktemp("musiq")
    write_musiq(folder)
    return folder / NAME


@pytest.fixture
def musiq_home(musiq_file: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds them."""
    return install(monkeypatch, home, lambda folder: os.link(musiq_file, folder / NAME))


@pytest.fixture(scope="module")
def their_network(musiq_file: Path) -> nn.Module:
    """pyiqa's MUSIQ with the same weights."""
    arch = pytest.importorskip("pyiqa.archs.musiq_arch", reason="needs the extra `pyiqa`")
    network: nn.Module = arch.MUSIQ(pretrained=False).eval()
    network.load_state_dict(torch.load(musiq_file, weights_only=True))
    return network


@pytest.fixture(scope="module")
def theirs(their_network: nn.Module) -> Scorer:
    """What it scores images."""

    def score(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            scores: np.ndarray = their_network(ImageBatch(images, CPU).rgb)[:, 0].numpy()
        return scores

    return score


def ours(metric: MUSIQ, images: np.ndarray) -> np.ndarray:
    """Score images as the Scorer does."""
    with torch.inference_mode():
        batch = ImageBatch(images, CPU)
        scores = metric.score(batch, metric.prepare(batch))  # type: ignore[func-returns-value]
    assert scores.dtype == torch.float64
    result: np.ndarray = scores.numpy()
    return result


def pictures(height: int, width: int, count: int = 1) -> np.ndarray:
    """Return different pictures, each noisier than the one before."""
    generator = np.random.default_rng(0)
    clean = np.stack([picture(seed, max(height, width))[:height, :width] for seed in range(count)])
    noise = generator.normal(0, 1, clean.shape) * (4 + 12 * np.arange(count))[:, None, None, None]
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [
        (97, 131, 3),  # zeros around each copy; masked patches in pyiqa's
        (150, 40, 1),  # patches of the narrow copies alone
        (64, 64, 2),
        pytest.param(
            512,
            512,
            2,
            marks=pytest.mark.skipif(not os.environ.get("CCSR_BENCH_SLOW"), reason="slow; set CCSR_BENCH_SLOW=1"),
        ),
    ],
)
def test_agrees_with_pyiqa(musiq_home: Path, theirs: Scorer, height: int, width: int, count: int) -> None:
    images = pictures(height, width, count)
    found = ours(MUSIQ(device=CPU), images)
    np.testing.assert_allclose(found, theirs(images), rtol=0, atol=TOLERANCE)
    assert count == 1 or np.ptp(found) > 1000 * TOLERANCE


@pytest.mark.parametrize("level", [0, 127, 254])
def test_agrees_with_pyiqa_on_a_nearly_uniform_image(musiq_home: Path, theirs: Scorer, level: int) -> None:
    """Where the variance within a patch is small against its mean."""
    image = np.full((1, 70, 90, 3), level, np.uint8)
    image[0, 40, 50] += 1
    np.testing.assert_allclose(ours(MUSIQ(device=CPU), image), theirs(image), rtol=0, atol=TOLERANCE)


def test_constants_that_hardly_move_a_score(musiq_home: Path, their_network: nn.Module) -> None:
    """What is added to variances, and which standard deviation the weights of convolutions are divided by."""
    network = MUSIQ(device=CPU)._network
    expected = {name: module.eps for name, module in their_network.named_modules() if hasattr(module, "eps")}
    assert {name: module.eps for name, module in network.named_modules() if hasattr(module, "eps")} == expected
    for name in ("conv_root", "block1.conv2"):
        weights = their_network.get_parameter(f"{name}.weight").detach().double().flatten(1).numpy()
        centred = weights - weights.mean(1, keepdims=True)
        standardised = centred / (weights.std(1, ddof=1, keepdims=True) + 1e-5)
        ours_now = network.get_parameter(f"{name}.weight").contiguous().flatten(1)
        np.testing.assert_allclose(ours_now, standardised, rtol=0, atol=2e-6)


def test_a_score_does_not_depend_on_the_batch(musiq_home: Path) -> None:
    images = pictures(48, 100, 3)
    metric = MUSIQ(device=CPU)
    alone = [ours(metric, image[None])[0] for image in images]
    np.testing.assert_array_equal(ours(metric, images), alone)
    np.testing.assert_array_equal(ours(metric, images[::-1]), alone[::-1])


def test_batches_of_a_gpu_change_rounding_only(musiq_home: Path) -> None:
    images = pictures(48, 100, 3)
    metric = MUSIQ(device=CPU)
    one_by_one = ours(metric, images)
    metric._batches._most = 3
    np.testing.assert_allclose(ours(metric, images), one_by_one, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("size", [(512, 512), (97, 131), (300, 200), (64, 33)])
def test_patches_are_those_of_pyiqa_without_the_masked(size: tuple[int, int]) -> None:
    util = pytest.importorskip("pyiqa.data.multiscale_trans_util", reason="needs the extra `pyiqa`")
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = util.get_multiscale_patches(images, max_seq_len_from_original_res=-1)
    expected = expected[:, expected[0, :, -1] == 1]
    patches = multi_scale_patches(images, 2, 3)
    inner = patches[..., 2:34, 2:34]
    assert torch.equal(inner.flatten(2), expected[..., :-3])
    assert torch.equal(patches, functional.pad(inner, (2, 3, 2, 3)))
    where = places(*size)
    assert torch.equal(where.position.float(), expected[0, :, -3])
    assert torch.equal(where.scale.float(), expected[0, :, -2])


def test_positions_of_an_image_so_long_that_rounding_decides() -> None:
    """Of 205 patches, the 41st lies exactly between two lines of the grid: float32 falls short of the second."""
    util = pytest.importorskip("pyiqa.data.multiscale_trans_util", reason="needs the extra `pyiqa`")
    where = places(32, 205 * 32)
    expected = util.get_hashed_spatial_pos_emb_index(10, 1, 205)[0]
    assert torch.equal(where.position[where.scale == 2].float(), expected)


def test_the_longer_side_of_a_copy_is_what_it_is_named_for() -> None:
    assert copy_sizes(512, 300) == [(224, 131), (384, 225), (512, 300)]


def test_definition(musiq_home: Path) -> None:
    exact = MUSIQ(device=CPU).definition
    for text in ("MUSIQ", "no crop", "(ccsr-bench)", f"{NAME} sha256 "):
        assert text in exact
    assert "float32 network" in exact


def test_too_narrow(musiq_home: Path) -> None:
    metric = MUSIQ(device=CPU)
    with pytest.raises(BenchError, match=r"musiq: the image is smaller than .* choose `metrics` without musiq"):
        ours(metric, np.zeros((1, 1, 900, 3), np.uint8))


def test_missing_weights_say_how_to_get_them() -> None:
    with pytest.raises(MetricUnavailableError, match=rf"musiq: no {NAME} in .*prepare --metrics musiq"):
        MUSIQ(device=CPU)


def test_other_weights_are_refused(home: Path) -> None:
    (home / "weights").mkdir()
    (home / "weights" / NAME).write_bytes(b"something else")
    with pytest.raises(BenchError, match="wrong sha256"):
        MUSIQ(device=CPU)


def empty_tensors() -> dict[str, Tensor]:
    """Return tensors of the right shapes that take no room in a file."""
    return {name: torch.zeros(1).expand(shape) for name, shape in musiq_shapes().items()}


def truncated(folder: Path) -> None:
    save_musiq(folder, empty_tensors())
    whole = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(whole[: len(whole) // 2])


def pickled(folder: Path) -> None:
    torch.save({"head.weight": Path("something that runs code")}, folder / NAME)


def lacking(folder: Path) -> None:
    tensors = empty_tensors()
    del tensors["transformer_encoder.cls"]
    save_musiq(folder, tensors)


def of_ava(folder: Path) -> None:
    """The head of the weights that predict ten classes."""
    save_musiq(folder, {**empty_tensors(), "head.weight": torch.zeros(10, 384)})


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (truncated, "no readable weights"),
        (pickled, "no readable weights"),
        (lacking, r"lacks transformer_encoder\.cls \(1\)"),
        (of_ava, r"head\.weight is \(10, 384\), not \(1, 384\)"),
    ],
)
def test_damaged_weights(home: Path, monkeypatch: pytest.MonkeyPatch, write: Any, message: str) -> None:
    install(monkeypatch, home, write)
    with pytest.raises(BenchError, match=message) as caught:
        MUSIQ(device=CPU)
    assert "\n" not in str(caught.value)
