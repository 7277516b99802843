"""Rendering rows as Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence

from ccsr_bench.tables.rows import G_STD_DECIMALS, L_STD, Cell, Column, Row, Section


def cell_text(cell: Cell | None, column: Column) -> str:
    """Return ``value/G-STD`` as the paper prints it, ``-`` where there is no spread or no value."""
    if cell is None:
        return "-"
    value = f"{cell.value:.{column.decimals}f}"
    if column is L_STD:
        return value
    return f"{value}/{'-' if cell.g_std is None else f'{cell.g_std:.{G_STD_DECIMALS}f}'}"


def _texts(section: Section, row: Row) -> list[str]:
    counts = ["-" if count is None else str(count) for count in (row.runs, row.images)]
    return [
        row.title,
        *counts,
        *(cell_text(row.cells.get(column.name), column) for column in section.columns),
    ]


def markdown(sections: Sequence[Section]) -> str:
    """Return a Markdown table for each data set, its notes below it."""
    parts = []
    for section in sections:
        arrows = [f"{column.label} {'↑' if column.higher_is_better else '↓'}" for column in section.columns]
        lines = [["Method", "N", "Images", *arrows], *(_texts(section, row) for row in section.rows)]
        lines = [[text.replace("|", "\\|") for text in line] for line in lines]
        widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(lines[0]))]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        rows = [
            f"| {' | '.join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])} |"
            for line in [lines[0], rule, *lines[1:]]
        ]
        parts.append("\n".join([f"### {section.dataset}", "", *rows, "", *(f"- {note}" for note in section.notes)]))
    return "\n\n".join(parts) + "\n"


_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "`": "",
}  # fmt: skip


_LATEX_ARROWS = {True: r" $\uparrow$", False: r" $\downarrow$"}


def _latex_text(text: str) -> str:
    return re.sub(r"[\\&%$#_{}~^<>`]", lambda match: _LATEX_SPECIAL[match[0]], text)


def latex(sections: Sequence[Section]) -> str:
    r"""Return a booktabs table for each data set; it needs ``\usepackage{booktabs}`` and nothing else."""
    parts = []
    for section in sections:
        labels = [_latex_text(column.label) + _LATEX_ARROWS[column.higher_is_better] for column in section.columns]
        header = " & ".join(["Method", "$N$", "Images", *labels])
        rows = [" & ".join(_latex_text(text) for text in _texts(section, row)) + r" \\" for row in section.rows]
        notes = r" \\ ".join(_latex_text(note) for note in section.notes)
        parts.append(
            "\n".join(
                [
                    r"\begin{table}",
                    r"\centering",
                    rf"\caption{{Results on {_latex_text(section.dataset)}.}}",
                    rf"\begin{{tabular}}{{l{'r' * (len(section.columns) + 2)}}}",
                    r"\toprule",
                    rf"{header} \\",
                    r"\midrule",
                    *rows,
                    r"\bottomrule",
                    r"\end{tabular}",
                    rf"\par\medskip\parbox{{\linewidth}}{{\footnotesize {notes}}}",
                    r"\end{table}",
                ]
            )
        )
    return "\n\n".join(parts) + "\n"


def records(sections: Sequence[Section]) -> list[dict[str, object]]:
    """Return one flat record per number, with full precision and 95 % bootstrap intervals over images."""
    found: list[dict[str, object]] = []
    for section in sections:
        for row in section.rows:
            for name, cell in row.cells.items():
                value, spread = cell.value_interval, cell.g_std_interval
                found.append(
                    {
                        "dataset": section.dataset,
                        "method": row.method,
                        "source": row.source,
                        "title": row.title,
                        "runs": row.runs,
                        "images": cell.images,
                        "metric": name,
                        "value": cell.value,
                        "value_low": value.low if value else None,
                        "value_high": value.high if value else None,
                        "g_std": cell.g_std,
                        "g_std_low": spread.low if spread else None,
                        "g_std_high": spread.high if spread else None,
                    }
                )
    return found


def comma_separated(sections: Sequence[Section]) -> str:
    """Return `records` as CSV, empty where there is no value."""
    rows = records(sections)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]) if rows else ["dataset"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def as_json(sections: Sequence[Section]) -> str:
    """Return `records` and the notes of each data set as JSON."""
    notes = {section.dataset: section.notes for section in sections}
    return json.dumps({"records": records(sections), "notes": notes}, indent=2) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Section]], str]] = {
    "md": markdown,
    "latex": latex,
    "csv": comma_separated,
}
