"""Building a report: from the ledgers of an output folder to a folder that a browser opens."""

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
"""In the index.html of every report, by which the next call knows that it may replace it."""

UNFINISHED = ".unfinished"
"""The folder, in the report's, that a report is made in."""

MOST_THREADS = 8
"""Threads that make pictures; each holds all outputs of an image."""

CONTENTS = ("index.html", "data.js", "page", "images")
"""What a report is made of; index.html is first so that a killed call leaves a folder that is known."""


@dataclass(frozen=True)
class Built:
    """A finished report."""

    page: Path
    """The file to open."""
    datasets: tuple[DatasetContent, ...]
    own_bytes: int
    """Bytes that only the report takes on the disk."""
    linked_bytes: int
    """Bytes of files shared with the output folder and the data set; they take space once the report is copied."""


def build_report(
    out: Path,
    to: Path,
    *,
    find_dataset: Callable[[str], Dataset | None],
    progress: Callable[[int, int, str], None],
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    runs: int | None = None,
) -> Built:
    """Build a report; a report that is there already is replaced once the new one is complete.

    Args:
        out: The output folder.
        to: The report's folder, which is made.
        find_dataset: Returns the data set of a name, with its LR and HR images; None where they are not available.
        progress: Called with the number of images done, the number of all images, and the name of the last one.
        methods: Names of the methods to show; all when empty.
        datasets: Names of the data sets to show; all when empty.
        runs: N, for methods with more than one run; for each method the most runs that all its images have when None.

    Raises:
        BenchError: The folder holds something else; there is no ledger; a name is not among them; definitions differ;
            or a picture is missing, damaged, or not the one that was scored.
        OSError: The folder cannot be written.
    """
    _check_replaceable(to)
    unfinished = to / UNFINISHED
    # Ledgers are closed before the pictures are made: open ones would keep a run that goes on from recording.
    with open_results(out, methods=methods, datasets=datasets, runs=runs) as found:
        grouped = by_dataset([one for one in found if one.runs and one.images])
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
    return Built(to / "index.html", contents, *_sizes(to))


@contextlib.contextmanager
def _temporary_folder(folder: Path) -> Iterator[None]:
    """Make a folder, and remove it afterwards, whatever happens."""
    shutil.rmtree(folder, ignore_errors=True)  # of a call that was killed
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_replaceable(to: Path) -> None:
    """Raise unless a report may be written to a folder: there is none, it is empty, or it is a report."""
    if not to.exists():
        return
    if not to.is_dir():
        raise BenchError(f"{to}: a file, not a folder; give another --to")
    held = {path.name for path in to.iterdir()} - {UNFINISHED}
    if not held:
        return
    index = to / "index.html"
    if not index.is_file() or GENERATOR not in index.read_text(encoding="utf-8", errors="replace"):
        raise BenchError(f"{to}: holds something that is not a report; give another --to, or empty it")
    foreign = sorted(held - set(CONTENTS))
    if foreign:
        raise BenchError(f"{to}: a report, but {foreign[0]} is not of it; move that away, or give another --to")


class _Plan(NamedTuple):
    """What is to be shown of one data set."""

    content: DatasetContent
    """Without images."""
    tasks: list[PictureTask]


def _plan(results: Sequence[Results], dataset: Dataset | None, folder: Path) -> _Plan:
    tasks = list(_tasks(results, dataset, folder))
    return _Plan(dataset_content(results, [task.image for task in tasks]), tasks)


def _with_pictures(
    plans: Sequence[_Plan], report: Path, progress: Callable[[int, int, str], None]
) -> Iterator[DatasetContent]:
    """Make all pictures, and yield the contents that show them."""
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
    present = [set(one.images) for one in results]
    for index, image in enumerate(sorted(set().union(*present))):
        having = [one for one, held in zip(results, present, strict=True) if image in held]
        yield PictureTask(
            image=image,
            folder=folder / f"i{index:04d}",
            outputs=[one.output_files(image, range(one.runs)) if one in having else [] for one in results],
            sample=samples.get(image),
            scored=scored_pixels(having, image),
        )


def _in_threads(tasks: Sequence[PictureTask], report: Path) -> Iterator[ImageContent]:
    """Yield the images in order; an error ends the work that has not begun."""
    with ThreadPoolExecutor(thread_count()) as pool:
        try:
            yield from pool.map(lambda task: write_pictures(task, report), tasks)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def thread_count() -> int:
    """Return how many threads make pictures: one for each CPU that this process may use, within limits."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_THREADS, usable)


def _write_page(report: Path, datasets: Sequence[DatasetContent]) -> None:
    with as_file(files("ccsr_bench.html_report") / "page") as page:
        shutil.copytree(page, report / "page", copy_function=shutil.copyfile)
    (report / "page" / "index.html").rename(report / "index.html")
    colour_scale().save(report / "images" / "scale.png")
    (report / "data.js").write_bytes(b"const REPORT = " + encode_for_script(page_content(datasets)) + b";\n")


def encode_for_script(content: PageContent) -> bytes:
    r"""Return JSON that is safe wherever a script may stand: no ``<``, and no line separator that ends a string."""
    encoded = msgspec.json.encode(content)
    for character in "<\u2028\u2029":
        encoded = encoded.replace(character.encode(), f"\\u{ord(character):04x}".encode())
    return encoded


def _replace(new: Path, old: Path) -> None:
    if old.is_dir():
        shutil.rmtree(old)
    new.replace(old)


def _sizes(report: Path) -> tuple[int, int]:
    """Return the bytes that are the report's own, and those that other files share."""
    own = linked = 0
    for path in report.rglob("*"):
        status = path.lstat()
        if path.is_file():
            if status.st_nlink > 1:
                linked += status.st_size
            else:
                own += status.st_size
    return own, linked
