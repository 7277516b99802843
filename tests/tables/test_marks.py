from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from ccsr_bench.ledger.results import Scores
from ccsr_bench.metrics.quantities import L_STD, SCORES, Quantity
from ccsr_bench.tables.marks import ImageScores, mark_best, mark_significant
from ccsr_bench.tables.rows import Cell, Row, Section, Table

PSNR = SCORES[0]
LPIPS = next(column for column in SCORES if column.name == "lpips")
FID = next(column for column in SCORES if column.name == "fid")


def marks(rows: Sequence[Row], column: Quantity = PSNR) -> list[str]:
    """Return the marks of a column, row by row."""
    return marks_of(mark_best(Table("t", (Section("d", (column,), tuple(rows)),))), column)


def significant_marks(values: Mapping[str, np.ndarray], rows: Sequence[Row] = ()) -> list[str]:
    """Return the marks of significant differences, row by row."""
    section = Section("d", (PSNR,), tuple(rows or measured(values)))
    return marks_of(mark_significant(Table("t", (section,)), image_scores(values)), PSNR)


def marks_of(table: Table, column: Quantity) -> list[str]:
    return [row.cells[column.name].mark if column.name in row.cells else "none" for row in table.sections[0].rows]


def image_scores(values: Mapping[str, np.ndarray]) -> ImageScores:
    """Return values by the name of a row, the same for every data set."""

    def find(_dataset: str, method: str, _column: str) -> Scores | None:
        return Scores(images_of(values), values[method]) if method in values else None

    return find


def images_of(values: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    return tuple(map(str, range(len(next(iter(values.values()))))))


def rows_of(values: Sequence[float | None], column: Quantity = PSNR) -> list[Row]:
    return [Row(str(i), str(i), {} if v is None else {column.name: Cell(v)}) for i, v in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 1.0, 2.0], ["best", "", "second"]),
        ([3.0, None, 2.0], ["best", "none", "second"]),
        ([3.001, 3.004, 2.0, 1.0], ["best", "best", "second", ""]),  # 3.00 and 3.00
        ([3.0, 2.0, 2.0, 1.0], ["best", "second", "second", ""]),
        ([3.0, 3.0], ["", ""]),  # nothing to be better than
        ([3.0], [""]),
    ],
)
def test_best_and_second_best_by_the_printed_value(values: Sequence[float | None], expected: list[str]) -> None:
    assert marks(rows_of(values)) == expected


def test_lower_may_be_better() -> None:
    assert marks(rows_of([0.3, 0.1, 0.2], LPIPS), LPIPS) == ["", "best", "second"]


def test_data_sets_are_marked_by_themselves() -> None:
    sections = tuple(Section(name, (PSNR,), tuple(rows_of(values))) for name, values in (("a", [1, 2]), ("b", [9, 8])))
    table = mark_best(Table("t", sections))
    assert [[row.cells["psnr"].mark for row in section.rows] for section in table.sections] == [
        ["second", "best"],
        ["best", "second"],
    ]


def test_the_papers_rows_and_rows_of_fewer_images_do_not_compete() -> None:
    rows = [
        Row("a", "a", {"psnr": Cell(1.0, covers=tuple("abcdefghij"))}),
        Row("b", "b", {"psnr": Cell(2.0, covers=tuple("abcdefghij"))}),
        Row("c", "c", {"psnr": Cell(3.0, covers=tuple("abcdefghi"))}),
        Row("d", "d", {"psnr": Cell(4.0)}, source="paper"),
    ]
    assert marks(rows) == ["second", "best", "", ""]
    assert marks([rows[3], Row("e", "e", {"psnr": Cell(5.0)}, source="paper")]) == ["second", "best"]


def measured(values: Mapping[str, np.ndarray]) -> list[Row]:
    return [Row(name, name, {"psnr": Cell(float(v.mean()), covers=images_of(values))}) for name, v in values.items()]


NOISE = np.random.default_rng(0).normal(0, 1, (3, 40))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((2, 1, 0), ["best", "second", ""]),  # every image in the same order
        ((1.05, 1, 0), ["", "", ""]),  # best not shown to be, so no second best either
        ((2, 0.05, 0), ["best", "", ""]),
    ],
)
def test_only_significant_differences_are_marked(steps: tuple[float, ...], expected: list[str]) -> None:
    values = {
        str(i): 20 + step + 0.5 * noise - 0.5 * noise.mean()
        for i, (step, noise) in enumerate(zip(steps, NOISE, strict=True))
    }
    assert significant_marks(values) == expected
    assert marks(measured(values)) == ["best", "second", ""]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((22, 22, 20), ["", "", ""]),  # none of two is better than the next
        ((24, 22, 22), ["best", "", ""]),
        ((24, 24, 24), ["", "", ""]),
    ],
)
def test_of_a_tie_none_is_significantly_better(levels: tuple[float, ...], expected: list[str]) -> None:
    centred = NOISE - NOISE.mean(axis=1, keepdims=True)
    values = {str(index): level + 0.1 * noise for index, (level, noise) in enumerate(zip(levels, centred, strict=True))}
    assert significant_marks(values) == expected


def test_one_image_shows_nothing() -> None:
    values = {"a": np.array([21.0]), "b": np.array([20.0])}
    assert significant_marks(values) == ["", ""]
    assert marks(measured(values)) == ["best", "second"]


def test_many_comparisons_are_corrected_together() -> None:
    """A p of 0.03 alone is marked; as one of thirty it is not."""
    better = np.array([1.0] * 6)
    values = {"a": 20 + better, "b": 20 * better}  # six images: p = 2 / 2^6
    assert significant_marks(values) == ["best", ""]
    sections = tuple(Section(str(i), (PSNR,), tuple(measured(values))) for i in range(30))
    table = mark_significant(Table("t", sections), image_scores(values))
    assert {row.cells["psnr"].mark for section in table.sections for row in section.rows} == {""}
    assert "30 comparisons corrected together by Holm's method" in table.notes[-1]


def test_rows_of_other_images_do_not_compete() -> None:
    values = {"a": np.full(8, 21.0), "b": np.full(8, 20.0)}
    first, second = measured(values)
    assert marks([first, second]) == ["best", "second"]
    other = tuple(map(str, range(4, 12)))
    second = Row("b", "b", {"psnr": Cell(20.0, covers=other)})
    assert marks([first, second]) == significant_marks(values, [first, second]) == ["", ""]


def test_l_stds_of_fewer_runs_and_noise_floors_do_not_compete() -> None:
    images = tuple("abc")
    rows = [
        Row("a", "a", {"l-std": Cell(0.03, covers=images)}, runs=10),
        Row("b", "b", {"l-std": Cell(0.02, covers=images)}, runs=2),
        Row("a.same-seed", "a (same seed)", {"l-std": Cell(0.0, covers=images)}, runs=10, same_seed=True),
        Row("c", "c", {"l-std": Cell(0.04, covers=images)}, runs=10),
    ]
    assert marks(rows, L_STD) == ["best", "", "", "second"]


def test_what_cannot_be_tested_is_not_marked() -> None:
    table = Table("t", (Section("d", (FID,), tuple(rows_of([3.0, 9.0], FID))),))
    tested = mark_significant(table, image_scores({}))
    assert marks_of(tested, FID) == ["", ""]
    assert "FID: no values of two images or more to test, so never marked." in tested.notes[-1]
    assert marks_of(mark_best(table), FID) == ["best", "second"]
