"""LPIPS (Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR 2018)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ccsr_bench.devices.batches import Batches
from ccsr_bench.metrics.base import ImageBatch, crop_border, crop_text
from ccsr_bench.metrics.networks.alexnet_vgg import ARCHITECTURES, FeatureNetwork, bands, check_size
from ccsr_bench.metrics.networks.precision import Precision, network_precision
from ccsr_bench.metrics.networks.weights import load_strictly, read_tensors
from ccsr_bench.metrics.weight_files import FILES


class _Net(NamedTuple):
    label: str
    architecture: Literal["alexnet", "vgg16"]
    pooling: int
    """Window size of max pooling, in features; its stride is 2."""
    bytes_per_pixel: float


NETS = {"alex": _Net("LPIPS", "alexnet", 3, 200), "vgg": _Net("LPIPS-VGG", "vgg16", 2, 1500)}
_NO_DIVISION_BY_ZERO = 1e-10


def read_channel_weights(net: Literal["alex", "vgg"], channels: list[int]) -> tuple[list[Tensor], str]:
    """Read the weight of each channel of each stage.

    Returns:
        The weights of each stage, (C,) float64, 0 or more, and the words that identify them in a definition.

    Raises:
        MetricUnavailableError: The file is missing.
        BenchError: The file is not the published one.
    """
    key = f"lpips-{net}"
    tensors, cited = read_tensors("lpips", key)
    # In the published file layer 0 is a dropout, and layer 1 the weight.
    layers = [nn.ModuleDict({"1": nn.Conv2d(count, 1, 1, bias=False)}) for count in channels]
    network = nn.ModuleDict({f"lin{stage}": nn.ModuleDict({"model": layer}) for stage, layer in enumerate(layers)})
    load_strictly(network, tensors, FILES[key].name)
    return [tensors[f"lin{stage}.model.1.weight"].flatten().double() for stage in range(len(channels))], cited


class LPIPS:
    """LPIPS version 0.1: the weighted squared differences of unit-length features, averaged over positions.

    Args:
        device: Device of the network.
        precision: Precision of the network: ``fast`` uses TF32 on a GPU, otherwise both are float32. bfloat16 would
            change scores by about 5e-5.
        net: ``alex`` for AlexNet, which super-resolution papers report, or ``vgg`` for VGG16.
        crop: Width of the border to leave out, in pixels.

    Raises:
        MetricUnavailableError: A file of weights is missing.
        BenchError: A file of weights is not the published one.
    """

    def __init__(
        self,
        *,
        device: torch.device,
        precision: Precision = "exact",
        net: Literal["alex", "vgg"] = "alex",
        crop: int = 0,
    ) -> None:
        label, self._architecture, pooling, bytes_per_pixel = NETS[net]
        self._crop = crop
        self._network = FeatureNetwork(
            "lpips", self._architecture, lambda images: F.max_pool2d(images, pooling, stride=2), device
        )
        weights, cited = read_channel_weights(net, ARCHITECTURES[self._architecture].channels)
        self._weights = [weight.to(device) for weight in weights]
        self._batches = Batches(device, 1 if device.type == "cpu" else 10, bytes_per_pixel)
        self.definition = (
            f"{label} 0.1 on RGB x/255 standardised by ImageNet's mean and deviation, no resizing; {crop_text(crop)}; "
            f"{ARCHITECTURES[self._architecture].title}, {network_precision(precision, device)} (ccsr-bench); "
            f"{self._network.cited}, {cited}"
        )

    def _images(self, images: ImageBatch) -> Tensor:
        cropped = crop_border(images.rgb, self._crop)
        check_size("lpips", self._architecture, cropped)
        return cropped

    def prepare(self, reference: ImageBatch) -> list[Tensor]:
        """Return the reference's unit-length features of each stage, (1, C, h, w) float32."""
        return [_unit_length(features) for features in self._network(self._images(reference))]

    def score(self, outputs: ImageBatch, prepared: list[Tensor]) -> Tensor:
        """Return (N,) float64, 0 or more; see `ccsr_bench.metrics.base.Metric`."""
        return self._batches.map(lambda images: self._distance(images, prepared), self._images(outputs))

    def _distance(self, images: Tensor, prepared: list[Tensor]) -> Tensor:
        total = torch.zeros(len(images), dtype=torch.float64, device=images.device)
        for features, reference, weights in zip(self._network(images), prepared, self._weights, strict=True):
            squares = torch.zeros((len(images), len(weights)), dtype=torch.float64, device=images.device)
            for rows in bands(features):
                differences = _unit_length(features[:, :, rows]).sub_(reference[:, :, rows])
                squares += differences.square_().sum((2, 3))
            total += squares @ weights / reference[0, 0].numel()
        return total


def _unit_length(features: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    return features / (length + _NO_DIVISION_BY_ZERO)
