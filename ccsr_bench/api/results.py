"""Recorded results: as tables, as a data frame, as a report."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ccsr_bench.errors import BenchError
from ccsr_bench.html_report.build import build_report
from ccsr_bench.html_report.images import ImageFinder
from ccsr_bench.images import write_atomically
from ccsr_bench.install.files import silent
from ccsr_bench.ledger.results import open_results
from ccsr_bench.statistics.frame import scores_frame
from ccsr_bench.tables.build import build
from ccsr_bench.tables.marks import Marking
from ccsr_bench.tables.render import Tables
from ccsr_bench.tables.request import FREE, Paper, Request

if TYPE_CHECKING:
    import pandas


class ResultsFolder:
    """The results in a folder, or those of some methods and data sets.

    Ledgers are read whenever something is asked for, so a folder that a run still adds to shows what is there now.

    Args:
        folder: Folder of all results, as `ccsr_bench.run` fills it.
        methods: Only these methods; all when empty.
        datasets: Only these data sets; all when empty.
        runs: Use the first so many runs; for each method the most that all its images have when None.

    Raises:
        BenchError: There are no such results.
    """

    def __init__(
        self,
        folder: str | Path = "results",
        *,
        methods: Sequence[str] = (),
        datasets: Sequence[str] = (),
        runs: int | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.methods = tuple(methods)
        self.datasets = tuple(datasets)
        self.runs = runs
        with open_results(self.folder, methods=methods, datasets=datasets, runs=runs):
            pass  # what does not exist is an error here, where it was asked for

    @property
    def failures(self) -> dict[tuple[str, str, str], str]:
        """(data set, method, image) -> why the image failed the last time; empty when all are done."""
        with open_results(self.folder, methods=self.methods, datasets=self.datasets, runs=self.runs) as found:
            return {
                (one.identity.dataset, one.label, image): reason
                for one in found
                for image, reason in one.ledger.failures.items()
            }

    def frame(self) -> pandas.DataFrame:
        """Return every recorded score as one row of a data frame.

        Columns: dataset, method, title, image, run, seed, metric, value, seconds, protocol, definition. L-STD, which
        is of all runs of an image, has no run and no seed; images made elsewhere have no seed and no seconds.
        """
        with open_results(self.folder, methods=self.methods, datasets=self.datasets, runs=self.runs) as found:
            return scores_frame(found)

    def write_scores(self, file: str | Path, form: Literal["csv", "parquet"] | None = None) -> int:
        """Write the rows of `frame` to a file, and return their number.

        Args:
            file: The file to write.
            form: ``csv`` or ``parquet``; what the file's suffix says when None.

        Raises:
            BenchError: The form is neither, or Parquet's package is missing.
        """
        path = Path(file)
        chosen = form or path.suffix.removeprefix(".")
        if chosen not in ("csv", "parquet"):
            raise BenchError(f"`form` of {path} is '{chosen}': it must be csv or parquet")
        frame = self.frame()
        if chosen == "csv":
            data = frame.to_csv(index=False).encode()
        else:
            try:
                data = frame.to_parquet(index=False)
            except ImportError as error:
                raise BenchError("Parquet needs pyarrow: run `pip install 'ccsr-bench[parquet]'`") from error
        write_atomically(path, data)
        return len(frame)

    def table(
        self,
        *,
        layout: str = FREE,
        metrics: Sequence[str] = (),
        sort: str = "",
        paper: Paper = "no",
        mark: Marking = "none",
        intervals: bool = False,
    ) -> Tables:
        """Return the tables of the results, which show themselves in a notebook.

        Args:
            layout: ``free`` for one table a data set, or ``paper-i`` to ``paper-vii`` for the layout of one of the
                paper's tables.
            metrics: Only these columns, in this order; all when empty.
            sort: Column by which rows are sorted, best first.
            paper: The paper's numbers: ``no``, as ``rows`` below ours, ``beside`` ours in every cell, or ``only``.
            mark: ``best`` and second best of each column, only the ``significant`` ones, or ``none``.
            intervals: Show 95 % intervals.

        Raises:
            BenchError: A name does not exist, or the arguments exclude each other.
        """
        request = Request(
            out=self.folder,
            layout=layout,
            methods=self.methods,
            datasets=self.datasets,
            metrics=metrics,
            runs=self.runs,
            sort=sort,
            paper=paper,
            marking=mark,
            intervals=intervals,
        )
        return Tables(build(request))

    def __repr__(self) -> str:
        parts = [repr(str(self.folder))]
        parts += [f"{name}={list(names)}" for name in ("methods", "datasets") if (names := getattr(self, name))]
        return f"ResultsFolder({', '.join(parts)})"

    def _repr_html_(self) -> str:
        return self.table(mark="best")._repr_html_()


def load_results(
    folder: str | Path = "results",
    *,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    runs: int | None = None,
) -> ResultsFolder:
    """Return the results in a folder; see `ResultsFolder`."""
    return ResultsFolder(folder, methods=methods, datasets=datasets, runs=runs)


def report(
    folder: str | Path = "results",
    to: str | Path = "report",
    *,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    runs: int | None = None,
    lr: str | Path | None = None,
    hr: str | Path | None = None,
) -> Path:
    """Build a page with table, plots and every picture, and return the file to open in a browser.

    A report that is there already is replaced once the new one is complete. A data set whose LR and HR images are not
    on this machine is shown without them, with a warning.

    Args:
        folder: Folder of all results.
        to: Folder of the report, which is made.
        methods: Only these methods; all when empty.
        datasets: Only these data sets, by name or by the path of a manifest; all when empty.
        runs: Use the first so many runs; for each method the most that all its images have when None.
        lr: Folder of the LR images of the one data set that is named, where the run was given folders.
        hr: Folder of its HR images.

    Raises:
        BenchError: `to` holds something else, there are no results, or a picture is missing or damaged.
    """
    images = ImageFinder(
        datasets,
        lr=None if lr is None else Path(lr),
        hr=None if hr is None else Path(hr),
        remark=lambda line: warnings.warn(line, stacklevel=4),
    )
    built = build_report(
        Path(folder),
        Path(to),
        find_dataset=images.find,
        progress=silent,
        methods=methods,
        datasets=images.names,
        runs=runs,
    )
    return built.page


def table(
    folder: str | Path = "results",
    *,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    runs: int | None = None,
    layout: str = FREE,
    metrics: Sequence[str] = (),
    sort: str = "",
    paper: Paper = "no",
    mark: Marking = "none",
    intervals: bool = False,
) -> Tables:
    """Return the tables of the results in a folder; see `ResultsFolder` and `ResultsFolder.table`."""
    results = ResultsFolder(folder, methods=methods, datasets=datasets, runs=runs)
    return results.table(layout=layout, metrics=metrics, sort=sort, paper=paper, mark=mark, intervals=intervals)
