r"""Tables as LaTeX, with booktabs, best in red and second best in blue as in the paper."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from ccsr_bench.tables.render.cells import cell_text, has_marks, header_texts, leading_texts
from ccsr_bench.tables.rows import Mark, Row, Table

LEGEND = r"\textcolor{red}{Red}: best; \textcolor{blue}{blue}: second best."

_PACKAGES = (
    r"\usepackage{booktabs} % rules",
    r"\usepackage{graphicx} % scales wide tables down to the text's width",
    r"\usepackage{xcolor}   % best in red, second best in blue",
)


_ARROWS = {True: r"$\uparrow$", False: r"$\downarrow$"}


def document(tables: Sequence[Table]) -> str:
    """Return a document of the tables that compiles as it is."""
    head = [
        r"\documentclass{article}",
        r"\usepackage[landscape,margin=15mm]{geometry}",
        *_PACKAGES,
        r"\begin{document}",
    ]
    return "\n".join([*head, *map(_table, tables), r"\end{document}"]) + "\n"


def fragment(tables: Sequence[Table]) -> str:
    """Return the tables alone, to be read by a paper's ``input``."""
    comment = ["% Needs in the preamble:", *(f"%   {package}" for package in _PACKAGES)]
    return "\n".join([*comment, *map(_table, tables)]) + "\n"


def _table(table: Table) -> str:
    labels = [f"{escaped(column.label)} {_ARROWS[column.higher_is_better]}" for column in table.columns]
    heads = [*map(escaped, header_texts(table)), *labels]
    notes = r" \par ".join([*([LEGEND] if has_marks(table) else []), *map(escaped, table.notes)])
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{escaped(table.title)}.}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
            r"\toprule",
            rf"{' & '.join(heads)} \\",
            *_body(table, len(heads)),
            r"\bottomrule",
            r"\end{tabular}}",
            rf"\par\medskip\parbox{{\linewidth}}{{\scriptsize\raggedright {notes}}}",
            r"\end{table}",
        ]
    )


def _body(table: Table, columns: int) -> list[str]:
    lines = []
    for section in table.sections:
        lines.append(r"\midrule")
        if section.dataset and not (table.counts and len(table.sections) == 1):
            lines += [rf"\multicolumn{{{columns}}}{{l}}{{\textit{{{escaped(section.dataset)}}}}} \\", r"\midrule"]
        lines += [_line(table, row) for row in section.rows]
    return lines


def _line(table: Table, row: Row) -> str:
    cells = [
        cell_text(row.cells.get(column.name), column, intervals=table.intervals, marker=_mark)
        for column in table.columns
    ]
    texts = [*map(escaped, leading_texts(table, row)), *cells]
    # LaTeX takes a [ or * at the beginning of a line for an option of the line break before.
    start = "{}" if texts[0].startswith(("[", "*")) else ""
    return rf"{start}{' & '.join(texts)} \\"


def _mark(mark: Mark, text: str) -> str:
    return rf"\textcolor{{{'red' if mark == 'best' else 'blue'}}}{{{text}}}"


_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "`": "", '"': "''", "’": "'", "–": r"\textendash{}", "×": r"$\times$", "±": r"$\pm$",
    "²": r"$^2$",
}  # fmt: skip


def escaped(text: str) -> str:
    """Return text that LaTeX prints as it is; a character that its fonts lack becomes its number."""
    plain = "".join(_SPECIAL[c] if c in _SPECIAL else _letter(c) for c in " ".join(text.split()))
    return re.sub(r"-(?=-)", "-{}", plain)  # two hyphens would become a dash


def _letter(character: str) -> str:
    # LaTeX's fonts of old, which every installation has, have these letters as a basic one and an accent.
    accented = character < "\u0100" and unicodedata.normalize("NFD", character)[0].isascii()
    return character if accented and character.isprintable() else rf"\texttt{{U+{ord(character):04X}}}"
