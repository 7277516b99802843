"""The results that a figure compares."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ccsr_bench.errors import BenchError, some
from ccsr_bench.ledger.results import Results, Scores, common_definitions, open_results
from ccsr_bench.metrics.catalogue import METRICS, find_metric


@contextlib.contextmanager
def open_comparison(
    out: Path, *, dataset: str | None = None, methods: Sequence[str] = (), runs: int | None = None
) -> Iterator[list[Results]]:
    """Open the results of methods on one data set.

    Args:
        out: The output folder.
        dataset: Name of the data set; None where the folder has results on a single one.
        methods: Names of the methods to show, in this order; all methods, sorted by name, when empty.
        runs: N for methods with several runs; for each method the most runs that all its images have when None.

    Raises:
        BenchError: There are no such results, the folder has several data sets and none is chosen, or two methods
            define a metric differently.
    """
    with open_results(out, methods=methods, datasets=[dataset] if dataset else [], runs=runs) as opened:
        names = sorted({results.identity.dataset for results in opened})
        if len(names) > 1:
            raise BenchError(f"{out}: results on {len(names)} data sets ({some(names)}); choose one with `dataset`")
        missing = set(methods) - {method.label for method in opened}
        if missing:
            raise BenchError(f"{out}: no results of {', '.join(sorted(missing))} on {dataset}")
        common_definitions(opened)
        order = {method: place for place, method in enumerate(methods)}
        yield sorted(opened, key=lambda results: order.get(results.label, 0))


def require_scores(results: Results, metric: str) -> Scores:
    """Return a method's scores of a metric, which every figure of that metric requires.

    Raises:
        BenchError: The metric is unknown, scores sets of images, or no image has it for all N runs.
    """
    if find_metric(metric).kind == "distribution":
        raise BenchError(f"{metric} scores sets of images; a figure shows metrics that score images, such as lpips")
    scores = results.scores(metric)
    if scores is None:
        identity = results.identity
        others = [name for name in results.definitions if name in METRICS and METRICS[name].kind != "distribution"]
        raise BenchError(
            f"{results.label} on {identity.dataset}: no image has {metric} for all its runs; "
            f"`ccsr-bench run --metrics {metric}` adds it, or choose another of: {', '.join(others)}"
        )
    return scores


def require_several_runs(results: Sequence[Results]) -> list[Results]:
    """Return the methods with several runs; raise a `BenchError` where there is none."""
    several = [method for method in results if method.runs > 1]
    if not several:
        raise BenchError("no method here has several runs, so there is no spread; `ccsr-bench run --runs 10` adds runs")
    return several
