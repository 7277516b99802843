"""The contents of a paper's scatter plots."""

from __future__ import annotations

from collections.abc import Sequence

from ccsr_bench.errors import BenchError
from ccsr_bench.figures.selection import require_scores, require_several_runs
from ccsr_bench.ledger.results import Results
from ccsr_bench.plots.measures import LOCAL_SPREAD, SECONDS, Measure, quality, run_spread
from ccsr_bench.plots.points import Estimates, Scatter


def perception_distortion(results: Sequence[Results], x: str, y: str) -> Scatter:
    """Return each method's mean of one metric against that of another.

    Args:
        results: Results of the methods on one data set.
        x: Metric that scores images, on the x axis.
        y: Metric that scores images, on the y axis.

    Raises:
        BenchError: A metric is unknown, scores sets of images, or is not recorded for a method; or the methods have
            no image in common.
    """
    for method in results:
        for metric in (x, y):
            require_scores(method, metric)
    return _scatter(results, quality(x), quality(y))


def quality_stability(results: Sequence[Results], metric: str, spread: str) -> Scatter:
    """Return each method's mean of a metric against its standard deviation over runs.

    Args:
        results: Results of the methods on one data set; methods with a single run are left out.
        metric: Metric that scores images.
        spread: Kind of standard deviation, `g-std` of the metric or `l-std`.

    Raises:
        BenchError: The metric is unknown, scores sets of images, or is not recorded for a method; the methods have no
            image in common; no method has several runs; or L-STD is not recorded for N runs.
    """
    for method in require_several_runs(results):
        require_scores(method, metric)
        if spread == LOCAL_SPREAD.key and method.l_std() is None:
            raise BenchError(
                f"{method.label} on {method.identity.dataset}: no L-STD over {method.runs} runs is recorded; "
                f"run it again with `runs` {method.runs}"
            )
    return _scatter(results, LOCAL_SPREAD if spread == LOCAL_SPREAD.key else run_spread(metric), quality(metric))


def cost(results: Sequence[Results], metric: str) -> Scatter:
    """Return each method's mean of a metric against the median of the recorded seconds per output.

    Args:
        results: Results of the methods on one data set; methods whose images were made elsewhere are left out.
        metric: Metric that scores images.

    Raises:
        BenchError: The metric is unknown, scores sets of images, or is not recorded for a method; the methods have no
            image in common; or no seconds are recorded.
    """
    timed = [method for method in results if method.seconds() is not None]
    if not timed:
        raise BenchError("no seconds are recorded: the images were made elsewhere; `ccsr-bench run` records them")
    for method in timed:
        require_scores(method, metric)
    return _scatter(results, SECONDS, quality(metric))


def _scatter(results: Sequence[Results], x: Measure, y: Measure) -> Scatter:
    scatter = Estimates(results).scatter(x, y)
    if not scatter.points:
        raise BenchError("the methods have no image in common; finish their runs, or choose other `methods`")
    return scatter
