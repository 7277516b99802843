"""Tables as one HTML page that loads nothing; a table can be copied out of it together with the style."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ccsr_bench.metrics.quantities import Quantity
from ccsr_bench.tables.render.cells import arrow, cell_text, has_marks, header_texts, leading_texts
from ccsr_bench.tables.rows import Mark, Row, Section, Table

LEGEND = "<b class='best'>Red and bold</b>: best; <u class='second'>blue and underlined</u>: second best."

_STYLE = """\
.ccsr-bench { --text: #1b1b1b; --page: #fff; --rule: #767676; --stripe: #f3f3f3; --best: #b00020; --second: #0b57d0;
  background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 0 0 3rem; }
@media (prefers-color-scheme: dark) {
  .ccsr-bench { --text: #e8e8e8; --page: #121212; --rule: #8c8c8c; --stripe: #262626; --best: #ff8a80;
    --second: #8ab4f8; }
}
.ccsr-bench .wide { overflow-x: auto; }
.ccsr-bench table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.ccsr-bench caption { caption-side: top; font-weight: 600; padding: .4rem 0; text-align: left; }
.ccsr-bench th, .ccsr-bench td { padding: .25rem .7rem; text-align: right; white-space: nowrap; }
.ccsr-bench th:first-child { text-align: left; }
.ccsr-bench tbody th { font-weight: 400; }
.ccsr-bench tbody th[scope=rowgroup] { font-style: italic; padding-top: .7rem; text-align: left; }
.ccsr-bench tbody tr:nth-child(even) { background: var(--stripe); }
.ccsr-bench thead th { border-bottom: 1px solid var(--rule); border-top: 2px solid var(--rule); }
.ccsr-bench tbody:last-child tr:last-child > * { border-bottom: 2px solid var(--rule); }
.ccsr-bench .best { color: var(--best); }
.ccsr-bench .second { color: var(--second); }
.ccsr-bench ul { font-size: 13px; max-width: 75rem; overflow-wrap: anywhere; }"""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
{tables}
</body>
</html>
"""


def html(tables: Sequence[Table]) -> str:
    """Return a page with every table and its notes below it."""
    title = tables[0].title if len(tables) == 1 else "Tables"
    return _PAGE.format(title=escape(title), style=_STYLE, tables="\n".join(map(_table, tables)))


def embedded(tables: Sequence[Table]) -> str:
    """Return the tables of `html` as a part of another page, such as a notebook."""
    return "\n".join([f"<style>{_STYLE}</style>", *map(_table, tables)])


def _table(table: Table) -> str:
    heads = [
        *(f'<th scope="col">{escape(text)}</th>' for text in header_texts(table)),
        *(f'<th scope="col">{escape(column.label)} {_arrow(column)}</th>' for column in table.columns),
    ]
    notes = [*([LEGEND] if has_marks(table) else []), *map(escape, table.notes)]
    return "\n".join(
        [
            '<section class="ccsr-bench">',
            '<div class="wide" tabindex="0">',
            "<table>",
            f"<caption>{escape(table.title)}</caption>",
            f"<thead><tr>{''.join(heads)}</tr></thead>",
            *(_section(table, section, len(heads)) for section in table.sections),
            "</table>",
            "</div>",
            "<ul>",
            *(f"<li>{note}</li>" for note in notes),
            "</ul>",
            "</section>",
        ]
    )


def _section(table: Table, section: Section, columns: int) -> str:
    lines = ["<tbody>"]
    if section.dataset and not (table.counts and len(table.sections) == 1):
        lines.append(f'<tr><th scope="rowgroup" colspan="{columns}">{escape(section.dataset)}</th></tr>')
    return "\n".join([*lines, *(_row(table, row) for row in section.rows), "</tbody>"])


def _row(table: Table, row: Row) -> str:
    title, *counts = leading_texts(table, row)
    cells = [
        cell_text(row.cells.get(column.name), column, intervals=table.intervals, marker=_mark)
        for column in table.columns
    ]
    return f'<tr><th scope="row">{escape(title)}</th>{"".join(f"<td>{text}</td>" for text in [*counts, *cells])}</tr>'


def _arrow(column: Quantity) -> str:
    words = "higher is better" if column.higher_is_better else "lower is better"
    return f'<span role="img" aria-label="{words}" title="{words}">{arrow(column)}</span>'


def _mark(mark: Mark, text: str) -> str:
    return f'<b class="best">{text}</b>' if mark == "best" else f'<u class="second">{text}</u>'
