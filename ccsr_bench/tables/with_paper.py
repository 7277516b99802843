"""The paper's numbers with ours: in rows of their own, or in every cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.paper.names import variants_of
from ccsr_bench.paper.printed import COMPARISONS, COST_TABLE
from ccsr_bench.tables.paper import paper_rows, paper_sections
from ccsr_bench.tables.request import Paper
from ccsr_bench.tables.rows import Row, Section


def add_paper(
    sections: Sequence[Section], paper: Paper, methods: Mapping[str, MethodSpec], number: str | None = None
) -> list[Section]:
    """Return sections of our numbers with the paper's numbers added.

    Args:
        sections: Sections of our numbers.
        paper: Where the paper's numbers are shown: ``rows`` below ours, or ``beside`` ours; nowhere otherwise.
        methods: All methods by name.
        number: Number of the paper's table whose numbers are shown; those of several tables when None.
    """
    if paper == "rows":
        return [_add_rows(section, number) for section in sections]
    if paper == "beside":
        return [_add_beside(section, methods, number) for section in sections]
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


def _add_beside(section: Section, methods: Mapping[str, MethodSpec], number: str | None) -> Section:
    """Return a section whose cells have the paper's numbers beside ours.

    Args:
        section: Section of our numbers.
        methods: All methods by name.
        number: Number of the paper's table that the numbers are from. When None, it is for each method the first table
            that prints it; tables that compare methods come before those that compare settings of CCSR.
    """
    numbers = [number] if number is not None else [*COMPARISONS, "I", "II", "III"]
    printed: dict[str, tuple[str, Row]] = {}
    for table in numbers:
        for row in _rows_on(section.paper_dataset, table):
            for method in variants_of(row.method, methods):
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
