"""95 % bootstrap intervals over images.

Images are resampled, runs are not: the question is how a number would move with other images of the same kind. Every
interval is a function of its values alone, because the draws have a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ccsr_bench.stability import finite

RESAMPLES = 2000
"""Data sets that are drawn for an interval of means."""

FRECHET_RESAMPLES = 100
"""Data sets that are drawn for an interval of FID, each of which costs a decomposition for every run."""

LARGEST_FRECHET = 500
"""Images up to which FID has an interval: above it takes hours, and hardly moves."""


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


def bootstrap_interval(values: np.ndarray) -> Interval | None:
    """Return the percentile interval of a mean over images; None for one image, which says nothing of others.

    It covers the mean of a metric, G-STD and L-STD, which all are means of per-image values.

    Args:
        values: (M,) float, one value per image.

    Raises:
        ValueError: A value is not finite, there is none, or the shape is another.
    """
    values = finite("values", values, 1)
    if len(values) < 2:
        return None
    return _percentiles(np.concatenate([values[chosen].mean(axis=1) for chosen in _draws(len(values))]))


def ratio_interval(base: np.ndarray, new: np.ndarray) -> Interval:
    """Return the percentile interval of mean(new) / mean(base), both resampled together.

    Args:
        base: (M,) float, 0 or more, one value per image.
        new: (M,) float, of the same images in the same order.

    Returns:
        Ratios; 0 / 0 counts as 1.
    """
    base, new = np.asarray(base, np.float64), np.asarray(new, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [new[chosen].mean(axis=1) / base[chosen].mean(axis=1) for chosen in _draws(len(base))]
    drawn = np.nan_to_num(np.concatenate(ratios), nan=1.0, posinf=np.inf)
    low, high = np.quantile(drawn, (0.025, 0.975), method="inverted_cdf")  # which does not compute with infinity
    return Interval(float(low), float(high))


def frechet_interval(
    distance: Callable[[np.ndarray, np.ndarray], float], runs: Sequence[np.ndarray], references: np.ndarray
) -> Interval | None:
    """Return the interval of a distance of sets, averaged over runs; None for more than `LARGEST_FRECHET` images.

    A resample holds some images twice, which alone raises the distance. So the interval has the resamples' width and is
    shifted to have the distance itself as its median: it says how the distance of as many images would move.

    Args:
        distance: Of (M, D) features from (M, D) references.
        runs: The features of each run's outputs, (M, D).
        references: (M, D), of the same images in the same order.
    """
    if len(references) > LARGEST_FRECHET:
        return None
    generator = np.random.Generator(np.random.PCG64(0))
    drawn = np.empty(FRECHET_RESAMPLES)
    for index in range(FRECHET_RESAMPLES):
        chosen = generator.integers(0, len(references), len(references))
        drawn[index] = np.mean([distance(features[chosen], references[chosen]) for features in runs])
    value = np.mean([distance(features, references) for features in runs])
    return _percentiles(drawn - np.median(drawn) + value)


def _draws(images: int) -> Iterator[np.ndarray]:
    """Yield blocks of resampled indices, (some, M), `RESAMPLES` in all."""
    generator = np.random.Generator(np.random.PCG64(0))
    block = max(1, 1_000_000 // max(1, images))
    for start in range(0, RESAMPLES, block):
        yield generator.integers(0, images, (min(block, RESAMPLES - start), images))


def _percentiles(drawn: np.ndarray) -> Interval:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(low), float(high))
