"""Structural similarity (Wang et al., IEEE Transactions on Image Processing 13(4), 2004)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.base import ImageBatch, crop_border, crop_text
from ccsr_bench.metrics.gaussian import gaussian_taps, window_means

_WINDOW = 11
_SIGMA = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2

_COLOURS = {
    "ycbcr": "Y of BT.601 limited-range YCbCr, rounded to 8 bits",
    "grey": "Y of full-range YIQ, rounded to 8 bits",
}


_TAPS = gaussian_taps(_WINDOW, _SIGMA)


class Prepared(NamedTuple):
    """The reference's luma, (H, W) float64, and its local moments, (H-10, W-10) float64."""

    luma: Tensor
    mean: Tensor
    variance: Tensor


class SSIM:
    """SSIM with the 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, L = 255, at valid positions.

    Args:
        colour: ``ycbcr`` for the Y that super-resolution papers use, or ``grey``.
        crop: Width of the border to leave out, in pixels.
        floor_at_zero: Whether negative contrast-structure terms are raised to 0, as by pyiqa but not by Wang et al.
    """

    def __init__(
        self, *, colour: Literal["ycbcr", "grey"] = "ycbcr", crop: int = 0, floor_at_zero: bool = True
    ) -> None:
        self._colour = colour
        self._crop = crop
        self._floor_at_zero = floor_at_zero
        floor = "negative contrast-structure terms raised to 0" if floor_at_zero else "negative terms kept"
        self.definition = (
            f"SSIM on {_COLOURS[colour]}; {crop_text(crop)}; 11x11 Gaussian window of sigma 1.5 at valid positions, "
            f"K1 0.01, K2 0.03, L 255, population moments, {floor}, float64 (ccsr-bench)"
        )

    def _signal(self, images: ImageBatch) -> Tensor:
        signal = crop_border(images.luma if self._colour == "ycbcr" else images.grey, self._crop)
        if min(signal.shape[-2:]) < _WINDOW:
            raise BenchError(
                f"ssim: the image is smaller than the {_WINDOW}-pixel window after cropping; "
                f"choose `metrics` without ssim"
            )
        return signal.round()

    def prepare(self, reference: ImageBatch) -> Prepared:
        """Return the reference's luma and local moments."""
        luma = self._signal(reference)[0]
        mean, square = window_means(torch.stack([luma, luma * luma]), _TAPS)
        return Prepared(luma, mean, square - mean * mean)

    def score(self, outputs: ImageBatch, prepared: Prepared) -> Tensor:
        """Return (N,) float64 in [-1, 1]; see `ccsr_bench.metrics.base.Metric`."""
        # One image at a time: faster on a CPU, as the maps stay in the cache, and independent of other images.
        return torch.stack([self._similarity(luma, prepared) for luma in self._signal(outputs)])

    def _similarity(self, luma: Tensor, reference: Prepared) -> Tensor:
        mean, square, product = window_means(torch.stack([luma, luma * luma, luma * reference.luma]), _TAPS)
        means = mean * reference.mean
        mean_square = mean.square()
        contrast_structure = (2 * (product - means) + _C2) / (square - mean_square + reference.variance + _C2)
        if self._floor_at_zero:
            contrast_structure.clamp_(min=0)
        luminance = (2 * means + _C1) / (mean_square + reference.mean.square() + _C1)
        similarity: Tensor = luminance * contrast_structure
        return similarity.mean()
