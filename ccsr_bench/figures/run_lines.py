"""The contents of the plot of G-STD by the number of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ccsr_bench.errors import BenchError
from ccsr_bench.figures.selection import require_scores, require_several_runs
from ccsr_bench.ledger.results import Results, on_common_images
from ccsr_bench.plots.measures import Axis, run_spread
from ccsr_bench.plots.remarks import ONE_RUN, remark_absence, remark_coverage
from ccsr_bench.statistics.run_counts import RunCount, g_std_by_runs


class Line(NamedTuple):
    """One method's G-STD by the number of runs."""

    place: int
    """Place of the method among all compared methods, which determines its colour and its marker."""
    title: str
    counts: list[RunCount]
    """G-STD for each number of runs."""


class Lines(NamedTuple):
    """The contents of a plot by the number of runs."""

    y: Axis
    lines: list[Line]
    remarks: list[str]
    """Facts that a reader must know and cannot see in the plot."""


def g_std_lines(results: Sequence[Results], metric: str) -> Lines:
    """Return each method's G-STD for every number of runs from 2 to N.

    Args:
        results: Results of the methods on one data set; methods with a single run are left out.
        metric: Metric that scores images.

    Raises:
        BenchError: The metric is unknown, scores sets of images, or is not recorded for a method; no method has several
            runs; or the methods have no image in common.
    """
    shown = require_several_runs(results)
    compared = on_common_images([require_scores(method, metric) for method in shown])
    images = len(compared[0].images)
    if not images:
        raise BenchError("the methods have no image in common; finish their runs, or choose other `methods`")
    lines = [
        Line(results.index(method), method.description.title, g_std_by_runs(scores.values))
        for method, scores in zip(shown, compared, strict=True)
    ]
    remarks = remark_absence([(method, ONE_RUN) for method in results if method not in shown])
    return Lines(run_spread(metric).axis, lines, remarks + remark_coverage(shown, images))
