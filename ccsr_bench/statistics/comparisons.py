"""What several methods of one data set show: which differ, and whether their runs were enough."""

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


class Comparison(NamedTuple):
    """How a second method differs from a first in one number, over the images that both have."""

    dataset: str
    first: str
    second: str
    metric: str
    """L-STD's is ``l-std``."""
    quantity: Quantity
    difference: PairedDifference
    corrected: float
    """The p-value corrected by Holm's method for all comparisons that are returned together."""

    @property
    def significant(self) -> bool:
        """Whether the two differ at the family-wise level `SIGNIFICANCE`."""
        return self.corrected <= SIGNIFICANCE


class _Pair(NamedTuple):
    """Two ledgers of one data set, and the numbers of both."""

    first: Results
    second: Results


def compare_methods(found: Sequence[Results], *, metrics: Sequence[str] = (), against: str = "") -> list[Comparison]:
    """Compare every two methods of every data set, and correct all p-values together.

    Means over runs are compared for every metric. Where both methods have several runs, G-STD is compared too, by the
    images' spreads over as many runs as both have, and L-STD where both have it over as many.

    Args:
        found: The ledgers.
        metrics: Only these, of those that score images; all when empty. ``l-std`` is one.
        against: Compare the others with this method only; all pairs when empty.

    Raises:
        BenchError: Two ledgers of a data set define a metric differently, or there is nothing to compare.
    """
    differences = {
        (pair.first.identity.dataset, pair.first.label, pair.second.label, metric, quantity): one
        for pair in _pairs(found, against)
        for metric, quantity, one in _differences(pair, metrics)
    }
    if not differences:
        raise BenchError(
            "nothing to compare: that takes two methods with scores of the same two images or more of one data set"
        )
    corrected = holm({key: difference.p_value for key, difference in differences.items()})
    return [Comparison(*key, difference, corrected[key]) for key, difference in differences.items()]


def _pairs(found: Sequence[Results], against: str) -> Iterator[_Pair]:
    by_dataset: dict[str, list[Results]] = {}
    for one in found:
        by_dataset.setdefault(one.identity.dataset, []).append(one)
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
        if runs > 1:  # over equally many: few runs give a lower standard deviation
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
    """Return which of the asked-for metrics score the images of a ledger; all such metrics when none is asked for."""
    return [
        name
        for name, info in METRICS.items()
        if name in results.definitions and info.kind != "distribution" and (not metrics or name in metrics)
    ]


class RunsOf(NamedTuple):
    """How G-STD of one metric of one method changes with the number of runs."""

    dataset: str
    method: str
    metric: str
    images: int
    counts: list[RunCount]
    """From 2 runs to all."""


def runs_of_methods(found: Sequence[Results], *, metrics: Sequence[str] = ()) -> list[RunsOf]:
    """Return how G-STD changes with the number of runs, for every method with several.

    Args:
        found: The ledgers.
        metrics: Only these, of those that score images; all when empty.

    Raises:
        BenchError: No method has several runs.
    """
    curves = [
        RunsOf(one.identity.dataset, one.label, metric, len(scores.images), g_std_by_runs(scores.values))
        for one in found
        for metric in image_metrics(one, metrics)
        if one.runs > 1 and (scores := one.scores(metric)) is not None
    ]
    if not curves:
        raise BenchError("no method here has several runs and one of the metrics; `run --runs 10` makes some")
    return curves
