"""Giving an output the colours of its input: AdaIN, or the low frequencies of a wavelet decomposition.

Source: ``myutils/wavelet_color_fix.py`` of the official code; StableSR (arXiv:2305.07015), Section 3.3.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_LEVELS = 5
_EPSILON = 1e-5


class ColorFix:
    """Fixes the colours of the outputs for one reference, whose statistics are computed once.

    Args:
        kind: ``adain``, ``wavelet`` or ``none``.
        reference: Upscaled LR image, (H, W, 3) uint8.
        rounding: Conversion of the result to 8 bits: ``truncate``, as in the official code, or ``nearest``.
    """

    def __init__(self, kind: str, reference: np.ndarray, *, rounding: str = "truncate") -> None:
        self._kind = kind
        self._rounding = rounding
        if kind == "adain":
            self._mean, self._std = _mean_std(_to_float(reference))
        elif kind == "wavelet":
            self._low = _decompose(_to_float(reference))[1]
        elif kind != "none":
            raise ValueError(f"colour fix '{kind}': must be adain, wavelet or none")

    def __call__(self, output: np.ndarray) -> np.ndarray:
        """Return (H, W, 3) uint8 with the reference's colours.

        Args:
            output: Output of the model, (H, W, 3) uint8.
        """
        if self._kind == "none":
            return output
        image = _to_float(output)
        if self._kind == "adain":
            mean, std = _mean_std(image)
            fixed = (image - mean) / std * self._std + self._mean
        else:
            fixed = _decompose(image)[0] + self._low
        levels = fixed.clamp(0, 1) * 255
        levels = levels.round() if self._rounding == "nearest" else levels
        pixels: np.ndarray = levels[0].permute(1, 2, 0).to(torch.uint8).numpy()
        return pixels


def _to_float(pixels: np.ndarray) -> Tensor:
    """Return (1, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255


def _mean_std(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return each channel's mean and (unbiased) standard deviation, (1, 3, 1, 1)."""
    flat = image.reshape(1, 3, -1)
    std = (flat.var(dim=2) + _EPSILON).sqrt()
    return flat.mean(dim=2)[..., None, None], std[..., None, None]


def _decompose(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sum of the high frequencies of all levels, and the low frequencies that remain."""
    high = torch.zeros_like(image)
    for level in range(_LEVELS):
        low = _blur(image, 2**level)
        high += image - low
        image = low
    return high, image


def _blur(image: Tensor, radius: int) -> Tensor:
    row = torch.tensor([0.25, 0.5, 0.25], device=image.device)
    kernel = torch.outer(row, row).expand(3, 1, 3, 3)
    padded = functional.pad(image, (radius,) * 4, mode="replicate")
    return functional.conv2d(padded, kernel, groups=3, dilation=radius)
