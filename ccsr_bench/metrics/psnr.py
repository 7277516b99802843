"""Peak signal-to-noise ratio."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ccsr_bench.metrics.base import ImageBatch, crop_border, crop_text

_FLOOR = 1e-8
"""Added to the mean squared error, as pyiqa does: identical images score 80 dB instead of infinity."""

_COLOURS = {
    "ycbcr": "Y of BT.601 limited-range YCbCr, not rounded",
    "rgb": "RGB, one mean over the three channels",
}


class PSNR:
    """10 log10(1 / (MSE + 1e-8)) in float64, x in [0, 1].

    Args:
        colour: ``ycbcr`` for the Y that super-resolution papers use, or ``rgb``, whose scores are 1.3 dB or more lower.
        crop: Width of the border to leave out, in pixels.
    """

    def __init__(self, *, colour: Literal["ycbcr", "rgb"] = "ycbcr", crop: int = 0) -> None:
        self._colour = colour
        self._crop = crop
        self.definition = (
            f"PSNR in dB on {_COLOURS[colour]}; {crop_text(crop)}; x/255 in [0, 1], float64, "
            f"10 log10(1 / (MSE + 1e-8)) (ccsr-bench)"
        )

    def _signal(self, images: ImageBatch) -> Tensor:
        signal = images.luma[:, None] if self._colour == "ycbcr" else images.levels.double()
        return crop_border(signal, self._crop)

    def prepare(self, reference: ImageBatch) -> Tensor:
        """Return the reference's signal in grey levels, (1, C, H, W) float64."""
        return self._signal(reference)

    def score(self, outputs: ImageBatch, prepared: Tensor) -> Tensor:
        """Return (N,) float64 in dB, at most 80; see `ccsr_bench.metrics.base.Metric`."""
        # One image at a time, so that the order of summation cannot depend on the batch.
        squared_errors = [(image - prepared[0]).square_().mean() for image in self._signal(outputs)]
        return 10 * torch.log10(1 / (torch.stack(squared_errors) / 255**2 + _FLOOR))
