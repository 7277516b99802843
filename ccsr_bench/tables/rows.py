"""Tables, sections, rows and cells, independent of the source of their numbers and of the output format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ccsr_bench.errors import number_of
from ccsr_bench.metrics.quantities import Quantity
from ccsr_bench.statistics.bootstrap import Interval

Mark = Literal["", "best", "second"]


@dataclass(frozen=True)
class Cell:
    """One number of a table and its spread."""

    value: float
    g_std: float | None = None
    """G-STD of the value; None for a deterministic method, a single run, and L-STD itself."""
    covers: tuple[str, ...] = ()
    """Names of the images that the value covers; empty where the source does not say."""
    value_interval: Interval | None = None
    g_std_interval: Interval | None = None
    mark: Mark = ""
    paper: Cell | None = None
    """The paper's number for the same cell, which is shown beside ours."""
    missing: int = 0
    """Number of the row's images that the value does not cover; a cell that lacks one is partial."""

    @property
    def images(self) -> int | None:
        """Number of images that the value covers; None where the source does not say."""
        return len(self.covers) or None

    @property
    def coverage(self) -> str:
        """The number of images that a partial cell covers, such as ``3 of 6 images``; empty for other cells."""
        return f"{len(self.covers)} of {number_of(len(self.covers) + self.missing, 'image')}" if self.missing else ""

    def covers_all(self, images: Iterable[str]) -> bool:
        """Return whether the value covers all images of its row, and some other images too.

        A value whose source does not say what it covers, such as one that the paper prints, is taken to cover all.
        """
        return not self.missing and (not self.covers or set(images).issubset(self.covers))


@dataclass(frozen=True)
class Row:
    """One method on one data set."""

    method: str
    title: str
    cells: dict[str, Cell]
    """Name of a column -> its cell."""
    runs: int | None = None
    """N; None where the source does not say."""
    images: int | None = None
    """Number of images that have all N runs; None where the source does not say."""
    dataset_images: int | None = None
    """Number of images of the data set; None where the source does not say."""
    source: Literal["ours", "paper"] = "ours"
    same_seed: bool = False
    """Whether all runs had the same seed: the row is then a noise floor, which does not compete with methods."""
    own_weights: tuple[str, ...] = ()
    """Roles whose weights the user gave, and which are not the published ones."""

    @property
    def partial(self) -> bool:
        """Whether the row lacks images of the data set."""
        return self.images is not None and self.dataset_images is not None and self.images < self.dataset_images

    @property
    def coverage(self) -> str:
        """The number of images, such as ``6``, or ``3 of 6`` for a partial row; ``-`` where it is unknown."""
        if self.images is None:
            return "-"
        return f"{self.images} of {self.dataset_images}" if self.partial else str(self.images)


def covered_images(rows: Iterable[Row], column: str) -> set[str]:
    """Return the names of all images that a value of a column covers."""
    return {image for row in rows if column in row.cells for image in row.cells[column].covers}


@dataclass(frozen=True)
class Section:
    """The rows of one data set, and the notes that explain them."""

    dataset: str
    columns: tuple[Quantity, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    paper_dataset: str = ""
    """Name of the data set in the paper; empty where the paper does not use it."""


@dataclass(frozen=True)
class Table:
    """One table, of one data set or of several below each other."""

    title: str
    sections: tuple[Section, ...]
    """Sections of the data sets, all with the same columns."""
    notes: tuple[str, ...] = ()
    """Notes that are printed below the table."""
    counts: bool = True
    """Whether N and the number of images are columns; otherwise the notes give them."""
    intervals: bool = False
    """Whether cells show their 95 % intervals."""

    @property
    def columns(self) -> tuple[Quantity, ...]:
        """The columns of every section."""
        return self.sections[0].columns
