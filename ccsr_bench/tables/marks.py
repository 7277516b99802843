"""Marking the best and the second best number of each column within a data set."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from ccsr_bench.errors import number_of
from ccsr_bench.ledger.results import Scores
from ccsr_bench.metrics.quantities import L_STD, Quantity
from ccsr_bench.statistics.paired import SIGNIFICANCE, holm, paired_difference
from ccsr_bench.tables.rows import Cell, Mark, Row, Section, Table, covered_images

Marking = Literal["none", "best", "significant"]

ImageScores = Callable[[str, str, str], Scores | None]
"""(data set, method, name of a column) -> the value of each image, (M,), for a cell that is their mean; else None."""

BEST_NOTE = (
    "Best and second best of each column within a data set are marked by the printed value; equal values are marked "
    "alike. Values over a part of their row's images, rows that lack images of other rows, L-STDs over fewer runs than "
    "others, noise floors (same seed), and the paper's rows below ours do not compete."
)

_MARKS: tuple[Mark, ...] = ("best", "second")


class _Place(NamedTuple):
    """The position of a cell in a table."""

    section: int
    column: str
    """Name of the column."""
    row: int


class _Step(NamedTuple):
    """Two cells of a column; the first is marked if it is significantly better than the second."""

    marked: _Place
    next: _Place


class _Ranking(NamedTuple):
    """The order of the competing rows in one column of a section."""

    section: int
    column: Quantity
    rows: list[list[int]]
    """Positions of the rows with the best value, with the second best, and so on."""


def mark_best(table: Table) -> Table:
    """Return a table with the best and the second best printed value of each column marked, ties alike.

    Args:
        table: Table without marks.
    """
    return _with_marks(table, _best(_rankings(table)), BEST_NOTE)


def mark_significant(table: Table, image_scores: ImageScores) -> Table:
    """Return a table with a best or second best marked where it is significantly better than the next of its column.

    The tests are paired over images, and corrected for all comparisons of the table.

    Args:
        table: Table without marks.
        image_scores: Returns the values of the images that are tested.
    """
    rankings = _rankings(table)
    steps = [step for ranking in rankings for step in _steps(ranking)]
    p_values = {step: p for step in steps if (p := _p_value(table, step, image_scores)) is not None}
    significant = _significant(steps, p_values)
    marks = {place: mark for place, mark in _best(rankings).items() if place in significant}
    return _with_marks(table, marks, _significance_note(table, steps, p_values))


def _rankings(table: Table) -> list[_Ranking]:
    return [
        _Ranking(index, column, _ranks(section, column))
        for index, section in enumerate(table.sections)
        for column in table.columns
    ]


def _ranks(section: Section, column: Quantity) -> list[list[int]]:
    """Return the rows with the best value, with the second best, and so on; none where all values are equal."""
    rows = {index: row for index, row in _competitors(section) if column.name in row.cells}
    most_runs = max((row.runs or 0 for row in rows.values()), default=0)
    images = covered_images(rows.values(), column.name)
    values: dict[float, list[int]] = {}
    for index, row in rows.items():
        cell = row.cells[column.name]
        if cell.covers_all(images) and (column is not L_STD or (row.runs or 0) == most_runs):
            values.setdefault(_printed(cell, column), []).append(index)
    return [values[value] for value in sorted(values, reverse=column.higher_is_better)] if len(values) > 1 else []


def _competitors(section: Section) -> Iterator[tuple[int, Row]]:
    """Yield the rows with our numbers, except noise floors; the paper's rows where there are none of ours."""
    source = "ours" if any(row.source == "ours" for row in section.rows) else "paper"
    for index, row in enumerate(section.rows):
        if row.source == source and not row.same_seed:
            yield index, row


def _printed(cell: Cell, column: Quantity) -> float:
    return float(f"{cell.value:.{column.decimals}f}")


def _best(rankings: Sequence[_Ranking]) -> dict[_Place, Mark]:
    return {
        _Place(ranking.section, ranking.column.name, row): mark
        for ranking in rankings
        for mark, rows in zip(_MARKS, ranking.rows, strict=False)
        for row in rows
    }


def _steps(ranking: _Ranking) -> Iterator[_Step]:
    """Yield best against second, and second against third, up to a tie: no row of a tie is better than the next."""
    section, column, ranks = ranking
    for better, following in itertools.islice(itertools.pairwise(ranks), len(_MARKS)):
        if len(better) != 1:
            return
        for row in following:
            yield _Step(_Place(section, column.name, better[0]), _Place(section, column.name, row))


def _p_value(table: Table, step: _Step, image_scores: ImageScores) -> float | None:
    """Return the p-value of two cells; None where they are not means of two images or more."""
    scores = []
    for place in step:
        section = table.sections[place.section]
        row = section.rows[place.row]
        scores.append(image_scores(section.dataset, row.method, place.column) if row.source == "ours" else None)
    first, second = scores
    if first is None or second is None or len(first.images) < 2:
        return None
    return paired_difference(first.values, second.values).p_value  # competitors have the same images in the same order


def _significant(steps: Sequence[_Step], p_values: Mapping[_Step, float]) -> set[_Place]:
    """Return the cells to mark: those better than the next, and a second best only below a marked best."""
    shown = {step for step, p in holm(p_values).items() if p <= SIGNIFICANCE}
    significant: set[_Place] = set()
    ended: set[tuple[int, str]] = set()
    for place in dict.fromkeys(step.marked for step in steps):  # the best of a column before its second best
        column = (place.section, place.column)
        if column not in ended and all(step in shown for step in steps if step.marked == place):
            significant.add(place)
        else:
            ended.add(column)
    return significant


def _significance_note(table: Table, steps: Sequence[_Step], p_values: Mapping[_Step, float]) -> str:
    note = (
        f"A value is marked only if it is significantly better than the next of its column within a data set, and a "
        f"second best only below a marked best (paired sign-flip tests over the same images, "
        f"{number_of(len(p_values), 'comparison')} corrected together by Holm's method, level {SIGNIFICANCE:g})."
    )
    untested = {step.marked.column for step in steps} - {step.marked.column for step in p_values}
    labels = [column.label for column in table.columns if column.name in untested]
    if labels:
        note += f" {', '.join(labels)}: not tested and so not marked, for lack of values of two images or more."
    return note


def _with_marks(table: Table, marks: Mapping[_Place, Mark], note: str) -> Table:
    """Return a table with marks, and with a note that says what they mean."""
    sections = []
    for index, section in enumerate(table.sections):
        rows = []
        for number, row in enumerate(section.rows):
            cells = {
                name: replace(cell, mark=marks.get(_Place(index, name, number), "")) for name, cell in row.cells.items()
            }
            rows.append(replace(row, cells=cells))
        sections.append(replace(section, rows=tuple(rows)))
    return replace(table, sections=tuple(sections), notes=(*table.notes, note))
