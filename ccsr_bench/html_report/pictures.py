"""The pictures of a report: links to what is there already, thumbnails and heat maps.

File names are numbers, never an image's own name: a name may hold anything that a file system takes.
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
"""The longer side of a thumbnail, in pixels: sharp on a phone too."""

THUMBNAIL_QUALITY = 80


@dataclass(frozen=True)
class PictureTask:
    """What to make of one image."""

    image: str
    folder: Path
    """Where its pictures go."""
    outputs: Sequence[Sequence[OutputFile]]
    """Files by method and run; a method that lacks the image has none."""
    sample: Sample | None
    """The LR and HR files of the image; None where they are not available."""
    scored: frozenset[str]
    """What `scored_pixels` returns."""


class ImageContent(msgspec.Struct, frozen=True, kw_only=True):
    """One image, as the page is told about it.

    Beside `lr` and `hr`, its folder holds `m0-r00.png` (method 0, run 0), `m0-small.jpg` (a thumbnail of run 0),
    `m0-std.png` (the heat map, of methods with several runs) and `hr-small.jpg`.
    """

    name: str
    folder: str
    """Relative to the report."""
    width: int
    height: int
    """Of the outputs, in pixels."""
    lr: str | None
    """File name of the LR image in the folder; None where it is not available."""
    hr: str | None
    heat_top: float | None
    """The standard deviation that has the last colour in its heat maps, in units of [0, 1]; None without maps."""


def write_pictures(task: PictureTask, report: Path) -> ImageContent:
    """Make one image's folder; what it holds in memory is a heat map of each method and the runs of one.

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
    """Link LR and HR; return their file names."""
    if task.sample is None or task.sample.lr is None:
        return None, None
    pair = read_scored_pair(task.sample, task.scored)
    lr, hr = (f"{part}{path.suffix.lower()}" for part, path in (("lr", task.sample.lr), ("hr", task.sample.hr)))
    _link(task.sample.lr, task.folder / lr)
    _link(task.sample.hr, task.folder / hr)
    _write_thumbnail(pair.hr, task.folder / "hr-small.jpg")
    return lr, hr


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, which takes no space; copy it where the file system cannot."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _write_thumbnail(pixels: np.ndarray, target: Path) -> None:
    picture = Image.fromarray(pixels)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    picture.save(target, quality=THUMBNAIL_QUALITY)
