"""What a table is made of, whatever it came from and whatever it is rendered to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ccsr_bench.errors import unknown_name
from ccsr_bench.ledger.results import Scores
from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.statistics.bootstrap import Interval

G_STD_DECIMALS = 4


@dataclass(frozen=True)
class Column:
    """One metric, L-STD, or a cost."""

    name: str
    label: str
    higher_is_better: bool
    decimals: int
    spread: bool = True
    """Whether cells have a spread after a slash."""


L_STD = Column("l-std", "L-STD", higher_is_better=False, decimals=4, spread=False)

COLUMNS: tuple[Column, ...] = (
    *(Column(info.name, info.label, info.higher_is_better, info.decimals) for info in METRICS.values()),
    L_STD,
)
"""In the order of the paper's tables."""

COST_COLUMNS: tuple[Column, ...] = (
    Column("steps", "Steps", higher_is_better=False, decimals=0, spread=False),
    Column("seconds", "Seconds/image", higher_is_better=False, decimals=2, spread=False),
    Column("parameters", "Parameters/10^9", higher_is_better=False, decimals=2, spread=False),
)
"""Of the paper's Table VII."""


def find_columns(names: Sequence[str], known: Sequence[Column] = COLUMNS) -> tuple[Column, ...]:
    """Return columns by name, in the order that they are asked for.

    Raises:
        BenchError: There is no such column; near names are given.
    """
    columns = {column.name: column for column in known}
    for name in names:
        if name not in columns:
            raise unknown_name("metric", name, columns)
    return tuple(columns[name] for name in dict.fromkeys(names))


Mark = Literal["", "best", "second"]


@dataclass(frozen=True)
class Cell:
    """One number of a table and its spread."""

    value: float
    g_std: float | None = None
    """None where there is no spread: a deterministic method, a single run, L-STD itself."""
    covers: tuple[str, ...] = ()
    """The images that it is of; empty where the source does not say."""
    value_interval: Interval | None = None
    g_std_interval: Interval | None = None
    mark: Mark = ""
    paper: Cell | None = None
    """What the paper prints for it, to stand beside it."""
    scores: Scores | None = field(default=None, compare=False, repr=False)
    """The value of each image, (M,) float64, that `value` is the mean of; None where there is none."""

    @property
    def images(self) -> int | None:
        """How many images it covers; None where the source does not say."""
        return len(self.covers) or None


@dataclass(frozen=True)
class Row:
    """One method on one data set."""

    method: str
    title: str
    cells: dict[str, Cell]
    """By column name."""
    runs: int | None = None
    """N; None where the source does not say."""
    images: int | None = None
    """Images that have all N runs."""
    source: Literal["ours", "paper"] = "ours"


@dataclass(frozen=True)
class Section:
    """The rows of one data set, and what a reader needs to know about them."""

    dataset: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    paper_dataset: str = ""
    """What the paper calls the data set."""


@dataclass(frozen=True)
class Table:
    """What is printed as one table: one data set, or several under each other."""

    title: str
    sections: tuple[Section, ...]
    """All with the same columns."""
    notes: tuple[str, ...] = ()
    """Below the table."""
    counts: bool = True
    """Whether N and the number of images are columns; else the notes say them."""
    intervals: bool = False
    """Whether cells show their 95 % intervals."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of every section."""
        return self.sections[0].columns
