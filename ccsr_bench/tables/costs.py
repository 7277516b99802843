"""What methods cost, from ledgers: the columns of the paper's Table VII."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ccsr_bench.ledger.results import Results
from ccsr_bench.metrics.quantities import Quantity
from ccsr_bench.tables.collect import row_of
from ccsr_bench.tables.rows import Cell, Section

SECONDS_DEFINITION = (
    "Seconds/image: median over all outputs that were generated here of the wall time of the call that made an output, "
    "divided by the runs that the call made; loading left out, the first call not. The paper times one run of a "
    "128x128 image on an A100 80G, as `ccsr-bench profile` does"
)


def cost_section(found: Sequence[Results], columns: Sequence[Quantity]) -> Section:
    """Return the costs of the ledgers of one data set, a row for each that has one.

    Args:
        found: The ledgers, open.
        columns: Which, and in which order.
    """
    rows, machines = [], []
    for one in found:
        cells = {column.name: cell for column in columns if (cell := _cell(one, column)) is not None}
        if cells:
            rows.append(row_of(one, cells))
            if "seconds" in cells:
                machines.append(f"{one.label}: on {'; '.join(one.machines())}.")
    present = tuple(column for column in columns if any(column.name in row.cells for row in rows))
    notes = (
        f"{SECONDS_DEFINITION}.",
        "Steps: network calls for one output, guidance counted once. Parameters: those of the networks, text encoder "
        "included, counted when the outputs were generated; - where the method's code does not count them or version "
        "0.1.0 made the ledger.",
        *machines,
    )
    description = found[0].description
    return Section(found[0].identity.dataset, present, tuple(rows), notes, description.paper_dataset)


def _cell(results: Results, column: Quantity) -> Cell | None:
    if column.name == "seconds":
        seconds = results.seconds()
        return None if seconds is None else Cell(float(np.median(seconds.values)), covers=seconds.images)
    recorded = results.description
    count = recorded.steps if column.name == "steps" else sum(recorded.parameters.values()) / 1e9
    return Cell(count) if count else None
