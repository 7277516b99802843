"""Whether N runs are enough: how G-STD and its interval change with the number of runs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ccsr_bench.stability import spread
from ccsr_bench.statistics.bootstrap import Interval

DRAWS = 400


class RunCount(NamedTuple):
    """G-STD as a number of runs would have given it."""

    runs: int
    g_std: float
    """Mean over choices of that many of the recorded runs."""
    interval: Interval
    """95 % interval over choices of runs and resampled images."""


def normal_share(runs: int, most: int) -> float:
    """Return G-STD over some runs as a share of G-STD over more, were the scores of an image normally distributed.

    The standard deviation (ddof 0) of n values is low on average, by a factor sqrt(2 / n) gamma(n / 2) /
    gamma((n - 1) / 2).

    Args:
        runs: At least 2.
        most: At least 2.
    """
    low, high = (
        math.sqrt(2 / count) * math.exp(math.lgamma(count / 2) - math.lgamma((count - 1) / 2)) for count in (runs, most)
    )
    return low / high


def g_std_by_runs(scores: np.ndarray) -> list[RunCount]:
    """Return G-STD for every number of runs from 2 to N.

    For each, runs are chosen at random for every image, without repetition, and images are resampled. Few runs give a
    lower G-STD, as `normal_share` says.

    Args:
        scores: (M, N) float, the score of run i on image j at [j, i], N at least 2.
    """
    images, most = scores.shape
    generator = np.random.Generator(np.random.PCG64(0))
    found = []
    for runs in range(2, most + 1):
        values, resampled = np.empty(DRAWS), np.empty(DRAWS)
        for draw in range(DRAWS):
            order = np.argsort(generator.random(scores.shape), axis=1)[:, :runs]
            spreads = spread(np.take_along_axis(scores, order, axis=1))
            values[draw] = spreads.mean()
            resampled[draw] = spreads[generator.integers(0, images, images)].mean()
        low, high = np.quantile(resampled, (0.025, 0.975))
        found.append(RunCount(runs, float(values.mean()), Interval(float(low), float(high))))
    return found
