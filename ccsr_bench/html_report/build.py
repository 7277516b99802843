"""Building a report from the ledgers of an output folder: a folder that a browser opens."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

import msgspec

from ccsr_bench.datasets.loading import Dataset
from ccsr_bench.errors import BenchError
from ccsr_bench.html_report.content import DatasetContent, PageContent, dataset_content, page_content
from ccsr_bench.html_report.heat import colour_scale
from ccsr_bench.html_report.pictures import ImageContent, PictureTask, write_pictures
from ccsr_bench.ledger.results import Results, open_results
from ccsr_bench.plots.pictures import scored_pixels
from ccsr_bench.tables.collect import by_dataset

GENERATOR = 'name="generator" content="ccsr-bench report"'
"""Text in the index.html of every report, by which the next call recognizes a report that it may replace."""

UNFINISHED = ".unfinished"
"""Name of the folder, inside the report's folder, in which a report is made."""

MOST_THREADS = 8
"""Largest number of threads that make pictures; each of them holds all outputs of an image in memory."""

CONTENTS = ("index.html", "data.js", "page", "images")
"""Names of the parts of a report. index.html is the first one that is put in place, so that the next call recognizes
the folder as a report even after a killed call."""


@dataclass(frozen=True)
class BuiltReport:
    """A finished report."""

    page: Path
    """File to open in a browser."""
    datasets: tuple[DatasetContent, ...]
    own_bytes: int
    """Size of the files that only the report has, in bytes."""
    linked_bytes: int
    """Size of the files shared with the output folder and the data set, in bytes; a copy of the report adds it."""


def build_report(
    out: Path,
    to: Path,
    *,
    find_dataset: Callable[[str], Dataset | None],
    progress: Callable[[int, int, str], None],
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    runs: int | None = None,
) -> BuiltReport:
    """Build a report; an existing report is replaced once the new one is complete.

    Args:
        out: The output folder.
        to: Folder of the report, which is created.
        find_dataset: Function that returns the data set with a name, with its LR and HR images, or None where these are
            not available.
        progress: Function that is called with the number of finished images, the number of all images, and the name of
            the last image.
        methods: Names of the methods to show; all when empty.
        datasets: Names of the data sets to show; all when empty.
        runs: N for methods with several runs; for each method the most runs that all its images have when None.

    Raises:
        BenchError: The report's folder holds something else; the output folder has no results; a name is unknown; two
            methods define a metric differently; or a picture is missing, damaged, or not the one that was scored.
        OSError: The folder cannot be written.
    """
    _check_replaceable(to)
    unfinished = to / UNFINISHED
    # Ledgers are closed before the pictures are made: an open ledger would block a run that still records into it.
    with open_results(out, methods=methods, datasets=datasets, runs=runs) as opened:
        grouped = by_dataset([method for method in opened if method.runs and method.images])
        plans = [
            _plan(results, find_dataset(name), unfinished / "images" / f"d{index}")
            for index, (name, results) in enumerate(grouped.items())
        ]
    if not plans:
        raise BenchError(f"{out}: no image has an output yet; `ccsr-bench run` makes them")
    with _temporary_folder(unfinished):
        contents = tuple(_with_pictures(plans, unfinished, progress))
        _write_page(unfinished, contents)
        for name in CONTENTS:
            _replace(unfinished / name, to / name)
    return BuiltReport(to / "index.html", contents, *_sizes(to))


@contextlib.contextmanager
def _temporary_folder(folder: Path) -> Iterator[None]:
    """Create a folder, and remove it afterwards, also after an error."""
    shutil.rmtree(folder, ignore_errors=True)  # left by a call that was killed
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_replaceable(to: Path) -> None:
    """Raise a `BenchError` unless the folder is missing, empty, or a report, which may be replaced."""
    if not to.exists():
        return
    if not to.is_dir():
        raise BenchError(f"{to}: a file, not a folder; give another `to`")
    names = {path.name for path in to.iterdir()} - {UNFINISHED}
    if not names:
        return
    index = to / "index.html"
    if not index.is_file() or GENERATOR not in index.read_text(encoding="utf-8", errors="replace"):
        raise BenchError(f"{to}: holds something that is not a report; give another `to`, or empty it")
    foreign = sorted(names - set(CONTENTS))
    if foreign:
        raise BenchError(
            f"{to}: a report, but {foreign[0]} is not part of it; move that file away, or give another `to`"
        )


class _Plan(NamedTuple):
    """The contents of one data set before its pictures are made."""

    content: DatasetContent
    """Contents without images."""
    tasks: list[PictureTask]
    """Pictures to make, by image."""


def _plan(results: Sequence[Results], dataset: Dataset | None, folder: Path) -> _Plan:
    tasks = list(_tasks(results, dataset, folder))
    return _Plan(dataset_content(results, [task.image for task in tasks]), tasks)


def _with_pictures(
    plans: Sequence[_Plan], report: Path, progress: Callable[[int, int, str], None]
) -> Iterator[DatasetContent]:
    """Make all pictures, and yield the contents of each data set with its images."""
    done, total = 0, sum(len(plan.tasks) for plan in plans)
    for plan in plans:
        images = []
        for image in _in_threads(plan.tasks, report):
            images.append(image)
            done += 1
            progress(done, total, image.name)
        yield msgspec.structs.replace(plan.content, images=images)


def _tasks(results: Sequence[Results], dataset: Dataset | None, folder: Path) -> Iterator[PictureTask]:
    samples = {sample.name: sample for sample in dataset.samples} if dataset else {}
    present = [set(method.images) for method in results]
    for index, image in enumerate(sorted(set().union(*present))):
        having = [method for method, names in zip(results, present, strict=True) if image in names]
        yield PictureTask(
            image=image,
            folder=folder / f"i{index:04d}",
            outputs=[method.output_files(image, range(method.runs)) if method in having else [] for method in results],
            sample=samples.get(image),
            scored=scored_pixels(having, image),
        )


def _in_threads(tasks: Sequence[PictureTask], report: Path) -> Iterator[ImageContent]:
    """Yield the images in order; an error cancels the tasks that have not started."""
    with ThreadPoolExecutor(thread_count()) as pool:
        try:
            yield from pool.map(lambda task: write_pictures(task, report), tasks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def thread_count() -> int:
    """Return the number of threads that make pictures: one for each CPU that this process may use, within limits."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, usable)


def _write_page(report: Path, datasets: Sequence[DatasetContent]) -> None:
    with as_file(files("ccsr_bench.html_report") / "page") as page:
        shutil.copytree(page, report / "page", copy_function=shutil.copyfile)
    (report / "page" / "index.html").rename(report / "index.html")
    colour_scale().save(report / "images" / "scale.png")
    (report / "data.js").write_bytes(b"const REPORT = " + encode_for_script(page_content(datasets)) + b";\n")


def encode_for_script(content: PageContent) -> bytes:
    r"""Return JSON that is safe in any script: without ``<``, and without line separators, which would end a string."""
    encoded = msgspec.json.encode(content)
    for character in "<\u2028\u2029":
        encoded = encoded.replace(character.encode(), f"\\u{ord(character):04x}".encode())
    return encoded


def _replace(new: Path, old: Path) -> None:
    if old.is_dir():
        shutil.rmtree(old)
    new.replace(old)


def _sizes(report: Path) -> tuple[int, int]:
    """Return the bytes of the files that only the report has, and of those that it shares with other folders."""
    own = linked = 0
    for path in report.rglob("*"):
        status = path.lstat()
        if path.is_file():
            if status.st_nlink > 1:
                linked += status.st_size
            else:
                own += status.st_size
    return own, linked
