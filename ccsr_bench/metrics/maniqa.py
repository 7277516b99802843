"""MANIQA (Yang et al., "Multi-dimension Attention Network for No-Reference Image Quality Assessment", CVPRW 2022)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ccsr_bench.devices.batches import Batches
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.networks.maniqa_network import CROP, UNUSED, Network
from ccsr_bench.metrics.networks.precision import Precision, fast_dtype
from ccsr_bench.metrics.networks.weights import load_strictly, read_tensors
from ccsr_bench.metrics.weight_files import FILES

_ROWS, _COLUMNS = 4, 5
"""Grid of crops. The step is a quarter of the spare length in both directions, so the four rows never
cover the bottom strip (as in pyiqa)."""

_CROPS_ON_GPU = _ROWS * _COLUMNS
_BYTES_PER_PIXEL = 1500
"""Memory per pixel of a crop."""


class _Weights(NamedTuple):
    key: str
    label: str
    scale: float
    trained_on: str


_WEIGHTS = {
    "pipal": _Weights("maniqa-pipal", "MANIQA", 0.13, "PIPAL"),
    "koniq": _Weights("maniqa-koniq", "MANIQA-KonIQ", 0.8, "KonIQ-10k"),
}


def uniform_crops(image: Tensor) -> Tensor:
    """Return the crops that pyiqa takes, without repetition.

    An image whose shorter side is 224 pixels or less is first enlarged to 225. The step can be 0, which makes crops
    equal. Every crop then occurs equally often, so the mean over the distinct crops is the mean over all.

    Args:
        image: Image, (3, H, W) float32.

    Returns:
        The crops, (B, 3, 224, 224) float32; B is 20, or less where crops are equal.
    """
    shorter = min(image.shape[1:])
    if shorter <= CROP:
        image = functional.interpolate(image[None], scale_factor=(CROP + 1) / shorter, mode="bilinear")[0]
    tops, lefts = (
        dict.fromkeys(index * ((length - CROP) // _ROWS) for index in range(count))
        for length, count in zip(image.shape[1:], (_ROWS, _COLUMNS), strict=True)
    )
    return torch.stack([image[:, top : top + CROP, left : left + CROP] for top in tops for left in lefts])


class MANIQA:
    """MANIQA as in pyiqa: about 0 to 1, and higher for a better-looking image.

    The score is the mean over the patches of up to 20 crops, with weights that the network computes.

    Args:
        device: Device of the network.
        precision: Precision of the network: ``fast`` computes matrix products and convolutions in bfloat16.
        weights: Training data of the weights: ``pipal``, or ``koniq`` for KonIQ-10k.

    Raises:
        MetricUnavailableError: The weights are missing.
        BenchError: The weights are not the published ones.
    """

    def __init__(
        self, *, device: torch.device, precision: Precision = "exact", weights: Literal["pipal", "koniq"] = "pipal"
    ) -> None:
        key, label, scale, trained_on = _WEIGHTS[weights]
        dtype = fast_dtype(precision)
        tensors, cited = read_tensors("maniqa" if weights == "pipal" else key, key)
        with torch.device("meta"):
            network = Network(scale)
        network.to_empty(device="cpu")
        file = FILES[key].name
        load_strictly(network, {name: tensor for name, tensor in tensors.items() if name not in UNUSED}, file)
        self._network = network.to(device)
        self._network.freeze(dtype)
        # One crop at a time on a CPU: as fast as a batch, and the score cannot depend on other crops.
        self._batches = Batches(device, _CROPS_ON_GPU if device.type == "cuda" else 1, _BYTES_PER_PIXEL)
        self.definition = (
            f"{label} on RGB in [-1, 1], {trained_on} weights, scale {scale}; no crop; 20 uniform 224x224 crops "
            f"(shorter sides up to 224 enlarged to 225, bilinear); mean over the 8x8 patches of all crops, weighted by "
            f"the network; {str(dtype).removeprefix('torch.')} network (ccsr-bench); {cited}"
        )

    def prepare(self, reference: ImageBatch) -> None:
        """Return nothing: MANIQA has no reference."""

    def score(self, outputs: ImageBatch, prepared: None) -> Tensor:  # noqa: ARG002
        """Return (N,) float64, about 0 to 1; see `ccsr_bench.metrics.base.Metric`."""
        return torch.stack([self._score(image) for image in outputs.rgb])

    def _score(self, image: Tensor) -> Tensor:
        sums = self._batches.map(self._network, uniform_crops((image - 0.5) / 0.5)).sum(0)
        return sums[0] / (sums[1] + 1e-8)
