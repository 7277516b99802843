"""How far two results of an unchanged method differ because their seeds do.

A gate asks whether a method changed on these images. So the images are fixed, and only the runs are random.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ccsr_bench.stability import spread

REACH = 3.0
"""Tolerance in standard errors: an unchanged method exceeds it once in 740 times in each direction."""

INDEPENDENT_PATCHES = 64
"""Number of parts of an image that are assumed to vary independently from run to run; L-STD averages over them.

A 512x512 output of a latent diffusion model has 64x64 latents with independent noise; 64 parts of 8x8 latents are a
cautious assumption. If the true number were 16, the tolerance would still be 1.5 standard errors.
"""

SWAPS = 10_000
"""Number of random swaps for a p-value."""

SWAPS_OF_SPREADS = 1000
"""Number of random swaps for a standard error, which needs fewer than a p-value."""


def difference_tolerance(base: np.ndarray, new: np.ndarray) -> float:
    """Return how far seeds alone move the difference of two means: `REACH` standard errors of the difference.

    Args:
        base: Older scores, (M, N) float, with the score of run i on image j at [j, i]; N is at least 2.
        new: New scores, (M, N) float, of the same images in the same order.
    """
    images, runs = base.shape
    variances = base.var(axis=1, ddof=1) + new.var(axis=1, ddof=1)
    return float(REACH * math.sqrt(variances.sum() / runs) / images)


def swap_p_value(base: np.ndarray, new: np.ndarray) -> float:
    """Return the two-sided p-value of the null hypothesis that nothing changed.

    Under this hypothesis the old and the new run i of image j are exchangeable. So they are swapped at random, for each
    run of each image, and the p-value is the share of swaps (the actual assignment included) whose means differ by at
    least as many standard errors. The difference is taken in standard errors because some images may have got better
    and others worse, which increases the differences after swaps and their standard errors alike.

    Args:
        base: Older scores, (M, N) float, with the score of run i on image j at [j, i]; N is at least 2.
        new: New scores, (M, N) float, of the same images in the same order.
    """
    half = (new - base) / 2
    if not half.any():
        return 1.0
    middle = _centred((new + base) / 2)
    squares = (middle**2 + half**2).mean(axis=1)  # no swap changes these

    def distances(shifts: np.ndarray) -> np.ndarray:
        """Return squared distances, (swaps,), of half the difference of each image's means, (swaps, M)."""
        variance = (squares - shifts**2).sum(axis=1)
        least = 1e-9 * squares.sum()  # otherwise rounding would decide where runs are equal
        return np.asarray(shifts.sum(axis=1) ** 2 / np.maximum(variance, least))

    actual = distances(half.mean(axis=1)[None])[0] * (1 - 1e-9)  # rounding must not decide between equals either
    as_far = sum(int((distances(_means(signs, half)) >= actual).sum()) for signs in _swaps(half.shape, SWAPS))
    return (1 + as_far) / (1 + SWAPS)


def g_std_tolerance(base: np.ndarray, new: np.ndarray) -> float:
    """Return how far seeds alone move the ratio of two G-STDs from 1: `REACH` standard errors of its logarithm.

    The standard error is the larger of two: that of normally distributed scores, and that over random swaps of the
    runs' deviations from their means, which is larger for scores with heavy tails.

    Args:
        base: Older scores, (M, N) float, with the score of run i on image j at [j, i]; N is at least 2.
        new: New scores, (M, N) float, of the same images in the same order.

    Returns:
        A ratio, at least 1; exactly 1 if one of the results has no spread, because that cannot be random.
    """
    spreads = spread(base), spread(new)
    if not all(values.any() for values in spreads):
        return 1.0
    error = max(_normal_error(*spreads, base.shape[1]), _swapped_error(base, new))
    return math.exp(REACH * error)


def l_std_tolerance(base: np.ndarray, new: np.ndarray, runs: int) -> float:
    """Return how far seeds alone move the ratio of two L-STDs from 1: `REACH` standard errors of its logarithm.

    Args:
        base: Older L-STD of each image, (M,) float, an average of `INDEPENDENT_PATCHES` standard deviations.
        new: New L-STD of each image, (M,) float, of the same images in the same order.
        runs: Number of runs N, at least 2.

    Returns:
        A ratio, at least 1.
    """
    return math.exp(REACH * _normal_error(base, new, runs) / math.sqrt(INDEPENDENT_PATCHES))


def _normal_error(base: np.ndarray, new: np.ndarray, runs: int) -> float:
    """Return the standard error of the logarithm of the ratio of two mean standard deviations, each (M,).

    The standard deviation of N normal values has a relative standard error of about 1 / sqrt(2 (N - 1)). In the mean
    over images, each image is weighted by its share of the sum.
    """
    shares = sum((values**2).sum() / values.sum() ** 2 for values in (base, new) if values.any())
    return math.sqrt(shares / (2 * (runs - 1)))


def _swapped_error(base: np.ndarray, new: np.ndarray) -> float:
    """Return the standard error of the logarithm of a ratio of G-STDs over random swaps of (M, N) scores."""
    # Each run is swapped with the next one: runs of the same seed may be equal, so that a swap would change nothing.
    base, new = _centred(base), _centred(np.roll(new, 1, axis=1))
    half, middle = (new - base) / 2, (new + base) / 2
    squares = (middle**2 + half**2).mean(axis=1)
    least = 1e-18 * squares  # lower limit of a variance, because its logarithm is taken
    logarithms = []
    for signs in _swaps(half.shape, SWAPS_OF_SPREADS):
        shifts, products = _means(signs, half), 2 * _means(signs, half * middle)
        swapped = (np.sqrt(np.maximum(squares - shifts**2 + sign * products, least)).sum(axis=1) for sign in (1, -1))
        logarithms.append(np.subtract(*map(np.log, swapped)))
    return float(np.concatenate(logarithms).std())


def _centred(scores: np.ndarray) -> np.ndarray:
    # Without the shift, rounding of the mean would leave 1e-17 where all runs are equal.
    shifted = scores - scores[:, :1]
    return np.asarray(shifted - shifted.mean(axis=1, keepdims=True))


def _swaps(shape: tuple[int, ...], count: int) -> Iterator[np.ndarray]:
    """Yield blocks of random signs, (swaps, M, N), with `count` swaps in all; -1 swaps a run of an image."""
    generator = np.random.Generator(np.random.PCG64(0))
    block = max(1, 1_000_000 // math.prod(shape))
    for start in range(0, count, block):
        yield generator.integers(0, 2, (min(block, count - start), *shape), np.int8) * 2 - 1


def _means(signs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the means over runs of (M, N) values with (swaps, M, N) signs: (swaps, M)."""
    return np.asarray(np.einsum("sji,ji->sj", signs, values) / values.shape[1])
