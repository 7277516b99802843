"""The tables that a user asks for: laid out, sorted and marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ccsr_bench.ledger.results import Results, Scores, open_results
from ccsr_bench.metrics.quantities import find_quantities
from ccsr_bench.tables.collect import image_means, interval_note
from ccsr_bench.tables.free import free_tables
from ccsr_bench.tables.marks import mark_best, mark_significant
from ccsr_bench.tables.paper import paper_table
from ccsr_bench.tables.paper_layouts import layout_table
from ccsr_bench.tables.request import FREE, LAYOUTS, Request
from ccsr_bench.tables.rows import Row, Table, covered_images
from ccsr_bench.tables.with_paper import find_paper_rows


def build(request: Request) -> list[Table]:
    """Return the requested tables: one for each data set, or one in a layout of the paper.

    Raises:
        BenchError: There are no such results, a name does not exist, or two choices conflict.
    """
    request.check()
    if request.paper == "only":
        return _finish([paper_table(LAYOUTS[request.layout], request.metrics)], request)
    with open_results(request.out, methods=request.methods, datasets=request.datasets, runs=request.runs) as results:
        request = replace(request, paper_rows=find_paper_rows(request, {one.label for one in results}))
        tables = free_tables(results, request) if request.layout == FREE else [layout_table(results, request)]
        return _finish(tables, request, results)


def _finish(tables: Sequence[Table], request: Request, results: Sequence[Results] = ()) -> list[Table]:
    """Return tables with their intervals shown, sorted and marked."""
    tables = [replace(table, notes=(*table.notes, *_pairing_notes(table, request.paper_rows))) for table in tables]
    if request.sort:  # some table must have the column
        find_quantities([request.sort], [column for table in tables for column in table.columns])
    if request.intervals:
        tables = [_show_intervals(table) for table in tables]
    tables = [_sort(table, request.sort) for table in tables]
    if request.marking == "best":
        return [mark_best(table) for table in tables]
    if request.marking == "significant":
        recorded = {(one.identity.dataset, one.label): one for one in results}

        def image_scores(dataset: str, method: str, column: str) -> Scores | None:
            return image_means(recorded[dataset, method], column)

        return [mark_significant(table, image_scores) for table in tables]
    return list(tables)


def _pairing_notes(table: Table, paper_rows: Mapping[str, str]) -> Iterator[str]:
    """Yield which rows stand for a row of the paper because the user asked for it, and not by their method."""
    shown = {row.method for section in table.sections for row in section.rows if row.source == "ours"}
    for method, row in paper_rows.items():
        if method in shown:
            yield f"{method}: paired with the paper's row {row} because the user asked for it."


def _show_intervals(table: Table) -> Table:
    """Return a table whose cells show their intervals, if any of them has one."""
    cells = [cell for section in table.sections for row in section.rows for cell in row.cells.values()]
    if not any(cell.value_interval for cell in cells):
        return table
    return replace(table, intervals=True, notes=(*table.notes, interval_note(table.sections)))


def _sort(table: Table, name: str) -> Table:
    """Return a table with the rows of each section sorted by a column, if it has it.

    The best value comes first. Values that lack images of their row, or of another row, come after all others; empty
    cells come last.
    """
    column = next((column for column in table.columns if column.name == name), None)
    if column is None:
        return table
    sign = -1 if column.higher_is_better else 1

    def sort(rows: Sequence[Row]) -> tuple[Row, ...]:
        images = covered_images(rows, column.name)

        def key(row: Row) -> tuple[bool, bool, float]:
            cell = row.cells.get(column.name)
            return (True, True, 0.0) if cell is None else (False, not cell.covers_all(images), sign * cell.value)

        return tuple(sorted(rows, key=key))

    return replace(table, sections=tuple(replace(section, rows=sort(section.rows)) for section in table.sections))
