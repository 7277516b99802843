"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ccsr_bench.tables.render.cells import arrow, cell_text, has_marks, header_texts, leading_texts
from ccsr_bench.tables.rows import Mark, Row, Section, Table

LEGEND = "**Bold**: best; *italic*: second best."


def markdown(tables: Sequence[Table]) -> str:
    """Return a Markdown table for each table, with its notes below; the first column names the data set if several."""
    return "\n\n".join(_table(table) for table in tables) + "\n"


def _table(table: Table) -> str:
    grouped = len(table.sections) > 1
    heads = [*header_texts(table), *(f"{column.label} {arrow(column)}" for column in table.columns)]
    lines = [["Data set", *heads] if grouped else heads]
    for section in table.sections:
        for row in section.rows:
            texts = _texts(table, row)
            lines.append([section.dataset, *texts] if grouped else texts)
    notes = [*([LEGEND] if has_marks(table) else []), *table.notes]
    title = table.title if grouped or table.counts else f"{table.title}{_on(table.sections[0])}"
    return "\n".join([f"### {title}", "", *_aligned(lines, 2 if grouped else 1), "", *(f"- {note}" for note in notes)])


def _on(section: Section) -> str:
    return f" ({section.dataset})" if section.dataset else ""


def _texts(table: Table, row: Row) -> list[str]:
    cells = [
        cell_text(row.cells.get(column.name), column, intervals=table.intervals, marker=_mark)
        for column in table.columns
    ]
    return [*leading_texts(table, row), *cells]


def _mark(mark: Mark, text: str) -> str:
    return f"**{text}**" if mark == "best" else f"*{text}*"


def _aligned(lines: list[list[str]], texts: int) -> list[str]:
    """Return the lines of a table with aligned columns.

    Args:
        lines: Texts of the heading and of each row.
        texts: Number of columns with text, which come first and are aligned to the left; numbers go to the right.
    """
    lines = [[text.replace("|", "\\|") for text in line] for line in lines]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(lines[0]))]
    rule = [*("-" * width for width in widths[:texts]), *("-" * (width - 1) + ":" for width in widths[texts:])]
    padded = [
        [*map(str.ljust, line[:texts], widths[:texts]), *map(str.rjust, line[texts:], widths[texts:])]
        for line in [lines[0], rule, *lines[1:]]
    ]
    return [f"| {' | '.join(line)} |" for line in padded]
