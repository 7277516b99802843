"""Tables as flat records with full precision: CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from ccsr_bench.metrics.quantities import Quantity
from ccsr_bench.tables.render.cells import cell_text
from ccsr_bench.tables.rows import Cell, Row, Section, Table


def records(tables: Sequence[Table]) -> list[dict[str, object]]:
    """Return one flat record per number, with full precision and 95 % bootstrap intervals over images."""
    return [
        _record(table, section, row, column, row.cells[column.name])
        for table in tables
        for section in table.sections
        for row in section.rows
        for column in table.columns
        if column.name in row.cells
    ]


def _record(table: Table, section: Section, row: Row, column: Quantity, cell: Cell) -> dict[str, object]:
    value, spread, paper = cell.value_interval, cell.g_std_interval, cell.paper
    return {
        "dataset": section.dataset,
        "method": row.method,
        "source": row.source,
        "title": row.title,
        "runs": row.runs,
        "images": cell.images,
        "metric": column.name,
        "cell": cell_text(cell, column, intervals=table.intervals),
        "mark": "partial" if cell.missing else cell.mark,
        "value": cell.value,
        "value_low": value.low if value else None,
        "value_high": value.high if value else None,
        "g_std": cell.g_std,
        "g_std_low": spread.low if spread else None,
        "g_std_high": spread.high if spread else None,
        "paper_value": paper.value if paper else None,
        "paper_g_std": paper.g_std if paper else None,
        "own_weights": " ".join(row.own_weights),
    }


def as_csv(tables: Sequence[Table]) -> str:
    """Return `records` as CSV; a field without a value is empty."""
    rows = records(tables)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]) if rows else ["dataset"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def as_json(tables: Sequence[Table]) -> str:
    """Return `records` and the notes of each table as JSON."""
    notes = {table.title: table.notes for table in tables}
    return json.dumps({"records": records(tables), "notes": notes}, indent=2) + "\n"
