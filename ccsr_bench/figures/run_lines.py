"""What the plot of G-STD by the number of runs shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ccsr_bench.errors import BenchError
from ccsr_bench.figures.selection import check_scored, with_several_runs
from ccsr_bench.ledger.results import Results, on_common_images
from ccsr_bench.plots.measures import Axis, run_spread
from ccsr_bench.plots.remarks import ONE_RUN, remark_absence, remark_coverage
from ccsr_bench.statistics.run_counts import RunCount, g_std_by_runs


class Line(NamedTuple):
    """One method's G-STD by the number of runs."""

    place: int
    """The method's place among all methods that are compared, from which its colour and its marker follow."""
    title: str
    counts: list[RunCount]


class Lines(NamedTuple):
    """What a plot by the number of runs shows."""

    y: Axis
    lines: list[Line]
    remarks: list[str]


def runs_needed(results: Sequence[Results], metric: str) -> Lines:
    """Return each method's G-STD as every number of runs from 2 to N would have given it.

    Args:
        results: The methods, on one data set; those with a single run are left out.
        metric: A metric that scores images.

    Raises:
        BenchError: The metric is unknown, scores sets of images, or is not recorded for a method; no method has several
            runs; or the methods have no image in common.
    """
    shown = with_several_runs(results)
    compared = on_common_images([check_scored(one, metric) for one in shown])
    images = len(compared[0].images)
    if not images:
        raise BenchError("the methods have no image in common; finish their runs, or choose with --method")
    lines = [
        Line(results.index(one), one.description.title, g_std_by_runs(scores.values))
        for one, scores in zip(shown, compared, strict=True)
    ]
    remarks = remark_absence([(one, ONE_RUN) for one in results if one not in shown])
    return Lines(run_spread(metric).axis, lines, remarks + remark_coverage(shown, images))
