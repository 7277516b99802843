"""Tables as LaTeX with booktabs; the best is red and the second best blue, as in the paper."""

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
    """Return a complete document with the tables."""
    head = [
        r"\documentclass{article}",
        r"\usepackage[landscape,margin=15mm]{geometry}",
        *_PACKAGES,
        r"\begin{document}",
    ]
    return "\n".join([*head, *map(_table, tables), r"\end{document}"]) + "\n"


def fragment(tables: Sequence[Table]) -> str:
    r"""Return the tables without a document, for ``\input`` in a paper."""
    comment = ["% Needs in the preamble:", *(f"%   {package}" for package in _PACKAGES)]
    return "\n".join([*comment, *map(_table, tables)]) + "\n"


def _table(table: Table) -> str:
    labels = [f"{escape(column.label)} {_ARROWS[column.higher_is_better]}" for column in table.columns]
    heads = [*map(escape, header_texts(table)), *labels]
    notes = r" \par ".join([*([LEGEND] if has_marks(table) else []), *map(escape, table.notes)])
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering",
            rf"\caption{{{escape(table.title)}.}}",
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
            lines += [rf"\multicolumn{{{columns}}}{{l}}{{\textit{{{escape(section.dataset)}}}}} \\", r"\midrule"]
        lines += [_line(table, row) for row in section.rows]
    return lines


def _line(table: Table, row: Row) -> str:
    cells = [
        cell_text(row.cells.get(column.name), column, intervals=table.intervals, marker=_mark)
        for column in table.columns
    ]
    texts = [*map(escape, leading_texts(table, row)), *cells]
    # At the beginning of a row LaTeX would read [ or * as an option of the line break before it.
    start = "{}" if texts[0].startswith(("[", "*")) else ""
    return rf"{start}{' & '.join(texts)} \\"


def _mark(mark: Mark, text: str) -> str:
    return rf"\textcolor{{{'red' if mark == 'best' else 'blue'}}}{{{text}}}"


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "`": "",
    '"': "''",
    "’": "'",
    "–": r"\textendash{}",
    "×": r"$\times$",
    "±": r"$\pm$",
    "²": r"$^2$",
}


def escape(text: str) -> str:
    """Return LaTeX source that prints a text; a character that LaTeX's fonts lack is printed as its code point."""
    plain = "".join(_SPECIAL[c] if c in _SPECIAL else _letter(c) for c in " ".join(text.split()))
    return re.sub(r"-(?=-)", "-{}", plain)  # two hyphens would become a dash


def _letter(character: str) -> str:
    # The fonts of every LaTeX installation can put an accent on a basic letter: these are such letters.
    accented = character < "\u0100" and unicodedata.normalize("NFD", character)[0].isascii()
    return character if accented and character.isprintable() else rf"\texttt{{U+{ord(character):04X}}}"
