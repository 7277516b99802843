"""Comparisons of the methods of a data set: which differ, and whether the number of runs is sufficient."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import Results, Scores, common_definitions, on_common_images
from ccsr_bench.metrics.catalogue import METRICS
from ccsr_bench.stability import spread
from ccsr_bench.statistics.paired import SIGNIFICANCE, PairedDifference, holm, paired_difference
from ccsr_bench.statistics.run_counts import RunCount, g_std_by_runs

Quantity = Literal["mean", "G-STD", "L-STD"]


class MethodComparison(NamedTuple):
    """The difference of two methods in one quantity, over the images that both have."""

    dataset: str
    first: str
    second: str
    metric: str
    """Name of the metric; ``l-std`` for L-STD."""
    quantity: Quantity
    difference: PairedDifference
    corrected: float
    """The p-value, corrected by Holm's method for all comparisons that are returned together."""

    @property
    def significant(self) -> bool:
        """Whether the two differ at the family-wise level `SIGNIFICANCE`."""
        return self.corrected <= SIGNIFICANCE


class _Pair(NamedTuple):
    """Two ledgers of one data set that are compared."""

    first: Results
    second: Results


def compare_methods(
    ledgers: Sequence[Results], *, metrics: Sequence[str] = (), against: str = ""
) -> list[MethodComparison]:
    """Compare every two methods of every data set, and correct all p-values together.

    Means over runs are compared for every metric. Where both methods have several runs, G-STD is compared too, from the
    images' spreads over as many runs as both have. L-STD is compared where both have it over the same number of runs.

    Args:
        ledgers: Ledgers to compare.
        metrics: Names of the metrics to compare, of those that score images, or ``l-std``; all when empty.
        against: Name of the only method that the others are compared with; all pairs are compared when empty.

    Raises:
        BenchError: Two ledgers of a data set define a metric differently, or there is nothing to compare.
    """
    differences = {
        (pair.first.identity.dataset, pair.first.label, pair.second.label, metric, quantity): difference
        for pair in _pairs(ledgers, against)
        for metric, quantity, difference in _differences(pair, metrics)
    }
    if not differences:
        raise BenchError("nothing to compare: two methods need scores of the same two or more images of one data set")
    corrected = holm({key: difference.p_value for key, difference in differences.items()})
    return [MethodComparison(*key, difference, corrected[key]) for key, difference in differences.items()]


def _pairs(ledgers: Sequence[Results], against: str) -> Iterator[_Pair]:
    by_dataset: dict[str, list[Results]] = {}
    for results in ledgers:
        by_dataset.setdefault(results.identity.dataset, []).append(results)
    for group in by_dataset.values():
        common_definitions(group)
        for first, second in itertools.combinations(group, 2):
            if not against or first.label == against:
                yield _Pair(first, second)
            elif second.label == against:
                yield _Pair(second, first)


def _differences(pair: _Pair, metrics: Sequence[str]) -> Iterator[tuple[str, Quantity, PairedDifference]]:
    for metric in image_metrics(pair.first, metrics):
        first, second = pair.first.scores(metric), pair.second.scores(metric)
        if first is None or second is None:
            continue
        both = _common(first, second)
        if both is None:
            continue
        yield metric, "mean", paired_difference(both[0].mean(axis=1), both[1].mean(axis=1))
        runs = min(pair.first.runs, pair.second.runs)
        if runs > 1:  # over equally many runs: fewer runs give a lower standard deviation
            yield metric, "G-STD", paired_difference(spread(both[0][:, :runs]), spread(both[1][:, :runs]))
    if (not metrics or "l-std" in metrics) and pair.first.runs == pair.second.runs:
        first, second = pair.first.l_std(), pair.second.l_std()
        both = None if first is None or second is None else _common(first, second)
        if both is not None:
            yield "l-std", "L-STD", paired_difference(*both)


def _common(first: Scores, second: Scores) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the values of the images that both have; None for fewer than two."""
    ours, theirs = on_common_images([first, second])
    return (ours.values, theirs.values) if len(ours.images) > 1 else None


def image_metrics(results: Results, metrics: Sequence[str]) -> list[str]:
    """Return the names in `metrics` that score the images of a ledger; all such metrics when `metrics` is empty."""
    return [
        name
        for name, info in METRICS.items()
        if name in results.definitions and info.kind != "distribution" and (not metrics or name in metrics)
    ]


class RunsOf(NamedTuple):
    """The dependence of G-STD on the number of runs, for one metric of one method."""

    dataset: str
    method: str
    metric: str
    images: int
    counts: list[RunCount]
    """G-STD for 2 runs to all runs."""


def runs_of_methods(ledgers: Sequence[Results], *, metrics: Sequence[str] = ()) -> list[RunsOf]:
    """Return the dependence of G-STD on the number of runs, for every method with several runs.

    Args:
        ledgers: Ledgers of the methods.
        metrics: Names of metrics that score images; all such metrics when empty.

    Raises:
        BenchError: No method has several runs.
    """
    curves = [
        RunsOf(results.identity.dataset, results.label, metric, len(scores.images), g_std_by_runs(scores.values))
        for results in ledgers
        for metric in image_metrics(results, metrics)
        if results.runs > 1 and (scores := results.scores(metric)) is not None
    ]
    if not curves:
        raise BenchError(
            "no method has several runs with these metrics; run a stochastic method ten times first (`ccsr-bench run`)"
        )
    return curves
