"""Means of windows of an image, weighted by a Gaussian."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def gaussian_taps(size: int, sigma: float) -> list[float]:
    """Return the `size` weights of a Gaussian along one dimension, whose sum is 1.

    Args:
        size: Number of weights, odd.
        sigma: Standard deviation, in pixels.
    """
    offsets = torch.arange(size, dtype=torch.float64) - size // 2
    taps = torch.exp(-(offsets**2) / (2 * sigma**2))
    return [float(tap) for tap in taps / taps.sum()]


def window_means(images: Tensor, taps: Sequence[float]) -> Tensor:
    """Return the weighted mean of every window, at valid positions only.

    Two passes of shifted sums: torch's float64 convolutions take twenty times as long on a CPU.

    Args:
        images: Images, (..., H, W) float64.
        taps: The K weights along each dimension, with the sum 1.

    Returns:
        The weighted means, (..., H-K+1, W-K+1) float64.
    """
    return _means_along(_means_along(images, -1, taps), -2, taps)


def _means_along(images: Tensor, dim: int, taps: Sequence[float]) -> Tensor:
    length = images.shape[dim] - len(taps) + 1
    total = images.narrow(dim, 0, length) * taps[0]
    for offset, tap in enumerate(taps[1:], start=1):
        total.add_(images.narrow(dim, offset, length), alpha=tap)
    return total
