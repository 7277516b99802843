"""Commands on a user's own four pairs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def run(pairs: Path, tmp_path: Path) -> list[object]:
    """A run on the user's own four pairs."""
    own = ["--lr", pairs / "lr", "--hr", pairs / "hr", "--dataset", "own", "--out", tmp_path / "out"]
    return ["run", "--method", "bicubic-dither", *own, "--runs", "3", "--metrics", "psnr"]


@pytest.fixture
def score(pairs: Path, tmp_path: Path) -> list[object]:
    """A score of two runs that are the references themselves."""
    for name in ("sample1", "sample2"):
        shutil.copytree(pairs / "hr", tmp_path / "outputs" / name)
    own = ["--lr", pairs / "lr", "--hr", pairs / "hr", "--dataset", "own", "--out", tmp_path / "out"]
    return ["score", "--images", tmp_path / "outputs", "--method", "m", *own, "--metrics", "psnr"]
