"""Sections of tables from a folder of results, and tables back from text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from ccsr_bench.ledger.results import open_results
from ccsr_bench.metrics.quantities import COSTS, SCORES, Quantity
from ccsr_bench.tables.collect import by_dataset, section_of
from ccsr_bench.tables.rows import Section

Cells = dict[tuple[str, str, str], str]
"""(data set, row, column's label) -> text, without marks."""

LABELS = {column.name: column.label for column in (*SCORES, *COSTS)}


def collect(
    out: Path,
    *,
    methods: Sequence[str] = (),
    datasets: Sequence[str] = (),
    runs: int | None = None,
    columns: Sequence[Quantity] = SCORES,
    set_intervals: bool = False,
) -> list[Section]:
    """Return one section for each data set of a folder of results."""
    with open_results(out, methods=methods, datasets=datasets, runs=runs) as results:
        return [section_of(group, columns, set_intervals=set_intervals) for group in by_dataset(results).values()]


def from_markdown(text: str) -> Cells:
    """Read a table of several data sets, or of one without a name."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    heads, rows = lines[0], lines[2:]
    if heads[0] != "Data set":
        heads, rows = ["Data set", *heads], [["", *row] for row in rows]
    labels = [head[:-2] for head in heads[2:]]
    return {
        (row[0], row[1], label): cell.replace("*", "")
        for row in rows
        for label, cell in zip(labels, row[2:], strict=True)
    }


def from_latex(text: str) -> Cells:
    """Read a table of several data sets, or of one without a name."""
    body = text.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
    lines = [line.removesuffix(r" \\") for line in body.splitlines() if line.endswith(r" \\")]
    labels = [head.partition(" $")[0].replace(r"\textasciicircum{}", "^") for head in lines[0].split(" & ")[1:]]
    cells: Cells = {}
    dataset = ""
    for line in lines[1:]:
        if found := re.match(r"\\multicolumn\{\d+\}\{l\}\{\\textit\{(.*)\}\}", line):
            dataset = found[1]
            continue
        title, *texts = re.sub(r"\\textcolor\{\w+\}\{([^}]*)\}", r"\1", line).split(" & ")
        cells |= {(dataset, title, label): cell for label, cell in zip(labels, texts, strict=True)}
    return cells


def from_html(text: str) -> Cells:
    """Read a table of several data sets, or of one without a name."""
    table = ElementTree.fromstring(text[text.index("<table>") : text.index("</table>") + len("</table>")])
    labels = ["".join(head.itertext())[:-2] for head in table.findall("./thead/tr/th")][1:]
    cells: Cells = {}
    for body in table.findall("tbody"):
        dataset = ""
        for row in body.findall("tr"):
            title, *texts = ["".join(cell.itertext()) for cell in row]
            if texts:
                cells |= {(dataset, title, label): cell for label, cell in zip(labels, texts, strict=True)}
            else:
                dataset = title
    return cells


def from_csv(text: str) -> Cells:
    """Read records."""
    rows = csv.DictReader(io.StringIO(text))
    return {(row["dataset"], row["title"], LABELS[row["metric"]]): row["cell"] for row in rows}
