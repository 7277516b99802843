"""What a table is made of, whatever it came from and whatever it is rendered to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ccsr_bench.metrics.quantities import Quantity
from ccsr_bench.statistics.bootstrap import Interval

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
    same_seed: bool = False
    """Whether all runs had one seed: then the row is a noise floor, which does not compete with methods."""


@dataclass(frozen=True)
class Section:
    """The rows of one data set, and what a reader needs to know about them."""

    dataset: str
    columns: tuple[Quantity, ...]
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
    def columns(self) -> tuple[Quantity, ...]:
        """The columns of every section."""
        return self.sections[0].columns
