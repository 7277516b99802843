"""The pictures of a report: links to existing files, thumbnails and heat maps.

File names are numbers, never an image's own name, which may contain any character that a file system allows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from ccsr_bench.datasets.loading import Sample
from ccsr_bench.html_report.heat import heat_map
from ccsr_bench.ledger.results import OutputFile
from ccsr_bench.plots.pictures import read_scored_pair
from ccsr_bench.stability import std_map, std_map_top

THUMBNAIL_SIDE = 256
"""Longer side of a thumbnail in pixels: enough to be sharp on a phone, too."""

THUMBNAIL_QUALITY = 80
"""JPEG quality of thumbnails."""


@dataclass(frozen=True)
class PictureTask:
    """The pictures to make for one image."""

    image: str
    """Name of the image."""
    folder: Path
    """Folder for the image's pictures, which is created."""
    outputs: Sequence[Sequence[OutputFile]]
    """Files by method and run; empty for a method that lacks the image."""
    sample: Sample | None
    """LR and HR files of the image; None where they are not available."""
    scored: frozenset[str]
    """Hashes from `scored_pixels`."""


class ImageContent(msgspec.Struct, frozen=True, kw_only=True):
    """One image in the data of the page.

    Beside `lr` and `hr`, its folder holds `m0-r00.png` (method 0, run 0), `m0-small.jpg` (a thumbnail of run 0),
    `m0-std.png` (the heat map of method 0, where it has several runs) and `hr-small.jpg`.
    """

    name: str
    folder: str
    """Path of the image's folder, relative to the report."""
    width: int
    """Width of the outputs in pixels."""
    height: int
    """Height of the outputs in pixels."""
    lr: str | None
    """File name of the LR image in the folder; None where it is not available."""
    hr: str | None
    """File name of the HR image in the folder; None where it is not available."""
    heat_top: float | None
    """Standard deviation that has the last colour in the heat maps, in units of [0, 1]; None without maps."""


def write_pictures(task: PictureTask, report: Path) -> ImageContent:
    """Make the folder of one image; at most one method's outputs and all methods' heat maps are in memory at a time.

    Args:
        task: Pictures to make.
        report: Folder of the report.

    Raises:
        BenchError: An output is missing or was changed, or the data set's image is not the one that was scored.
        OSError: The folder cannot be written.
    """
    task.folder.mkdir(parents=True)
    lr, hr = _write_sample(task)
    maps: dict[int, np.ndarray] = {}
    size = (0, 0)
    for method, files in enumerate(task.outputs):
        for run, file in enumerate(files):
            _link(file.path, task.folder / f"m{method}-r{run:02d}.png")
        if files:
            outputs = np.stack([file.read() for file in files])
            size = outputs.shape[1:3]
            _write_thumbnail(outputs[0], task.folder / f"m{method}-small.jpg")
        if len(files) > 1:
            maps[method] = std_map(outputs)
    top = std_map_top(maps.values()) if maps else None
    for method, values in maps.items():
        heat_map(values, top or 0).save(task.folder / f"m{method}-std.png")
    height, width = size
    folder = task.folder.relative_to(report).as_posix()
    return ImageContent(name=task.image, folder=folder, width=width, height=height, lr=lr, hr=hr, heat_top=top)


def _write_sample(task: PictureTask) -> tuple[str | None, str | None]:
    """Link the LR and the HR image, and return their file names; None where they are not available."""
    if task.sample is None or task.sample.lr is None:
        return None, None
    pair = read_scored_pair(task.sample, task.scored)
    lr, hr = (f"{part}{path.suffix.lower()}" for part, path in (("lr", task.sample.lr), ("hr", task.sample.hr)))
    _link(task.sample.lr, task.folder / lr)
    _link(task.sample.hr, task.folder / hr)
    _write_thumbnail(pair.hr, task.folder / "hr-small.jpg")
    return lr, hr


def _link(source: Path, target: Path) -> None:
    """Make a hard link, which takes no space, or a copy where the file system has no hard links."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _write_thumbnail(pixels: np.ndarray, target: Path) -> None:
    picture = Image.fromarray(pixels)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    picture.save(target, quality=THUMBNAIL_QUALITY)
