"""Commands on four pairs of the user's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def run(pairs: Path, tmp_path: Path) -> list[object]:
    """The arguments of a run on four pairs of the user's own."""
    own = ["--lr", pairs / "lr", "--hr", pairs / "hr", "--dataset", "own", "--out", tmp_path / "out"]
    return ["run", "--method", "bicubic-dither", *own, "--runs", "3", "--metrics", "psnr"]


@pytest.fixture
def score(pairs: Path, tmp_path: Path) -> list[object]:
    """The arguments that score two runs, whose images are the references themselves."""
    for name in ("sample1", "sample2"):
        shutil.copytree(pairs / "hr", tmp_path / "outputs" / name)
    own = ["--lr", pairs / "lr", "--hr", pairs / "hr", "--dataset", "own", "--out", tmp_path / "out"]
    return ["score", "--images", tmp_path / "outputs", "--method", "m", *own, "--metrics", "psnr"]
