"""Which results a figure compares."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ccsr_bench.errors import BenchError, some
from ccsr_bench.ledger.results import Results, common_definitions, open_results


@contextlib.contextmanager
def open_comparison(
    out: Path, *, dataset: str | None = None, methods: Sequence[str] = (), runs: int | None = None
) -> Iterator[list[Results]]:
    """Open the results of methods on one data set.

    Args:
        out: The output folder.
        dataset: Which; may be None where there is only one.
        methods: Only these, in this order; all in name order when empty.
        runs: As `open_results` takes it.

    Raises:
        BenchError: There are no such results, the data set is not clear, or two methods define a metric differently.
    """
    with open_results(out, methods=methods, datasets=[dataset] if dataset else [], runs=runs) as found:
        names = sorted({results.identity.dataset for results in found})
        if len(names) > 1:
            raise BenchError(f"{out}: results on {len(names)} data sets ({some(names)}); choose one with --dataset")
        missing = set(methods) - {results.identity.method for results in found}
        if missing:
            raise BenchError(f"{out}: no results of {', '.join(sorted(missing))} on {dataset}")
        common_definitions(found)
        order = {method: place for place, method in enumerate(methods)}
        yield sorted(found, key=lambda results: order.get(results.identity.method, 0))
