"""Fixtures that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.devices.torchvision_operators import import_torchvision
from ccsr_bench.images import write_png

# Packages that tests compare with import torchvision, whose operators may be of another build than torch.
import_torchvision()

# Tests that look for methods when they are collected must not find the user's.
os.environ.pop("CCSR_BENCH_METHODS", None)

SHARED = Path(os.environ.get("CCSR_BENCH_SHARED", Path(__file__).parents[2] / "shared"))
"""A folder with RealSR images and metric weights; the tests that use it skip where there is none."""

WEIGHTS = SHARED / "weights" / "niqe_modelparameters.mat"


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no methods of the user's."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CCSR_BENCH_HOME", str(folder))
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    return folder


@pytest.fixture
def shared() -> Path:
    """The folder with RealSR images."""
    if not (SHARED / "data" / "RealSR" / "lr").is_dir():
        pytest.skip(f"no RealSR images in {SHARED} (set CCSR_BENCH_SHARED)")
    return SHARED


@pytest.fixture
def niqe_weights(home: Path) -> Path:
    """The NIQE model, installed in the cache."""
    if not WEIGHTS.is_file():
        pytest.skip(f"no {WEIGHTS.name} in {WEIGHTS.parent} (set CCSR_BENCH_SHARED)")
    pytest.importorskip("pyiqa", reason="needs the extra `pyiqa`")
    target = home / "weights" / WEIGHTS.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(WEIGHTS.read_bytes())
    return target


def picture(seed: int, size: int = 64) -> np.ndarray:
    """Return a smooth random (size, size, 3) uint8 picture, away from 0 and 255."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    waves = [
        np.sin(generator.uniform(2, 12) * x + generator.uniform(2, 12) * y + generator.uniform(0, 6)) for _ in range(3)
    ]
    pixels: np.ndarray = np.rint(128 + 50 * np.stack(waves, -1)).astype(np.uint8)
    return pixels


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Folders `lr` and `hr` of four small pairs, as a user has them."""
    for part in ("lr", "hr"):
        (tmp_path / "own" / part).mkdir(parents=True)
    for index in range(4):
        hr = picture(index)
        write_png(tmp_path / "own" / "hr" / f"image{index}.png", hr)
        write_png(tmp_path / "own" / "lr" / f"image{index}.png", np.ascontiguousarray(hr[2::4, 2::4]))
    return tmp_path / "own"
