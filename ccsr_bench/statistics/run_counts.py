"""Whether N runs are sufficient: the dependence of G-STD and its interval on the number of runs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ccsr_bench.stability import spread
from ccsr_bench.statistics.bootstrap import Interval

DRAWS = 400
"""Number of random choices of runs and images for each number of runs."""


class RunCount(NamedTuple):
    """The G-STD that a number of runs would have given."""

    runs: int
    g_std: float
    """Mean over random choices of so many of the recorded runs."""
    interval: Interval
    """95 % interval over random choices of runs and resampled images."""


def normal_share(runs: int, most: int) -> float:
    """Return the expected G-STD over some runs as a share of that over more, for normally distributed scores.

    The standard deviation (ddof 0) of n values is biased by a factor sqrt(2 / n) gamma(n / 2) / gamma((n - 1) / 2).

    Args:
        runs: Number of runs, at least 2.
        most: Number of runs that the share refers to, at least 2.
    """
    low, high = (
        math.sqrt(2 / count) * math.exp(math.lgamma(count / 2) - math.lgamma((count - 1) / 2)) for count in (runs, most)
    )
    return low / high


def g_std_by_runs(scores: np.ndarray) -> list[RunCount]:
    """Return G-STD for every number of runs from 2 to N.

    For each number, runs are drawn at random for every image, without replacement, and images are resampled. Fewer runs
    give a lower G-STD; see `normal_share`.

    Args:
        scores: Scores, (M, N) float, with that of run i on image j at [j, i]; N is at least 2.
    """
    images, most = scores.shape
    generator = np.random.Generator(np.random.PCG64(0))
    counts = []
    for runs in range(2, most + 1):
        values, resampled = np.empty(DRAWS), np.empty(DRAWS)
        for draw in range(DRAWS):
            order = np.argsort(generator.random(scores.shape), axis=1)[:, :runs]
            spreads = spread(np.take_along_axis(scores, order, axis=1))
            values[draw] = spreads.mean()
            resampled[draw] = spreads[generator.integers(0, images, images)].mean()
        low, high = np.quantile(resampled, (0.025, 0.975))
        counts.append(RunCount(runs, float(values.mean()), Interval(float(low), float(high))))
    return counts
