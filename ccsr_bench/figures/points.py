"""What the plots show: each method's numbers and their 95 % intervals, on the images that all methods have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.ledger.results import Results, Scores, on_common_images
from ccsr_bench.metrics.catalogue import METRICS, find_metric
from ccsr_bench.stability import spread
from ccsr_bench.statistics.bootstrap import Interval, bootstrap_interval
from ccsr_bench.statistics.run_counts import RunCount, g_std_by_runs

SPREADS = ("g-std", "l-std")


class Axis(NamedTuple):
    """A quantity that is plotted."""

    label: str
    higher_is_better: bool
    logarithmic: bool = False


class Estimate(NamedTuple):
    """A number, and what is known of how far it can be trusted."""

    value: float
    interval: Interval | None = None
    """95 % bootstrap interval over images."""


class Point(NamedTuple):
    """One method of a scatter plot."""

    place: int
    """Among all methods that are compared, which gives it the same colour in every figure."""
    title: str
    x: Estimate
    y: Estimate


class Scatter(NamedTuple):
    """What a scatter plot shows."""

    x: Axis
    y: Axis
    points: list[Point]
    remarks: list[str]
    """What a reader must know who does not see it in the plot."""


class Line(NamedTuple):
    """One method's G-STD by the number of runs."""

    place: int
    """As a point's."""
    title: str
    counts: list[RunCount]


class Lines(NamedTuple):
    """What a plot by the number of runs shows."""

    y: Axis
    lines: list[Line]
    remarks: list[str]


def perception_distortion(results: Sequence[Results], x: str, y: str) -> Scatter:
    """Return each method's mean of one metric against that of another.

    Args:
        results: Of the methods, on one data set.
        x: A metric that scores images.
        y: Another.

    Raises:
        BenchError: A metric is unknown, scores sets of images, or is not recorded for a method.
    """
    pairs = [(metric_scores(one, x), metric_scores(one, y)) for one in results]
    return _scatter(results, results, quality_axis(x), quality_axis(y), pairs, _quality)


def quality_stability(results: Sequence[Results], metric: str, spread_name: str) -> Scatter:
    """Return each method's mean of a metric against how much it moves from run to run.

    Args:
        results: Of the methods, on one data set; those with a single run are left out.
        metric: One that scores images.
        spread_name: One of `SPREADS`.

    Raises:
        BenchError: As `perception_distortion`; or no method has several runs; or L-STD is not recorded for N runs.
    """
    kept, remarks = _with_several_runs(results)
    quality = [metric_scores(one, metric) for one in kept]
    if spread_name == "g-std":
        pairs = list(zip(quality, quality, strict=True))
        scatter = _scatter(results, kept, _g_std_axis(metric), quality_axis(metric), pairs, _g_std)
    else:
        pairs = list(zip([_l_std(one) for one in kept], quality, strict=True))
        axis = Axis("L-STD", higher_is_better=False)
        scatter = _scatter(results, kept, axis, quality_axis(metric), pairs, _mean)
    return scatter._replace(remarks=remarks + _run_counts(kept) + scatter.remarks)


def cost(results: Sequence[Results], metric: str) -> Scatter:
    """Return each method's mean of a metric against the median of the recorded seconds per output.

    Args:
        results: Of the methods, on one data set; those whose images were made elsewhere are left out.
        metric: One that scores images.

    Raises:
        BenchError: As `perception_distortion`; or no seconds are recorded.
    """
    timed = [(one, seconds) for one in results if (seconds := one.seconds()) is not None]
    kept = [one for one, _ in timed]
    if not kept:
        raise BenchError("no seconds are recorded: the images were made elsewhere; `ccsr-bench run` records them")
    remarks = [f"{one.identity.method}: made elsewhere, so no seconds; left out" for one in results if one not in kept]
    machines = sorted({machine for one in kept for machine in one.machines()})
    if len(machines) > 1:
        remarks.append(f"recorded on different machines, whose seconds do not compare: {'; '.join(machines)}")
    pairs = [(seconds, metric_scores(one, metric)) for one, seconds in timed]
    axis = Axis("Seconds per output, median", higher_is_better=False, logarithmic=True)
    scatter = _scatter(results, kept, axis, quality_axis(metric), pairs, _median)
    return scatter._replace(remarks=remarks + scatter.remarks)


def runs_needed(results: Sequence[Results], metric: str) -> Lines:
    """Return each method's G-STD as every number of runs from 2 to N would have given it.

    Args:
        results: Of the methods, on one data set; those with a single run are left out.
        metric: One that scores images.

    Raises:
        BenchError: As `perception_distortion`; or no method has several runs.
    """
    kept, remarks = _with_several_runs(results)
    recorded = [metric_scores(one, metric) for one in kept]
    compared = _compared(recorded)
    lines = [
        Line(results.index(one), one.description.title, g_std_by_runs(scores.values))
        for one, scores in zip(kept, compared, strict=True)
    ]
    return Lines(_g_std_axis(metric), lines, remarks + _coverage(kept, compared[0]))


def metric_scores(results: Results, metric: str) -> Scores:
    """Return the scores of a metric that must be there.

    Raises:
        BenchError: It is unknown, scores sets of images, or no image has it for all N runs.
    """
    if find_metric(metric).kind == "distribution":
        raise BenchError(f"{metric} scores sets of images; a figure shows metrics that score images, such as lpips")
    scores = results.scores(metric)
    if scores is None:
        identity = results.identity
        others = [name for name in results.definitions if name in METRICS and METRICS[name].kind != "distribution"]
        raise BenchError(
            f"{identity.method} on {identity.dataset}: no image has {metric} for all its runs; "
            f"run it again with --metrics {metric}, or choose another of: {', '.join(others)}"
        )
    return scores


def quality_axis(metric: str) -> Axis:
    """Return the axis of a metric's mean."""
    info = find_metric(metric)
    return Axis(f"{info.label}{_unit(metric)}", info.higher_is_better)


def _g_std_axis(metric: str) -> Axis:
    return Axis(f"G-STD of {find_metric(metric).label}{_unit(metric)}", higher_is_better=False)


def _unit(metric: str) -> str:
    return " (dB)" if metric == "psnr" else ""


def _mean(values: np.ndarray) -> Estimate:
    return Estimate(float(values.mean()), bootstrap_interval(values))


def _quality(scores: np.ndarray) -> Estimate:
    return _mean(scores.mean(axis=1))


def _g_std(scores: np.ndarray) -> Estimate:
    return _mean(spread(scores))


def _median(seconds: np.ndarray) -> Estimate:
    return Estimate(float(np.median(seconds)))


def _with_several_runs(results: Sequence[Results]) -> tuple[list[Results], list[str]]:
    """Return the methods with several runs, and a remark on each of the others."""
    kept = [one for one in results if one.runs > 1]
    if not kept:
        raise BenchError("no method here has several runs, so nothing moves; `ccsr-bench run --runs 10` makes some")
    return kept, [f"{one.identity.method}: a single run, so no spread; left out" for one in results if one not in kept]


def _run_counts(results: Sequence[Results]) -> list[str]:
    """Return a remark where spreads are over different numbers of runs."""
    if len({one.runs for one in results}) == 1:
        return []
    counts = ", ".join(f"{one.identity.method} {one.runs}" for one in results)
    return [f"N differs: {counts}; over fewer runs a spread comes out smaller"]


def _l_std(results: Results) -> Scores:
    scores = results.l_std()
    if scores is None:
        raise BenchError(
            f"{results.identity.method} on {results.identity.dataset}: no L-STD over {results.runs} runs is recorded; "
            f"run it again with --runs {results.runs}"
        )
    return scores


def _scatter(
    results: Sequence[Results],
    kept: Sequence[Results],
    x: Axis,
    y: Axis,
    values: Sequence[tuple[Scores, Scores]],
    estimate_x: Callable[[np.ndarray], Estimate],
) -> Scatter:
    """Return a point for each method that is kept, whose y is the mean of a metric's scores."""
    compared = _compared([one for pair in values for one in pair])
    points = [
        Point(results.index(one), one.description.title, estimate_x(xs.values), _quality(ys.values))
        for one, xs, ys in zip(kept, compared[::2], compared[1::2], strict=True)
    ]
    return Scatter(x, y, points, _coverage(kept, compared[0]))


def _compared(scores: Sequence[Scores]) -> list[Scores]:
    """Return scores of the images that all have; raises a `BenchError` where there is none."""
    compared = on_common_images(scores)
    if not compared[0].images:
        raise BenchError("the methods have no image in common; finish their runs, or choose with --method")
    return compared


def _coverage(results: Sequence[Results], compared: Scores) -> list[str]:
    """Return a remark where not all images that a method has are compared."""
    most = max(len(one.images) for one in results)
    if len(compared.images) == most:
        return []
    return [f"compared on the {len(compared.images)} images that all methods have, of {most}"]
