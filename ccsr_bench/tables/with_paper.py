"""The paper's numbers with ours: in rows of their own, or in every cell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from ccsr_bench.errors import unknown_name
from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.paper.names import stand_ins
from ccsr_bench.paper.printed import COMPARISONS, COST_TABLE
from ccsr_bench.tables.paper import paper_methods, paper_rows, paper_sections
from ccsr_bench.tables.request import LAYOUTS, Paper, Request
from ccsr_bench.tables.rows import Row, Section

BESIDE = (*COMPARISONS, "I", "II", "III")
"""Tables of the paper with numbers beside ours: those that compare methods come before those of CCSR's settings."""


def find_paper_rows(request: Request, methods: Collection[str]) -> dict[str, str]:
    """Return the rows of the paper that the user pairs with methods: name of a method -> the printed name of a row.

    Args:
        request: The user's choice, in which names of rows may have other capitals than the printed ones.
        methods: Names of the methods with results.

    Raises:
        BenchError: A method has no results, or the paper's tables have no such row.
    """
    numbers = [LAYOUTS[request.layout]] if request.layout in LAYOUTS else BESIDE
    printed = {name.lower(): name for number in numbers for name in paper_methods(number)}
    for method, row in request.paper_rows.items():
        if method not in methods:
            raise unknown_name("method", method, methods, hint=f"in {request.out}")
        if row.lower() not in printed:
            tables = f"{'Table' if len(numbers) == 1 else 'Tables'} {', '.join(numbers)}"
            raise unknown_name("row of the paper", row, printed.values(), hint=f"in {tables} of the CCSR paper")
    return {method: printed[row.lower()] for method, row in request.paper_rows.items()}


def add_paper(
    sections: Sequence[Section],
    paper: Paper,
    methods: Mapping[str, MethodSpec],
    *,
    number: str | None = None,
    paired: Mapping[str, str],
) -> list[Section]:
    """Return sections of our numbers with the paper's numbers added.

    Args:
        sections: Sections of our numbers.
        paper: Where the paper's numbers are shown: ``rows`` below ours, or ``beside`` ours; nowhere otherwise.
        methods: All methods by name.
        number: Number of the paper's table whose numbers are shown; those of several tables when None.
        paired: Name of a method -> printed name of the row that the user pairs it with.
    """
    if paper == "rows":
        return [_add_rows(section, number) for section in sections]
    if paper == "beside":
        return [_add_beside(section, methods, number, paired) for section in sections]
    return list(sections)


def _add_rows(section: Section, number: str | None) -> Section:
    """Return a section with the paper's rows below ours.

    Args:
        section: Section of our numbers.
        number: Number of the paper's table that the rows are from; all tables that compare methods when None.
    """
    if number is not None:
        rows = [replace(row, title=f"{row.title} (paper)") for row in _rows_on(section.paper_dataset, number)]
        source = f"Table {number}"
    else:
        rows = paper_rows(section.paper_dataset, [column.label for column in section.columns])
        source = "Tables IV-VI"
    note = (
        f"Rows marked (paper) are printed in the CCSR paper's {source}, not computed here."
        if rows
        else f"The paper has no results on {section.dataset}."
    )
    return replace(section, rows=(*section.rows, *rows), notes=(*section.notes, note))


def _add_beside(
    section: Section, methods: Mapping[str, MethodSpec], number: str | None, paired: Mapping[str, str]
) -> Section:
    """Return a section whose cells have the paper's numbers beside ours.

    Args:
        section: Section of our numbers.
        methods: All methods by name.
        number: Number of the paper's table that the numbers are from. When None, it is for each method the first table
            that prints it, in the order of `BESIDE`.
        paired: Name of a method -> printed name of the row that the user pairs it with.
    """
    numbers = [number] if number is not None else BESIDE
    printed: dict[str, tuple[str, Row]] = {}
    for table in numbers:
        for row in _rows_on(section.paper_dataset, table):
            for method in stand_ins(row.method, methods, paired):
                printed.setdefault(method, (table, row))
    printed = {row.method: printed[row.method] for row in section.rows if row.method in printed}
    rows = []
    for row in section.rows:
        theirs = printed[row.method][1].cells if row.method in printed else {}
        cells = {name: replace(cell, paper=theirs.get(name)) for name, cell in row.cells.items()}
        rows.append(replace(row, cells=cells))
    return replace(section, rows=tuple(rows), notes=(*section.notes, *_beside_notes(section.dataset, printed)))


def _beside_notes(dataset: str, printed: Mapping[str, tuple[str, Row]]) -> Iterator[str]:
    """Yield the sources of the paper's numbers.

    Args:
        dataset: Name of the data set.
        printed: Name of a method -> number of the paper's table that prints it, and its row there.
    """
    if not printed:
        yield f"The paper has none of these methods on {dataset}."
        return
    yield "In parentheses: what the CCSR paper prints, and ours less the paper's."
    tables: dict[str, list[str]] = {}
    for method, (number, row) in printed.items():
        tables.setdefault(number, []).append(f"{method} ({row.method})")
    sources = [f"Table {number}: {', '.join(methods)}" for number, methods in tables.items()]
    yield f"The paper's numbers are from {'; '.join(sources)}."


def _rows_on(paper_dataset: str, number: str) -> tuple[Row, ...]:
    """Return the rows of a table of the paper on one data set; Table VII's, which has no data sets, on every one."""
    for section in paper_sections(number):
        if number == COST_TABLE or section.dataset == paper_dataset:
            return section.rows
    return ()
