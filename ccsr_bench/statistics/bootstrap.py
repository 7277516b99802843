"""95 % bootstrap intervals over images.

Images are resampled and runs are not: the intervals say how a number would vary with other images of the same kind. An
interval depends on its values alone, because the resamples have a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ccsr_bench.stability import check_finite

RESAMPLES = 2000
"""Number of resampled data sets for an interval of a mean."""

FRECHET_RESAMPLES = 100
"""Number of resampled data sets for an interval of FID, each of which needs a matrix decomposition per run."""

LARGEST_FRECHET = 500
"""Number of images up to which FID has an interval; with more it would take hours, and FID hardly varies."""


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


def bootstrap_interval(values: np.ndarray) -> Interval | None:
    """Return the percentile interval of a mean over images; None for a single image, which cannot be resampled.

    The mean of a metric, G-STD and L-STD are all means of per-image values.

    Args:
        values: One value per image, (M,) float.

    Raises:
        ValueError: A value is not finite, there are no values, or the shape is another.
    """
    values = check_finite("values", values, 1)
    if len(values) < 2:
        return None
    return _percentiles(np.concatenate([values[chosen].mean(axis=1) for chosen in _draws(len(values))]))


def ratio_interval(base: np.ndarray, new: np.ndarray) -> Interval:
    """Return the percentile interval of mean(new) / mean(base), where both have the same resamples.

    Args:
        base: One value per image, (M,) float, 0 or more.
        new: Values of the same images in the same order, (M,) float.

    Returns:
        The interval of the ratio, where 0 / 0 counts as 1.
    """
    base, new = np.asarray(base, np.float64), np.asarray(new, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [new[chosen].mean(axis=1) / base[chosen].mean(axis=1) for chosen in _draws(len(base))]
    drawn = np.nan_to_num(np.concatenate(ratios), nan=1.0, posinf=np.inf)
    low, high = np.quantile(
        drawn, (0.025, 0.975), method="inverted_cdf"
    )  # this method does no arithmetic with infinity
    return Interval(float(low), float(high))


def frechet_interval(
    distance: Callable[[np.ndarray, np.ndarray], float], runs: Sequence[np.ndarray], references: np.ndarray
) -> Interval | None:
    """Return the interval of a distance between sets, averaged over runs; None for more than `LARGEST_FRECHET` images.

    A resample holds some images twice, which raises the distance by itself. The interval therefore has the width of the
    resamples' distribution, but is shifted so that its median is the distance itself: it says how the distance would
    vary with other sets of as many images.

    Args:
        distance: Function of features, (M, D), and references, (M, D).
        runs: Features of each run's outputs, (M, D).
        references: Features of the references of the same images in the same order, (M, D).
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
    """Yield blocks of resampled indices, (block, M), with `RESAMPLES` rows in total."""
    generator = np.random.Generator(np.random.PCG64(0))
    block = max(1, 1_000_000 // max(1, images))
    for start in range(0, RESAMPLES, block):
        yield generator.integers(0, images, (min(block, RESAMPLES - start), images))


def _percentiles(drawn: np.ndarray) -> Interval:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(low), float(high))
