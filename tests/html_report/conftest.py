"""Results on four small pairs, one of which has a name that a careless page would run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import done
from tests.support.pictures import write_pairs
from tests.support.reports import NAMES, RUNS, own_images


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `lr`, `hr` and an output folder `out`: `bicubic` with one run, `bicubic-dither` with four."""
    folder = write_pairs(tmp_path_factory.mktemp("results"), NAMES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", str(folder / "home"))
        command = ["run", "--method", "bicubic", "bicubic-dither", "--runs", RUNS, "--metrics", "psnr", "ssim"]
        done([*command, "--dataset", "own", *own_images(folder), "--no-canary", "--out", folder / "out"])
    return folder
