"""What methods cost, from ledgers: the columns of the paper's Table VII."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import Results
from ccsr_bench.methods.in_process import parameter_counts
from ccsr_bench.methods.registry import MethodSpec, find_methods
from ccsr_bench.tables.rows import Cell, Column, Row, Section

SECONDS_DEFINITION = (
    "Seconds/image: median over all outputs that were generated here of the wall time of the call that made an output, "
    "divided by the runs that the call made; loading left out, the first call not. The paper times one run of a "
    "128x128 image on an A100 80G, as `ccsr-bench profile` does"
)


def cost_section(found: Sequence[Results], columns: Sequence[Column]) -> Section:
    """Return the costs of the ledgers of one data set, a row for each that has one.

    Args:
        found: The ledgers, open.
        columns: Which, and in which order.
    """
    methods = find_methods()
    rows, machines = [], []
    for one in found:
        cells = {column.name: cell for column in columns if (cell := _cell(one, column, methods)) is not None}
        if cells:
            identity = one.identity
            rows.append(Row(identity.method, one.description.title, cells, runs=one.runs, images=len(one.images)))
            if "seconds" in cells:
                machines.append(f"{identity.method}: on {'; '.join(one.machines())}.")
    present = tuple(column for column in columns if any(column.name in row.cells for row in rows))
    notes = (
        f"{SECONDS_DEFINITION}.",
        "Steps: network calls for one output, guidance counted once. Parameters: of the published networks, text "
        "encoder included; - where a method's code does not count them.",
        *machines,
    )
    description = found[0].description
    return Section(found[0].identity.dataset, present, tuple(rows), notes, description.paper_dataset)


def _cell(results: Results, column: Column, methods: Mapping[str, MethodSpec]) -> Cell | None:
    if column.name == "seconds":
        return _seconds(results)
    spec = methods.get(results.identity.method)
    if spec is None:
        return None
    count = spec.variant.steps if column.name == "steps" else sum(_parameters(spec).values()) / 1e9
    return Cell(count) if count else None


def _seconds(results: Results) -> Cell | None:
    seconds = results.seconds()
    return None if seconds is None else Cell(float(np.median(seconds.values)), covers=seconds.images)


def _parameters(spec: MethodSpec) -> dict[str, int]:
    try:
        return parameter_counts(spec)
    except BenchError:  # its libraries are not installed here: the numbers may have come from another machine
        return {}
