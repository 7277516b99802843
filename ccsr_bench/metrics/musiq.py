"""MUSIQ (Ke et al., "MUSIQ: Multi-scale Image Quality Transformer", ICCV 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

from ccsr_bench.devices.batches import Batches
from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.base import ImageBatch
from ccsr_bench.metrics.networks.musiq_network import MUSIQNetwork
from ccsr_bench.metrics.networks.musiq_patches import Places, copy_sizes, places
from ccsr_bench.metrics.networks.precision import Precision, network_precision
from ccsr_bench.metrics.networks.weights import load_strictly, read_tensors
from ccsr_bench.metrics.weight_files import FILES

_KEY = "musiq-koniq"
_MOST_ON_GPU = 10
_BYTES_PER_PIXEL = 700


class MUSIQ:
    """MUSIQ trained on KonIQ-10k: about 0 to 100, and higher for a better-looking image.

    Args:
        device: Device of the network.
        precision: Precision of the network: ``fast`` uses TF32 on a GPU, otherwise both are float32. bfloat16 would
            change the mean of scores by about 0.04.

    Raises:
        MetricUnavailableError: The weights are missing.
        BenchError: The weights are not the published ones.
    """

    def __init__(self, *, device: torch.device, precision: Precision = "exact") -> None:
        tensors, cited = read_tensors("musiq", _KEY)
        name = FILES[_KEY].name
        self._network = MUSIQNetwork()
        load_strictly(self._network, tensors, name)
        self._network.finish(device)
        self._device = device
        # One image at a time on a CPU: as fast as a batch, and the score cannot depend on other images.
        self._batches = Batches(device, _MOST_ON_GPU if device.type == "cuda" else 1, _BYTES_PER_PIXEL)
        self.definition = (
            f"MUSIQ on RGB in [-1, 1], KonIQ-10k weights; no crop; 32x32 patches of the whole image and of bicubic "
            f"copies with longer sides of 224 and 384; {network_precision(precision, device)} (ccsr-bench); "
            f"{cited}"
        )

    def prepare(self, reference: ImageBatch) -> None:
        """Return nothing: MUSIQ has no reference."""

    def score(self, outputs: ImageBatch, prepared: None) -> Tensor:  # noqa: ARG002
        """Return (N,) float64, about 0 to 100; see `ccsr_bench.metrics.base.Metric`."""
        height, width = outputs.rgb.shape[-2:]
        if min(map(min, copy_sizes(height, width))) < 1:
            raise BenchError("musiq: the image is smaller than 1 pixel when resized; choose `metrics` without musiq")
        image_places = Places(*(part.to(self._device) for part in places(height, width)))
        embedding = self._network.transformer_encoder.embed_places(image_places)
        return self._batches.map(lambda images: self._network(images, embedding), outputs.rgb).double()
