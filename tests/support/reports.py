"""Reports on four small pairs, one of which has a name that a careless page would run."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.cli import done

HOSTILE = '<script>alert(1)<script> & "quoted" #1 100% é'
NAMES = ("b-first", "a-second", "c-third", HOSTILE)
RUNS = 4


def own_images(folder: Path) -> list[object]:
    """Return the options that name the images."""
    return ["--lr", folder / "lr", "--hr", folder / "hr"]


def with_a_noise_floor_of_two_runs(results: Path, folder: Path) -> Path:
    """Return an output folder with the results and a noise floor over two runs."""
    out = shutil.copytree(results / "out", folder / "out")
    command = ["run", "--same-seed", "--method", "bicubic-dither", "--runs", "2", "--metrics", "psnr", "ssim"]
    done([*command, "--dataset", "own", *own_images(results), "--no-canary", "--out", out])
    return out


def build(folder: Path, to: Path, *options: object, with_images: bool = True) -> None:
    """Build a report as a user does."""
    own = ["--dataset", "own", *own_images(folder)] if with_images else []
    done(["report", "--out", folder / "out", "--to", to, *own, *options])
