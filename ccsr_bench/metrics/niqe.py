"""NIQE (Mittal et al., "Making a `Completely Blind` Image Quality Analyzer", IEEE SPL 20(3), 2013)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.gaussian import gaussian_taps, window_means
from ccsr_bench.metrics.networks.weights import read_tensors

_BLOCK = 96
"""Side of a block at the first scale, in pixels; at the second scale it is half of that."""

_TAPS = gaussian_taps(7, 7 / 6)

_FLAT = 1e-12
"""Relative excess of the local mean. In a flat area the pixel and the local mean are equal, and the sign of their
difference is that of a rounding error: it would depend on the machine. With the excess, which is a thousand times as
large as a rounding error, the sign is negative, as it mostly is in pyiqa."""

_HALVING = [tap / 256 for tap in (-3, -9, 29, 111, 111, 29, -9, -3)]
"""Keys' cubic kernel (a = -1/2), widened by 2 against aliasing, at the distances 0.25, 0.75, 1.25 and 1.75: what
MATLAB's imresize computes for a factor of 0.5."""

_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Rows and columns to the neighbour that a pixel is multiplied by; a block is continued at its opposite side."""


def check_block(images: ImageBatch) -> None:
    """Check that images hold at least one block.

    Raises:
        BenchError: They are smaller.
    """
    if min(images.levels.shape[-2:]) < _BLOCK:
        raise BenchError(f"niqe: the image is smaller than its {_BLOCK}-pixel block; choose `metrics` without niqe")


class NIQE:
    """NIQE as in the authors' MATLAB code, on Y of full-range YIQ, in float64: 0 or more, and lower for a better image.

    The score is the distance between two Gaussian distributions of 36 features: that of the image's blocks and that of
    the blocks of natural images. It does not depend on the machine, except that an image whose shape parameter lies
    within a rounding error of the middle between two entries of the table would change by up to 2e-2.

    Args:
        device: Device of the metric.

    Raises:
        MetricUnavailableError: The model of natural images is missing.
        BenchError: The model of natural images is not the published one.
    """

    def __init__(self, *, device: torch.device) -> None:
        tensors, cited = read_tensors("niqe", "niqe")
        self._mean, self._covariance = tensors["mu_prisparam"][0], tensors["cov_prisparam"]
        self._table = _ShapeTable(device)
        self.definition = (
            f"NIQE on Y of full-range YIQ, rounded to 8 bits; no crop; 96x96 blocks at two scales, flat areas count as "
            f"slightly below their mean, float64 (ccsr-bench); {cited}"
        )

    def prepare(self, reference: ImageBatch) -> None:
        """Return nothing: NIQE has no reference."""

    def score(self, outputs: ImageBatch, prepared: None) -> Tensor:  # noqa: ARG002
        """Return (N,) float64, 0 or more; see `ccsr_bench.metrics.base.Metric`.

        Raises:
            BenchError: The images are smaller than a block, or no block of an image has texture.
        """
        check_block(outputs)
        # One image at a time: faster on a CPU, as the maps stay in the cache, and independent of other images.
        return torch.stack([self._score(grey.round()) for grey in outputs.grey])

    def _score(self, grey: Tensor) -> Tensor:
        """Return the score of an image, () float64 on the CPU.

        Args:
            grey: Grey levels, (H, W) float64 in [0, 255].
        """
        height, width = (length // _BLOCK * _BLOCK for length in grey.shape)
        grey = grey[:height, :width]
        scales = ((grey, _BLOCK), (halve(grey), _BLOCK // 2))
        features = torch.cat([self._features(image, block) for image, block in scales], 1).cpu()
        textured = features[~features.isnan().any(1)]
        if not len(textured):
            raise BenchError(
                f"niqe: none of the image's {_BLOCK}-pixel blocks has texture; choose `metrics` without niqe"
            )
        difference = self._mean - features.nanmean(0)
        # A single block has no covariance: 0 is added.
        covariance = torch.cov(textured.T) if len(textured) > 1 else torch.zeros_like(self._covariance)
        inverse = torch.linalg.pinv((self._covariance + covariance) / 2)
        return torch.sqrt(difference @ inverse @ difference)

    def _features(self, grey: Tensor, block: int) -> Tensor:
        """Return the 18 features of every block at one scale, (B, 18) float64, with NaN for a flat block."""
        blocks = normalise(grey).unfold(0, block, block).unfold(1, block, block).flatten(0, 1)
        shape, left, right = self._table.fit(blocks.flatten(1))
        features = [shape, (left + right) / 2]
        for neighbour in _NEIGHBOURS:
            products = blocks * blocks.roll(neighbour, (1, 2))
            shape, left, right = self._table.fit(products.flatten(1))
            mean = (right - left) * torch.exp(torch.lgamma(2 / shape) - torch.lgamma(1 / shape))
            features += [shape, mean, left, right]
        return torch.stack(features, 1)


class _ShapeTable:
    """The moments of generalised Gaussian distributions of the shapes 0.2 to 10, in steps of 0.001.

    Args:
        device: Device of the samples.
    """

    def __init__(self, device: torch.device) -> None:
        shapes = torch.arange(200, 10001, dtype=torch.float64) / 1000
        first, second, third = (torch.lgamma(moment / shapes) for moment in (1, 2, 3))
        ratios = torch.exp(2 * second - first - third)  # E|x|^2 / E x^2, which increases with the shape
        self._shapes = shapes.to(device)
        self._middles = ((ratios[1:] + ratios[:-1]) / 2).to(device)
        """Between neighbouring ratios: a search in them finds the nearest ratio."""

    def fit(self, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Fit asymmetric generalised Gaussian distributions by their moments.

        Args:
            samples: B samples of n values, (B, n) float64.

        Returns:
            The shapes and the left and right scales, (B,) float64 each. The scale of a side without values is NaN, and
            the shape is then 0.2, as in the authors' code.
        """
        negative, positive = samples.clamp(max=0), samples.clamp(min=0)
        left_squares, right_squares = negative.square().sum(1), positive.square().sum(1)
        left = torch.sqrt(left_squares / (samples < 0).sum(1))
        right = torch.sqrt(right_squares / (samples > 0).sum(1))
        skew = left / right
        magnitude = (positive.sum(1) - negative.sum(1)) / samples.shape[1]
        ratio = magnitude.square() / ((left_squares + right_squares) / samples.shape[1])
        ratio = ratio * (skew**3 + 1) * (skew + 1) / (skew.square() + 1).square()
        shape = self._shapes[torch.searchsorted(self._middles, ratio.nan_to_num(0))]
        scale = torch.exp((torch.lgamma(1 / shape) - torch.lgamma(3 / shape)) / 2)
        return shape, left * scale, right * scale


def normalise(grey: Tensor) -> Tensor:
    """Return mean-subtracted, contrast-normalised levels, (H, W) float64, from the levels, (H, W) float64."""
    margin = len(_TAPS) // 2
    padded = functional.pad(grey[None], (margin,) * 4, mode="replicate")[0]
    mean, square = window_means(torch.stack([padded, padded * padded]), _TAPS)
    deviation = torch.sqrt((square - mean * mean).abs())
    normalised: Tensor = (grey - mean * (1 + _FLAT)) / (deviation + 1)
    return normalised


def halve(grey: Tensor) -> Tensor:
    """Return an image of half the size, as by MATLAB's imresize with bicubic interpolation and antialiasing.

    Args:
        grey: Levels, (H, W) float64, of an even height and width; continued by reflection at its borders.

    Returns:
        Levels, (H/2, W/2) float64.
    """
    for dim in (0, 1):
        length = grey.shape[dim]
        before, after = grey.narrow(dim, 0, 3).flip(dim), grey.narrow(dim, length - 3, 3).flip(dim)
        extended = torch.cat([before, grey, after], dim).movedim(dim, 0)
        terms = (extended[start : start + length - 1 : 2] * tap for start, tap in enumerate(_HALVING))
        grey = torch.stack(list(terms)).sum(0).movedim(0, dim)
    return grey
