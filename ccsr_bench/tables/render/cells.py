"""Texts that all formats share: of cells, of headings and of the columns before the metrics."""

from __future__ import annotations

from collections.abc import Callable

from ccsr_bench.metrics.quantities import G_STD_DECIMALS, Quantity
from ccsr_bench.statistics.bootstrap import Interval
from ccsr_bench.tables.rows import Cell, Mark, Row, Table

Marker = Callable[[Mark, str], str]
"""Returns the text of a value as a format shows the best or the second best."""


def unmarked(_mark: Mark, text: str) -> str:
    """Return the text as it is."""
    return text


def cell_text(cell: Cell | None, column: Quantity, *, intervals: bool = False, marker: Marker = unmarked) -> str:
    """Return ``value/G-STD`` as the paper prints it, ``-`` where there is no spread or no value.

    A cell over part of its row's images names their number, such as ``28.44/0.4366 (3 of 6 images)``.

    Args:
        cell: Cell to print; None for an empty cell.
        column: Column of the cell, which has the number of decimals and whether a spread is printed.
        intervals: Whether the 95 % intervals are added in brackets.
        marker: Marks the text of the value; the spread is never marked.
    """
    if cell is None:
        return "-"
    value = marker(cell.mark, f"{cell.value:.{column.decimals}f}") if cell.mark else f"{cell.value:.{column.decimals}f}"
    text = value + _interval(cell.value_interval if intervals else None, column.decimals)
    if column.spread:
        text += f"/{_g_std(cell.g_std)}" + _interval(cell.g_std_interval if intervals else None, G_STD_DECIMALS)
    if cell.missing:
        text += f" ({cell.coverage})"
    return text if cell.paper is None else f"{text} ({_paper_text(cell, cell.paper, column)})"


def _g_std(value: float | None) -> str:
    return "-" if value is None else f"{value:.{G_STD_DECIMALS}f}"


def _interval(interval: Interval | None, decimals: int) -> str:
    return "" if interval is None else f" [{interval.low:.{decimals}f}, {interval.high:.{decimals}f}]"


def _paper_text(cell: Cell, paper: Cell, column: Quantity) -> str:
    """Return the paper's number and ours less the paper's, both rounded first so that a reader can check it."""
    printed = f"paper {paper.value:.{column.decimals}f}"
    difference = _difference(cell.value, paper.value, column.decimals)
    if column.spread:
        printed += f"/{_g_std(paper.g_std)}"
        if cell.g_std is not None and paper.g_std is not None:
            difference += f"/{_difference(cell.g_std, paper.g_std, G_STD_DECIMALS)}"
    return f"{printed}, {difference}"


def _difference(ours: float, paper: float, decimals: int) -> str:
    return f"{round(ours, decimals) - round(paper, decimals):+.{decimals}f}"


def header_texts(table: Table) -> list[str]:
    """Return the headings of the columns before the metrics."""
    return ["Method", *(["N", "Images"] if table.counts else [])]


def leading_texts(table: Table, row: Row) -> list[str]:
    """Return the texts of a row in the columns before the metrics."""
    if table.counts:
        return [row.title, "-" if row.runs is None else str(row.runs), row.coverage]
    return [f"{row.title} ({row.coverage} images)" if row.partial else row.title]


def arrow(column: Quantity) -> str:
    """Return an arrow in the direction of better numbers."""
    return "↑" if column.higher_is_better else "↓"


def has_marks(table: Table) -> bool:
    """Return whether any cell is marked, so that the table needs a legend."""
    return any(cell.mark for section in table.sections for row in section.rows for cell in row.cells.values())
