"""Marking the best and the second best number of each column within a data set."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from ccsr_bench.ledger.results import Scores
from ccsr_bench.metrics.quantities import L_STD, Quantity
from ccsr_bench.statistics.paired import SIGNIFICANCE, holm, paired_difference
from ccsr_bench.tables.rows import Cell, Mark, Row, Section, Table

Marking = Literal["none", "best", "significant"]

BEST_NOTE = (
    "Best and second best of each column within a data set are marked by the printed value, ties alike. Rows that lack "
    "images of others, L-STDs of fewer runs than others, noise floors (same seed), and the paper's rows beside ours do "
    "not compete."
)


class _Place(NamedTuple):
    """Where a cell is."""

    section: int
    column: str
    row: int


class _Step(NamedTuple):
    """What must be shown for a mark: that one cell is better than the next."""

    marked: _Place
    next: _Place


def marked(table: Table, marking: Marking) -> Table:
    """Return a table with the best and the second best of each column marked.

    Args:
        table: Not marked yet.
        marking: ``best``: by the printed value, ties alike. ``significant``: of these only the ones that are better
            than the next by a paired test over images, corrected for all comparisons of the table.
    """
    if marking == "none":
        return table
    ranked = [
        (index, column, _ranks(section, column))
        for index, section in enumerate(table.sections)
        for column in table.columns
    ]
    note, kept = BEST_NOTE, None
    if marking == "significant":
        steps = [step for index, column, ranks in ranked for step in _steps(index, column, ranks)]
        kept, note = _significant(table, steps)
    marks: dict[_Place, Mark] = {}
    for index, column, ranks in ranked:
        for mark, rows in zip(_marks(), ranks, strict=False):
            for row in rows:
                place = _Place(index, column.name, row)
                if kept is None or place in kept:
                    marks[place] = mark
    sections = tuple(_with_marks(index, section, marks) for index, section in enumerate(table.sections))
    return replace(table, sections=sections, notes=(*table.notes, note))


def _marks() -> tuple[Mark, Mark]:
    return "best", "second"


def _ranks(section: Section, column: Quantity) -> list[list[int]]:
    """Return the rows with the best value, with the second best, and so on; nothing where only one value competes."""
    rows = {index: row for index, row in _competitors(section) if column.name in row.cells}
    most_runs = max((row.runs or 0 for row in rows.values()), default=0)
    images = {image for row in rows.values() for image in row.cells[column.name].covers}
    values: dict[float, list[int]] = {}
    for index, row in rows.items():
        cell = row.cells[column.name]
        if set(cell.covers) == images and (column is not L_STD or (row.runs or 0) == most_runs):
            values.setdefault(_printed(cell, column), []).append(index)
    return [values[value] for value in sorted(values, reverse=column.higher_is_better)] if len(values) > 1 else []


def _competitors(section: Section) -> Iterator[tuple[int, Row]]:
    """Yield the rows computed here, without noise floors; where there are none, the paper's."""
    source = "ours" if any(row.source == "ours" for row in section.rows) else "paper"
    for index, row in enumerate(section.rows):
        if row.source == source and not row.same_seed:
            yield index, row


def _printed(cell: Cell, column: Quantity) -> float:
    return float(f"{cell.value:.{column.decimals}f}")


def _steps(section: int, column: Quantity, ranks: Sequence[Sequence[int]]) -> Iterator[_Step]:
    """Yield best against second, and second against third, where each is one row: of a tie none is better."""
    for better, after in itertools.islice(itertools.pairwise(ranks), len(_marks())):
        if len(better) != 1:
            return
        for row in after:
            yield _Step(_Place(section, column.name, better[0]), _Place(section, column.name, row))


def _significant(table: Table, steps: Sequence[_Step]) -> tuple[set[_Place], str]:
    """Return which marks are significant, and what that means."""
    p_values = {step: p for step in steps if (p := _p_value(table, step)) is not None}
    shown = {step for step, p in holm(p_values).items() if p <= SIGNIFICANCE}
    kept: set[_Place] = set()
    unmarked_columns: set[tuple[int, str]] = set()
    for place in dict.fromkeys(step.marked for step in steps):  # the best of a column before its second best
        column = (place.section, place.column)
        if column not in unmarked_columns and all(step in shown for step in steps if step.marked == place):
            kept.add(place)
        else:
            unmarked_columns.add(column)
    note = (
        f"Marked is only what is significantly better than the next of its column within a data set, and the second "
        f"best only below a marked best (paired sign-flip tests over the same images, {len(p_values)} comparisons "
        f"corrected together by Holm's method, level {SIGNIFICANCE:g})."
    )
    untested = {step.marked.column for step in steps} - {step.marked.column for step in p_values}
    labels = [column.label for column in table.columns if column.name in untested]
    if labels:
        note += f" {', '.join(labels)}: no values of two images or more to test, so never marked."
    return kept, note


def _p_value(table: Table, step: _Step) -> float | None:
    first, second = (_scores(table, place) for place in step)
    if first is None or second is None or len(first.images) < 2:
        return None
    return paired_difference(first.values, second.values).p_value  # of the same images, in the order of names


def _scores(table: Table, place: _Place) -> Scores | None:
    return table.sections[place.section].rows[place.row].cells[place.column].scores


def _with_marks(index: int, section: Section, marks: dict[_Place, Mark]) -> Section:
    rows = []
    for number, row in enumerate(section.rows):
        cells = {
            name: replace(cell, mark=marks.get(_Place(index, name, number), "")) for name, cell in row.cells.items()
        }
        rows.append(replace(row, cells=cells))
    return replace(section, rows=tuple(rows))
