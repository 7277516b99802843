"""Results on four small pairs, one of which has a name that a careless page would run."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.images import write_png
from tests.cli.commands import done
from tests.conftest import picture

HOSTILE = '<script>alert(1)<script> & "quoted" #1 100% é'
NAMES = ("b-first", "a-second", "c-third", HOSTILE)
RUNS = 4


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `lr`, `hr` and an output folder `out`: `bicubic` with one run, `bicubic-dither` with four."""
    folder = tmp_path_factory.mktemp("results")
    for part in ("lr", "hr"):
        (folder / part).mkdir()
    for index, name in enumerate(NAMES):
        hr = picture(index)
        write_png(folder / "hr" / f"{name}.png", hr)
        write_png(folder / "lr" / f"{name}.png", np.ascontiguousarray(hr[2::4, 2::4]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", str(folder / "home"))
        command = ["run", "--method", "bicubic", "bicubic-dither", "--runs", RUNS, "--metrics", "psnr", "ssim"]
        done([*command, "--dataset", "own", *own_images(folder), "--no-canary", "--out", folder / "out"])
    return folder


def own_images(folder: Path) -> list[object]:
    """Return the options that name the images."""
    return ["--lr", folder / "lr", "--hr", folder / "hr"]


def with_a_noise_floor_of_two_runs(results: Path, folder: Path) -> Path:
    """Return an output folder that has one beside the results."""
    out = shutil.copytree(results / "out", folder / "out")
    command = ["run", "--same-seed", "--method", "bicubic-dither", "--runs", "2", "--metrics", "psnr", "ssim"]
    done([*command, "--dataset", "own", *own_images(results), "--no-canary", "--out", out])
    return out


def build(folder: Path, to: Path, *options: object, with_images: bool = True) -> None:
    """Build a report as a user does."""
    own = ["--dataset", "own", *own_images(folder)] if with_images else []
    done(["report", "--out", folder / "out", "--to", to, *own, *options])
