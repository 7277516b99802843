"""Significance tests of two methods on the same images, and their correction for many comparisons."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np

from ccsr_bench.stability import check_finite
from ccsr_bench.statistics.bootstrap import Interval, bootstrap_interval

SIGNIFICANCE = 0.05
"""Family-wise significance level of all comparisons that are corrected together."""

MOST_EXACT = 13
"""Number of images M up to which all 2^M assignments of signs are evaluated."""

RANDOM_FLIPS = 10_000
"""Number of random assignments of signs that are evaluated for more images."""

_Key = TypeVar("_Key", bound=Hashable)


class PairedDifference(NamedTuple):
    """The difference between a second and a first method over the same images."""

    mean: float
    """Mean over images of second - first."""
    interval: Interval
    """95 % bootstrap interval of that mean over images."""
    p_value: float
    """Two-sided p-value under the null hypothesis that the two methods are exchangeable."""
    images: int


def paired_difference(first: np.ndarray, second: np.ndarray) -> PairedDifference:
    """Compare two methods by their per-image values, with a sign-flip permutation test.

    Under the null hypothesis, each image's difference has either sign with equal probability. The p-value is the share
    of assignments of signs whose mean is at least as far from 0 as the observed mean: among all assignments for up to
    `MOST_EXACT` images, otherwise among `RANDOM_FLIPS` random assignments and the observed one. Where no random
    assignment is as far from 0, the p-value is at most Hoeffding's bound on the share among all assignments, so that
    many comparisons can be corrected. No distribution is assumed; the images are treated as a random sample.

    Args:
        first: One value per image, (M,) float.
        second: Values of the same images in the same order, (M,) float.

    Raises:
        ValueError: A value is not finite, the numbers of values differ, or there are fewer than two.
    """
    first, second = check_finite("first", first, 1), check_finite("second", second, 1)
    if first.shape != second.shape or len(first) < 2:
        raise ValueError(
            f"`first` and `second` must be of the same two or more images, got {first.shape} and {second.shape}"
        )
    differences = second - first
    interval = bootstrap_interval(differences)
    assert interval is not None  # there are two or more images
    p_value = _sign_flip(differences) if differences.any() else 1.0
    return PairedDifference(float(differences.mean()), interval, p_value, len(differences))


def _sign_flip(differences: np.ndarray) -> float:
    # The scale makes the tolerance below relative, so that rounding does not separate equal means.
    differences = differences / np.abs(differences).max()
    actual = abs(differences.sum()) - 1e-9
    if len(differences) <= MOST_EXACT:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(differences))))
        return float((np.abs(signs @ differences) >= actual).mean())
    generator = np.random.Generator(np.random.PCG64(0))
    as_far = 0
    block = max(1, 4_000_000 // len(differences))
    for start in range(0, RANDOM_FLIPS, block):
        shape = (min(block, RANDOM_FLIPS - start), len(differences))
        signs = 1.0 - 2.0 * generator.integers(0, 2, shape, dtype=np.int8)
        as_far += int((np.abs(signs @ differences) >= actual).sum())
    p_value = (1 + as_far) / (1 + RANDOM_FLIPS)
    if as_far == 0:
        p_value = min(p_value, 2 * math.exp(-(differences.sum() ** 2) / (2 * np.square(differences).sum())))
    return p_value


def holm(p_values: Mapping[_Key, float]) -> dict[_Key, float]:
    """Return p-values corrected for many comparisons by Holm's step-down method.

    A comparison is significant at a family-wise level when its corrected value is at most that level.
    """
    corrected: dict[_Key, float] = {}
    highest = 0.0
    for rank, key in enumerate(sorted(p_values, key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[key]))
        corrected[key] = highest
    return {key: corrected[key] for key in p_values}
