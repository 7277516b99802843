"""The best and the worst run of an image, which Figures 1 and 5 to 7 of the CCSR paper show side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import Results
from ccsr_bench.metrics.catalogue import METRICS


class Extremes(NamedTuple):
    """The runs of one image with the best and the worst score."""

    metric: str
    best_run: int
    best: float
    worst_run: int
    """Equal to `best_run` where all scores are equal, as with a single run."""
    worst: float


def ranking_metric(results: Sequence[Results]) -> str:
    """Return the metric that ranks runs: PSNR, as in the paper, or else the first reference metric that all have.

    Args:
        results: Results of the methods that are shown together.

    Raises:
        BenchError: The methods have no metric with a reference in common.
    """
    for name, info in METRICS.items():  # PSNR is the first
        if info.kind == "reference" and all(name in method.definitions for method in results):
            return name
    methods = " and ".join(method.label for method in results)
    raise BenchError(
        f"{methods}: no metric with a reference is recorded for all; run them again with psnr in `metrics`"
    )


def find_extremes(results: Results, metric: str) -> dict[str, Extremes]:
    """Return the best and the worst run of every image that has the metric's scores for all N runs.

    Of runs with equal scores the first is taken.

    Args:
        results: Results of one method on one data set.
        metric: Name of a metric that scores images.
    """
    scores = results.scores(metric)
    if scores is None:
        return {}
    extremes = {}
    for image, values in zip(scores.images, scores.values, strict=True):
        highest, lowest = int(values.argmax()), int(values.argmin())
        best, worst = (highest, lowest) if METRICS[metric].higher_is_better else (lowest, highest)
        extremes[image] = Extremes(metric, best, float(values[best]), worst, float(values[worst]))
    return extremes
