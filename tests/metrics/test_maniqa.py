"""MANIQA against pyiqa, on the same random weights."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.maniqa import MANIQA, uniform_crops
from ccsr_bench.metrics.weight_files import FILES
from tests.support.metrics.layouts_maniqa import write_maniqa
from tests.support.metrics.pyiqa_networks import build_maniqa
from tests.support.metrics.random_weights import install
from tests.support.pictures import picture

CPU = torch.device("cpu")
NAME = FILES["maniqa-pipal"].name
TOLERANCE = 1e-5  # of a range of 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, half a gigabyte."""
    found = tmp_path_factory.mktemp("maniqa")
    write_maniqa(found)
    return found


@pytest.fixture(scope="module")
def ours(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., MANIQA]:
    """Builds ours, each of them once."""

    @functools.cache
    def build(**options: Any) -> MANIQA:
        home = tmp_path_factory.mktemp("home")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CCSR_BENCH_HOME", str(home))
            install(patch, home, lambda target: _link(folder, target))
            return MANIQA(device=CPU, **options)

    return build


def _link(folder: Path, target: Path) -> None:
    for file in folder.iterdir():
        (target / file.name).hardlink_to(file)


def images(height: int, width: int, count: int = 1) -> ImageBatch:
    """Return smooth pictures with noise."""
    generator = np.random.default_rng(0)
    clean = np.stack([picture(seed, max(height, width))[:height, :width] for seed in range(count)])
    noise = generator.normal(0, 12, clean.shape)
    return ImageBatch(np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8), CPU)


@pytest.mark.parametrize(("weights", "scale", "count"), [("pipal", 0.13, 2), ("koniq", 0.8, 1)])
def test_one_crop_agrees_with_pyiqa(
    weights: Literal["pipal", "koniq"], scale: float, count: int, folder: Path, ours: Callable[..., MANIQA]
) -> None:
    pytest.importorskip("pyiqa", reason="needs the extra `pyiqa`")
    batch = images(225, 225, count)  # all 20 crops are one
    with torch.inference_mode():
        expected = build_maniqa(folder, scale=scale, test_sample=1).eval()(batch.rgb)[:, 0].numpy()
        found = ours(weights=weights).score(batch, None)
    assert found.dtype == torch.float64
    assert len({round(float(score) / TOLERANCE / 10) for score in expected}) == count
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("size", [(512, 512), (301, 400), (225, 600), (200, 260), (224, 224)])
def test_crops_are_those_of_pyiqa(size: tuple[int, int]) -> None:
    util = pytest.importorskip("pyiqa.archs.arch_util", reason="needs the extra `pyiqa`")
    image = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    expected = util.uniform_crop(image[None], crop_size=224, crop_num=20)
    crops = uniform_crops(image)
    # Ours takes equal crops once; each of theirs is there, as often as any other.
    counts = [sum(torch.equal(crop, theirs) for theirs in expected) for crop in crops]
    assert sum(counts) == 20
    assert len(set(counts)) == 1


def test_fast_deviates_little(ours: Callable[..., MANIQA]) -> None:
    batch = images(225, 225)
    with torch.inference_mode():
        exact, fast = (ours(precision=precision).score(batch, None) for precision in ("exact", "fast"))
    assert exact != fast
    np.testing.assert_allclose(fast, exact, rtol=0, atol=5e-3)


@pytest.mark.skipif(not os.environ.get("CCSR_BENCH_SLOW"), reason="minutes; set CCSR_BENCH_SLOW=1")
@pytest.mark.parametrize("size", [(512, 512), (301, 400)])
def test_all_crops_agree_with_pyiqa(size: tuple[int, int], folder: Path, ours: Callable[..., MANIQA]) -> None:
    batch = images(*size)
    with torch.inference_mode():
        expected = build_maniqa(folder).eval()(batch.rgb)[:, 0].numpy()
        np.testing.assert_allclose(ours().score(batch, None), expected, rtol=0, atol=TOLERANCE)


def test_definition(ours: Callable[..., MANIQA]) -> None:
    exact, fast, koniq = ours().definition, ours(precision="fast").definition, ours(weights="koniq").definition
    assert exact.startswith("MANIQA on RGB")
    assert "no crop" in exact
    assert "float32 network" in exact
    assert f"{NAME} sha256 " in exact
    assert "bfloat16 network" in fast
    assert "KonIQ-10k weights" in koniq


def test_missing_weights(home: Path) -> None:
    with pytest.raises(MetricUnavailableError, match=f"maniqa: no {NAME} in .*prepare --metrics"):
        MANIQA(device=CPU)


def test_other_weights_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, home, lambda target: torch.save({"conv1.weight": torch.ones(2)}, target / NAME))
    with pytest.raises(BenchError, match=f"{NAME}: lacks .*: these are weights of another network"):
        MANIQA(device=CPU)
    (home / "weights" / NAME).write_bytes(b"something else")
    with pytest.raises(BenchError, match="wrong sha256"):
        MANIQA(device=CPU)
