"""Folders of images that were made elsewhere: one folder per run, or the images of a single run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ccsr_bench import images
from ccsr_bench.datasets.loading import Sample
from ccsr_bench.errors import BenchError, some


def find_runs(folder: Path) -> dict[int, dict[str, Path]]:
    """Return the images of each run: run -> image name -> file.

    Args:
        folder: Folder that holds the images of one run, or one folder per run whose name ends in the run's number
            (``run-00``, ``sample03``). The runs are sorted by these numbers and numbered from 0.

    Raises:
        BenchError: There are no images, or a folder's name does not end in the number of a run.
    """
    if not folder.is_dir():
        raise BenchError(f"{folder}: no such folder")
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not subfolders:
        return {0: _run_images(folder)}
    if images.folder_images(folder, images.IMAGE_SUFFIXES):
        raise BenchError(f"{folder}: holds images beside the folder {subfolders[0].name}; give one or the other")
    numbered: dict[int, Path] = {}
    for path in subfolders:
        number = re.search(r"(\d+)$", path.name)
        if number is None:
            raise BenchError(f"{path}: the folder of a run must end in its number, such as run-00; rename it")
        if int(number[1]) in numbered:
            raise BenchError(
                f"{folder}: {numbered[int(number[1])].name} and {path.name} have the same number; keep one"
            )
        numbered[int(number[1])] = path
    return {run: _run_images(numbered[number]) for run, number in enumerate(sorted(numbered))}


def _run_images(folder: Path) -> dict[str, Path]:
    files = images.folder_images(folder, images.IMAGE_SUFFIXES)
    lossy = [path for path in files.values() if path.suffix.lower() not in images.LOSSLESS_SUFFIXES]
    if lossy:
        raise BenchError(f"{lossy[0]}: a JPEG, whose score would include its compression; outputs must be PNG or BMP")
    if not files:
        raise BenchError(f"{folder}: holds no PNG or BMP image; give another folder")
    return files


def check_runs(runs: dict[int, dict[str, Path]], samples: Sequence[Sample], *, partial: bool = False) -> None:
    """Check, before any work, that every run has exactly the images of a data set, complete and of the right size.

    Args:
        runs: Runs that `find_runs` returned.
        samples: Requested images of the data set.
        partial: Whether other images are accepted, because only some images of the data set are requested.

    Raises:
        BenchError: An image is missing, extra, truncated, of another size, or not 8-bit RGB.
    """
    names = [sample.name for sample in samples]
    for files in runs.values():
        folder = next(iter(files.values())).parent
        missing = [name for name in names if name not in files]
        if missing:
            raise BenchError(
                f"{folder}: no image for {some(missing)} ({len(missing)} of {len(names)}); "
                f"images are matched by file stem"
            )
        extra = [] if partial else [name for name in files if name not in set(names)]
        if extra:
            raise BenchError(
                f"{folder}: {files[extra[0]].name} is not in the data set ({len(extra)} extra); move it away"
            )
    for sample in samples:
        expected = sample.hr_size()
        for files in runs.values():
            size = images.image_size(files[sample.name])
            if size != expected:
                raise BenchError(
                    f"{files[sample.name]}: {size[1]}x{size[0]} pixels, but the reference is "
                    f"{expected[1]}x{expected[0]}; outputs are not resized, replace it"
                )
