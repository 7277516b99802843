"""The paper's numbers beside ours: as rows of their own, or in every cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ccsr_bench.methods.registry import MethodSpec, find_methods
from ccsr_bench.paper.names import variants_of
from ccsr_bench.paper.printed import COMPARISONS, COST_TABLE
from ccsr_bench.tables import paper
from ccsr_bench.tables.rows import Row, Section


def rows_below(section: Section, number: str | None) -> Section:
    """Return a section with the paper's rows below ours.

    Args:
        section: Of our numbers.
        number: The table of the paper that they come from; all that compare methods when None.
    """
    if number is not None:
        printed = [replace(row, title=f"{row.title} (paper)") for row in _section_rows(section, number)]
        which = f"Table {number}"
    else:
        labels = [column.label for column in section.columns]
        printed = paper.paper_rows(section.paper_dataset, labels)
        which = "Tables IV-VI"
    note = (
        f"Rows marked (paper) are printed in the CCSR paper's {which}, not computed here."
        if printed
        else f"The paper has no results on {section.dataset}."
    )
    return replace(section, rows=(*section.rows, *printed), notes=(*section.notes, note))


def beside(section: Section, number: str | None) -> Section:
    """Return a section whose cells have what the paper prints for them.

    Args:
        section: Of our numbers.
        number: The table of the paper that it comes from; for each method the first that has it when None, those that
            compare methods before those about CCSR's settings.
    """
    numbers = [number] if number is not None else [*COMPARISONS, "I", "II", "III"]
    methods = find_methods()
    found = {
        row.method: match
        for row in section.rows
        if (match := _printed(row.method, section, numbers, methods)) is not None
    }
    rows = []
    for row in section.rows:
        cells = dict(found[row.method][1].cells) if row.method in found else {}
        rows.append(
            replace(row, cells={name: replace(cell, paper=cells.get(name)) for name, cell in row.cells.items()})
        )
    return replace(section, rows=tuple(rows), notes=(*section.notes, *_beside_notes(section, found)))


def _beside_notes(section: Section, found: dict[str, tuple[str, Row]]) -> Iterator[str]:
    if not found:
        yield f"The paper has none of these methods on {section.dataset}."
        return
    yield "In parentheses: what the CCSR paper prints, and ours less the paper's."
    tables: dict[str, list[str]] = {}
    for method, (number, row) in found.items():
        tables.setdefault(number, []).append(f"{method} ({row.method})")
    listed = [f"Table {number}: {', '.join(methods)}" for number, methods in tables.items()]
    yield f"The paper's numbers are from {'; '.join(listed)}."


def _printed(
    method: str, section: Section, numbers: Sequence[str], methods: Mapping[str, MethodSpec]
) -> tuple[str, Row] | None:
    """Return the table and the row of the paper that is the same method on the same data set."""
    for number in numbers:
        for printed in _section_rows(section, number):
            if method in variants_of(printed.method, methods):
                return number, printed
    return None


def _section_rows(section: Section, number: str) -> tuple[Row, ...]:
    """Return the rows of a table about a data set; Table VII has no data sets."""
    for printed in paper.paper_sections(number):
        if number == COST_TABLE or printed.dataset == section.paper_dataset:
            return printed.rows
    return ()
