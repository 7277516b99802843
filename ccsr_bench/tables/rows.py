"""The rows of a table, whatever they came from and whatever they are rendered to."""

from __future__ import annotations

from dataclasses import dataclass, field

from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Column:
    """One metric, or L-STD."""

    name: str
    label: str
    higher_is_better: bool
    decimals: int


L_STD = Column("l-std", "L-STD", higher_is_better=False, decimals=4)

COLUMNS: tuple[Column, ...] = (
    *(Column(info.name, info.label, info.higher_is_better, info.decimals) for info in METRICS.values()),
    L_STD,
)
"""In the order of the paper's tables."""

G_STD_DECIMALS = 4


@dataclass(frozen=True)
class Cell:
    """One number of a table and its spread."""

    value: float
    g_std: float | None = None
    """None where there is no spread: a deterministic method, a single run, L-STD itself."""
    images: int | None = None
    """How many images it covers; None where the source does not say."""
    value_interval: Interval | None = None
    g_std_interval: Interval | None = None


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
    source: str = "ours"


@dataclass(frozen=True)
class Section:
    """The rows of one data set, and what a reader needs to know about them."""

    dataset: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(default=())
