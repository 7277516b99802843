"""The interface of metrics, and the images that they score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor


class ImageBatch:
    """N images of one size, as written to disk; the representations that metrics share are computed once.

    Metrics take this class instead of a float tensor, so that none of them has to infer the 8-bit levels, and the luma
    that PSNR and SSIM both need is computed once.

    Args:
        pixels: Images, (N, H, W, 3) uint8 RGB.
        device: Device of the tensors.
    """

    def __init__(self, pixels: np.ndarray, device: torch.device) -> None:
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] != 3:
            raise ValueError(f"expected (N, H, W, 3) uint8, got {pixels.shape} {pixels.dtype}")
        # A copy: arrays decoded from files are read-only, which torch does not support.
        self.levels: Tensor = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).to(device)
        """(N, 3, H, W) uint8 RGB."""

    def __len__(self) -> int:
        return len(self.levels)

    @cached_property
    def rgb(self) -> Tensor:
        """(N, 3, H, W) float32 RGB in [0, 1], the input of networks."""
        return self.levels.float() / 255

    @cached_property
    def luma(self) -> Tensor:
        """(N, H, W) float64, Y of BT.601 limited-range YCbCr in [16, 235], not rounded.

        Exact to the last bit: 255000 (Y - 16) is an integer below 2^53.
        """
        return self._weighted_sum(65481, 128553, 24966).div_(255000).add_(16)

    @cached_property
    def grey(self) -> Tensor:
        """(N, H, W) float64, Y of full-range YIQ in [0, 255], not rounded."""
        return self._weighted_sum(299, 587, 114).div_(1000)

    def _weighted_sum(self, red: int, green: int, blue: int) -> Tensor:
        """Return (N, H, W) float64, computed one image at a time to keep temporary tensors small."""
        count, _, height, width = self.levels.shape
        sums = torch.empty((count, height, width), dtype=torch.float64, device=self.levels.device)
        for levels, total in zip(self.levels, sums, strict=True):
            channels = levels.double()
            torch.mul(channels[0], red, out=total)
            total.add_(channels[1], alpha=green).add_(channels[2], alpha=blue)
        return sums


class Metric(Protocol):
    """One metric with one definition; `ccsr_bench.metrics.catalogue` describes it without loading it.

    A score depends on its own image and reference alone, not on the other images of the batch or their number.
    """

    definition: str
    """The complete definition: colour, crop, backend, version, hash of the weights. It is stored with every score."""

    def prepare(self, reference: ImageBatch) -> Any:
        """Return what `score` needs of the HR image; it is computed once and used for all N outputs.

        Args:
            reference: HR image, as a batch of one.
        """
        ...

    def score(self, outputs: ImageBatch, prepared: Any) -> Tensor:
        """Score N outputs for one reference.

        Args:
            outputs: N images of the reference's size.
            prepared: Return value of `prepare`.

        Returns:
            One score per output, (N,) float64.
        """
        ...


class FeatureExtractor(Protocol):
    """Computes the feature vectors, one per image, that a metric of sets of images compares."""

    definition: str
    """The complete definition, which is stored with every vector."""

    def features(self, images: ImageBatch) -> Tensor:
        """Return (N, D) float32, on the CPU; a vector depends on its own image alone."""
        ...


@dataclass(frozen=True)
class SetMetric:
    """A metric of all outputs of one run together, such as FID: vectors are recorded instead of scores."""

    definition: str
    extractor: FeatureExtractor


def crop_border(images: Tensor, crop: int) -> Tensor:
    """Return images without a border of `crop` pixels in the last two dimensions."""
    return images[..., crop:-crop, crop:-crop] if crop else images


def crop_text(crop: int) -> str:
    """Return the text for the crop in a definition."""
    return f"{crop}-pixel border left out" if crop else "no crop"
