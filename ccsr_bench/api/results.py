"""Recorded results as tables, as a data frame and as a report."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
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
    """The results in a folder: all of them, or those of some methods and data sets.

    Each call reads the ledgers anew, so results that a run adds in the meantime are included.

    Args:
        folder: Folder of all results, as `ccsr_bench.run` writes it.
        methods: Names of the methods to include; all when empty.
        datasets: Names of the data sets to include; all when empty.
        runs: Number of runs to use, from the first on; for each method the most that all its images have when None.

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
            pass  # missing results are an error here, not when they are first used

    @property
    def failures(self) -> dict[tuple[str, str, str], str]:
        """(data set, method, image) -> reason why the image failed the last time; empty when no image failed."""
        with open_results(self.folder, methods=self.methods, datasets=self.datasets, runs=self.runs) as opened:
            return {
                (results.identity.dataset, results.label, image): reason
                for results in opened
                for image, reason in results.ledger.failures.items()
            }

    def frame(self) -> pandas.DataFrame:
        """Return a data frame with one row for each recorded score.

        Columns: dataset, method, title, image, run, seed, metric, value, seconds, protocol, definition. L-STD has no
        run and no seed, as it is computed from all runs of an image. Images made elsewhere have no seed and no seconds.
        """
        with open_results(self.folder, methods=self.methods, datasets=self.datasets, runs=self.runs) as opened:
            return scores_frame(opened)

    def write_scores(self, file: str | Path, form: Literal["csv", "parquet"] | None = None) -> int:
        """Write the rows of `frame` to a file, and return the number of rows.

        Args:
            file: The file to write.
            form: Format of the file, ``csv`` or ``parquet``; taken from the file's suffix when None.

        Raises:
            BenchError: The format is neither of the two, or the package for Parquet is missing.
        """
        path = Path(file)
        chosen = form or path.suffix.removeprefix(".")
        if chosen not in ("csv", "parquet"):
            raise BenchError(f"{path}: the format is '{chosen}', but must be csv or parquet; choose it with `form`")
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
        paper_rows: Mapping[str, str] | None = None,
        mark: Marking = "none",
        intervals: bool = False,
    ) -> Tables:
        """Return the tables of the results; a notebook displays them.

        Args:
            layout: Layout of the tables: ``free`` for one table per data set, or ``paper-i`` to ``paper-vii`` for the
                layout of one of the paper's tables.
            metrics: Columns to show, in this order; all when empty.
            sort: Column by which rows are sorted, best first; the order of methods is kept when empty.
            paper: Where the paper's numbers are shown: ``no`` (nowhere), ``rows`` (in rows below ours), ``beside``
                (beside ours in every cell), or ``only`` (without ours).
            paper_rows: Name of a method of the results -> name of the paper's row that stands beside it, or whose place
                in a layout of the paper it takes, such as ``{"mine": "Real-ESRGAN"}``.
            mark: Which cells are marked: ``best`` (best and second best of each column), ``significant`` (only those
                significantly better than the next), or ``none``.
            intervals: Whether 95 % intervals are shown.

        Raises:
            BenchError: A name does not exist, or the arguments conflict.
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
            paper_rows=paper_rows or {},
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
    """Return the results in a folder; `ResultsFolder` describes the arguments."""
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
    """Build a page with tables, plots and all images, and return the file to open in a browser.

    An existing report is replaced once the new one is complete. A data set whose LR and HR images are not on this
    machine is shown without them, with a warning.

    Args:
        folder: Folder of all results.
        to: Folder to write the report to; it is created if needed.
        methods: Names of the methods to show; all when empty.
        datasets: Names or manifest paths of the data sets to show; all when empty.
        runs: Number of runs to use, from the first on; for each method the most that all its images have when None.
        lr: Folder of the data set's LR images, if the run was given folders; `datasets` must name one data set then.
        hr: Folder of the data set's HR images, if the run was given folders.

    Raises:
        BenchError: `to` is a folder of something else, there are no results, or an image is missing or damaged.
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
    paper_rows: Mapping[str, str] | None = None,
    mark: Marking = "none",
    intervals: bool = False,
) -> Tables:
    """Return the tables of the results in a folder; `ResultsFolder` and its method `table` describe the arguments."""
    results = ResultsFolder(folder, methods=methods, datasets=datasets, runs=runs)
    return results.table(
        layout=layout,
        metrics=metrics,
        sort=sort,
        paper=paper,
        paper_rows=paper_rows,
        mark=mark,
        intervals=intervals,
    )
