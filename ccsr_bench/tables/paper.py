"""Rows from the CCSR paper's tables, as printed (`results/paper`)."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from ccsr_bench.places import shipped
from ccsr_bench.tables.rows import COLUMNS, Cell, Row

COMPARISONS = ("IV", "V", "VI")
"""The tables that compare methods; I-III are about CCSR's own settings."""


def paper_rows(dataset: str, labels: Sequence[str]) -> list[Row]:
    """Return the methods that the paper's Tables IV-VI compare on a data set.

    A method that several tables print alike is one row; one that they print differently is a row for each.

    Args:
        dataset: As the paper calls it.
        labels: The metrics to give, as the paper calls them.
    """
    names = {column.label: column.name for column in COLUMNS}
    cells: dict[tuple[str, str], dict[str, Cell]] = {}
    with (shipped("results/paper") / "tables.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["dataset"] == dataset and line["table"] in COMPARISONS:
                row = cells.setdefault((line["method"], line["table"]), {})
                if line["metric"] in labels and line["value"]:
                    spread = float(line["g_std"]) if line["g_std"] else None
                    row[names[line["metric"]]] = Cell(float(line["value"]), spread)
    rows: list[Row] = []
    for method in dict.fromkeys(method for method, _ in cells):
        tables: list[tuple[list[str], dict[str, Cell]]] = []
        for (name, table), row in cells.items():
            if name != method:
                continue
            same = next((held for held, printed in tables if printed == row), None)
            if same is None:
                tables.append(([table], row))
            else:
                same.append(table)
        rows += [Row(method, f"{method} (paper, {', '.join(held)})", row, source="paper") for held, row in tables]
    return rows
