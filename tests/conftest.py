"""Fixtures that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ccsr_bench.datasets import loading as datasets
from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.devices.torchvision_operators import import_torchvision
from ccsr_bench.metrics.weight_files import FILES
from tests.support.metrics.niqe_parameters import write_niqe
from tests.support.metrics.random_weights import install
from tests.support.pictures import write_pairs
from tests.support.places import SHARED

# Packages that tests compare with import torchvision, whose operators may be of another build than torch.
import_torchvision()

# Tests that look for methods when they are collected must not find the user's.
os.environ.pop("CCSR_BENCH_METHODS", None)


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
def niqe_weights(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The NIQE model, installed in the cache."""
    return install(monkeypatch, home, write_niqe) / FILES["niqe"].name


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Folders `lr` and `hr` of four small pairs, as a user has them."""
    return write_pairs(tmp_path / "own", [f"image{index}" for index in range(4)])


@pytest.fixture
def own(pairs: Path) -> Dataset:
    """The pairs as a data set."""
    return datasets.from_folders(pairs / "lr", pairs / "hr", name="own")
