"""How far two results of an unchanged method lie apart because their seeds differ.

A gate asks whether a method changed on these images. So the images are fixed, and chance is in the runs alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ccsr_bench.stability import spread

REACH = 3.0
"""Standard errors that chance is granted: an unchanged method exceeds them once in 740 times in each direction."""

INDEPENDENT_PATCHES = 64
"""Parts of an image whose pixels are taken to vary independently from run to run, which L-STD averages over.

512x512 outputs of a latent diffusion model have 64x64 latents with noise of their own; 64 parts of 8x8 latents are far
fewer. Were they 16, the tolerance would still be 1.5 standard errors.
"""

SWAPS = 10_000
"""Random ones, for a p-value."""

SWAPS_OF_SPREADS = 1000
"""For a standard error, which needs fewer."""


def difference_tolerance(base: np.ndarray, new: np.ndarray) -> float:
    """Return how far the means of two sets of runs lie apart by chance: `REACH` standard errors of their difference.

    Args:
        base: (M, N) float, the score of run i on image j at [j, i]; N at least 2.
        new: (M, N) float, of the same images in the same order.
    """
    images, runs = base.shape
    variances = base.var(axis=1, ddof=1) + new.var(axis=1, ddof=1)
    return float(REACH * math.sqrt(variances.sum() / runs) / images)


def swap_p_value(base: np.ndarray, new: np.ndarray) -> float:
    """Return the p-value of the hypothesis that nothing changed, two-sided.

    Had nothing changed, which of the two made run i of image j would not matter. So the two are swapped, at random for
    every run of every image, and the p-value is the share of such swaps, the actual assignment among them, whose means
    lie at least as far apart in standard errors. In standard errors, because some images may have got better while
    others got worse: that inflates the differences of swapped runs, and their standard errors with them.

    Args:
        base: (M, N) float, the score of run i on image j at [j, i]; N at least 2.
        new: (M, N) float, of the same images in the same order.
    """
    half = (new - base) / 2
    if not half.any():
        return 1.0
    middle = _centred((new + base) / 2)
    squares = (middle**2 + half**2).mean(axis=1)  # which no swap changes

    def distances(shifts: np.ndarray) -> np.ndarray:
        """Return squared distances, (swaps,), from half of each image's difference of means, (swaps, M)."""
        variance = (squares - shifts**2).sum(axis=1)
        least = 1e-9 * squares.sum()  # where runs are equal, rounding would decide
        return np.asarray(shifts.sum(axis=1) ** 2 / np.maximum(variance, least))

    actual = distances(half.mean(axis=1)[None])[0] * (1 - 1e-9)  # nor must it decide between equals
    as_far = sum(int((distances(_means(signs, half)) >= actual).sum()) for signs in _swaps(half.shape, SWAPS))
    return (1 + as_far) / (1 + SWAPS)


def g_std_tolerance(base: np.ndarray, new: np.ndarray) -> float:
    """Return how far the ratio of two G-STDs is from 1 by chance: `REACH` standard errors of its logarithm.

    The standard error is that of normal scores, or what random swaps of the runs' deviations from their means give
    where that is more: for scores with heavy tails.

    Args:
        base: (M, N) float, the score of run i on image j at [j, i]; N at least 2.
        new: (M, N) float, of the same images in the same order.

    Returns:
        A ratio, at least 1; exactly 1 where one of them has no spread, which is no chance.
    """
    spreads = spread(base), spread(new)
    if not all(values.any() for values in spreads):
        return 1.0
    error = max(_normal_error(*spreads, base.shape[1]), _swapped_error(base, new))
    return math.exp(REACH * error)


def l_std_tolerance(base: np.ndarray, new: np.ndarray, runs: int) -> float:
    """Return how far the ratio of two L-STDs is from 1 by chance: `REACH` standard errors of its logarithm.

    Args:
        base: (M,) float, each image's L-STD, an average of `INDEPENDENT_PATCHES` standard deviations.
        new: (M,) float, of the same images in the same order.
        runs: N, at least 2.

    Returns:
        A ratio, at least 1.
    """
    return math.exp(REACH * _normal_error(base, new, runs) / math.sqrt(INDEPENDENT_PATCHES))


def _normal_error(base: np.ndarray, new: np.ndarray, runs: int) -> float:
    """Return the standard error of the logarithm of the ratio of two mean standard deviations, each (M,).

    One of N normal values has a relative standard error of about 1 / sqrt(2 (N - 1)); in the mean over images each
    counts by its share.
    """
    shares = sum((values**2).sum() / values.sum() ** 2 for values in (base, new) if values.any())
    return math.sqrt(shares / (2 * (runs - 1)))


def _swapped_error(base: np.ndarray, new: np.ndarray) -> float:
    """Return the standard error of the logarithm of a ratio of G-STDs over random swaps of (M, N) scores."""
    # Each run with the next one, because runs of the same seed may be equal, and to swap them would be no change.
    base, new = _centred(base), _centred(np.roll(new, 1, axis=1))
    half, middle = (new - base) / 2, (new + base) / 2
    squares = (middle**2 + half**2).mean(axis=1)
    least = 1e-18 * squares  # of a variance, for its logarithm
    logarithms = []
    for signs in _swaps(half.shape, SWAPS_OF_SPREADS):
        shifts, products = _means(signs, half), 2 * _means(signs, half * middle)
        swapped = (np.sqrt(np.maximum(squares - shifts**2 + sign * products, least)).sum(axis=1) for sign in (1, -1))
        logarithms.append(np.subtract(*map(np.log, swapped)))
    return float(np.concatenate(logarithms).std())


def _centred(scores: np.ndarray) -> np.ndarray:
    # Without the shift the rounding of the mean would leave 1e-17 where all runs are equal.
    shifted = scores - scores[:, :1]
    return np.asarray(shifted - shifted.mean(axis=1, keepdims=True))


def _swaps(shape: tuple[int, ...], count: int) -> Iterator[np.ndarray]:
    """Yield blocks of random signs, (some, M, N), `count` in all; -1 swaps a run of an image."""
    generator = np.random.Generator(np.random.PCG64(0))
    block = max(1, 1_000_000 // math.prod(shape))
    for start in range(0, count, block):
        yield generator.integers(0, 2, (min(block, count - start), *shape), np.int8) * 2 - 1


def _means(signs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the means over runs of (M, N) values with (swaps, M, N) signs: (swaps, M)."""
    return np.asarray(np.einsum("sji,ji->sj", signs, values) / values.shape[1])
