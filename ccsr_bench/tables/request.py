"""The user's choice of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.paper import printed
from ccsr_bench.tables.marks import Marking

FREE = "free"
"""The layout with one table for each data set."""

LAYOUTS: Mapping[str, str] = {f"paper-{number.lower()}": number for number in printed.TITLES}
"""Name of a layout -> number of the paper's table that it follows."""

Paper = Literal["no", "rows", "beside", "only"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """The rows, columns and marks of the tables that a user asks for."""

    out: Path = Path("results")
    """Folder of all results."""
    layout: str = FREE
    """`FREE` or one of `LAYOUTS`; a layout of the paper gives the methods, data sets and metrics that are not named."""
    methods: Sequence[str] = ()
    datasets: Sequence[str] = ()
    metrics: Sequence[str] = ()
    runs: int | None = None
    """N, for methods with more than one run; for each method the most runs that all its images have when None."""
    sort: str = ""
    """Name of the column that rows are sorted by, best first; the order of names, or of the paper, when empty."""
    paper: Paper = "no"
    """Where the paper's numbers are shown: nowhere, in rows below ours, beside ours in every cell, or alone."""
    paper_rows: Mapping[str, str] = field(default_factory=dict)
    """Name of a method -> name of the paper's row that it is paired with, in place of the row of the method itself."""
    marking: Marking = "none"
    intervals: bool = False
    """Whether cells show their 95 % intervals."""

    def check(self) -> None:
        """Raise a `BenchError` where a choice does not exist, or two of them conflict."""
        for name, value, known in (
            ("layout", self.layout, (FREE, *LAYOUTS)),
            ("paper", self.paper, get_args(Paper)),
            ("mark", self.marking, get_args(Marking)),
        ):
            if value not in known:
                raise unknown_name(f"`{name}`", value, known)
        if self.paper_rows and (self.paper == "only" or (self.paper != "beside" and self.layout == FREE)):
            raise BenchError(
                "`paper_rows` pairs results with rows of the paper: add `paper` 'beside', or choose a `layout` of the "
                "paper without `paper` 'only'"
            )
        if self.paper != "only":
            return
        if self.layout == FREE:
            raise BenchError(f"`paper` 'only' prints one table: choose it with `layout` ({', '.join(LAYOUTS)})")
        if self.methods or self.datasets or self.runs or self.intervals or self.marking == "significant":
            raise BenchError(
                "`paper` 'only' prints a table of the paper as it is: leave out `methods`, `datasets`, `runs`, "
                "`intervals` and `mark` 'significant', which need results of your own"
            )
