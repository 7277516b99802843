"""DISTS (Ding et al., Image Quality Assessment: Unifying Structure and Texture Similarity, TPAMI 44(5), 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ccsr_bench.devices.batches import Batches
from ccsr_bench.metrics.base import ImageBatch, crop_text
from ccsr_bench.metrics.networks.alexnet_vgg import ARCHITECTURES, FeatureNetwork, bands, check_size
from ccsr_bench.metrics.networks.precision import Precision, network_precision
from ccsr_bench.metrics.networks.weights import load_strictly, read_tensors
from ccsr_bench.metrics.weight_files import FILES

_C1 = _C2 = 1e-6
_UNDER_THE_ROOT = 1e-12
_BYTES_PER_PIXEL = 1500


class _Stage(NamedTuple):
    """The reference's features and moments at one stage."""

    centred: Tensor
    """Features minus their mean, (1, C, h, w) float32."""
    mean: Tensor
    """(1, C) float64."""
    variance: Tensor
    """(1, C) float64."""


def l2_pool(features: Tensor) -> Tensor:
    """Halve the size by the root mean square, weighted by a 3x3 Hann window at every other position.

    Args:
        features: Features, (N, C, H, W) float32; they are overwritten.

    Returns:
        (N, C, ceil(H/2), ceil(W/2)) float32.
    """
    channels = features.shape[1]
    taps = torch.tensor([0.25, 0.5, 0.25], device=features.device)
    window = torch.outer(taps, taps).expand(channels, 1, 3, 3).contiguous(memory_format=torch.channels_last)
    means = F.conv2d(features.square_(), window, stride=2, padding=1, groups=channels)
    return means.add_(_UNDER_THE_ROOT).sqrt_()


def read_similarity_weights(channels: list[int]) -> tuple[Tensor, Tensor, str]:
    """Read the weights of each channel's mean and structure.

    Args:
        channels: Number of channels of each stage, of which the image itself is the first.

    Returns:
        Alpha and beta, (1, sum of channels) float64, before the division by the sum of both; and the words that
        identify them in a definition.

    Raises:
        MetricUnavailableError: The file is missing.
        BenchError: The file is not the published one.
    """
    tensors, cited = read_tensors("dists", "dists")
    shape = (1, sum(channels), 1, 1)
    layout = nn.ParameterDict({name: torch.zeros(shape) for name in ("alpha", "beta")})
    load_strictly(layout, tensors, FILES["dists"].name)
    return tensors["alpha"].flatten(1).double(), tensors["beta"].flatten(1).double(), cited


class DISTS:
    """DISTS: the similarity of means (texture) and structures of an image and of its VGG16 features.

    Args:
        device: Device of the network.
        precision: Precision of the network: ``fast`` uses TF32 on a GPU, otherwise both are float32. bfloat16 would
            change scores by about 1e-4.

    Raises:
        MetricUnavailableError: A file of weights is missing.
        BenchError: A file of weights is not the published one.
    """

    def __init__(self, *, device: torch.device, precision: Precision = "exact") -> None:
        self._network = FeatureNetwork("dists", "vgg16", l2_pool, device)
        channels = [3, *ARCHITECTURES["vgg16"].channels]
        alpha, beta, cited = read_similarity_weights(channels)
        total = alpha.sum() + beta.sum()
        self._alphas, self._betas = (
            torch.split((weights / total).to(device), channels, 1) for weights in (alpha, beta)
        )
        self._batches = Batches(device, 1 if device.type == "cpu" else 10, _BYTES_PER_PIXEL)
        self.definition = (
            f"DISTS on RGB x/255 standardised by ImageNet's mean and deviation, no resizing; {crop_text(0)}; "
            f"VGG16 with L2 pooling, {network_precision(precision, device)} (ccsr-bench); "
            f"{self._network.cited}, {cited}"
        )

    def _stages(self, images: Tensor) -> Iterator[Tensor]:
        yield images
        yield from self._network(images)

    def prepare(self, reference: ImageBatch) -> list[_Stage]:
        """Return the reference's centred features and moments, for the image itself and for each stage."""
        check_size("dists", "vgg16", reference.rgb)
        prepared = []
        for features in self._stages(reference.rgb):
            mean = features.mean((2, 3), keepdim=True)
            centred = features - mean
            square = torch.zeros(mean.shape[:2], dtype=torch.float64, device=mean.device)
            for rows in bands(centred):
                square += centred[:, :, rows].square().sum((2, 3))
            prepared.append(_Stage(centred, mean.flatten(1).double(), square / centred[0, 0].numel()))
        return prepared

    def score(self, outputs: ImageBatch, prepared: list[_Stage]) -> Tensor:
        """Return (N,) float64, 0 or more; see `ccsr_bench.metrics.base.Metric`."""
        check_size("dists", "vgg16", outputs.rgb)
        return self._batches.map(lambda images: self._distance(images, prepared), outputs.rgb)

    def _distance(self, images: Tensor, prepared: list[_Stage]) -> Tensor:
        similarity = torch.zeros(len(images), dtype=torch.float64, device=images.device)
        for features, reference, alpha, beta in zip(
            self._stages(images), prepared, self._alphas, self._betas, strict=True
        ):
            mean, variance, covariance = _moments(features, reference)
            means = (2 * mean * reference.mean + _C1) / (mean.square() + reference.mean.square() + _C1)
            structures = (2 * covariance + _C2) / (variance + reference.variance + _C2)
            similarity += (alpha * means + beta * structures).sum(1)
        # The similarity exceeds 1 only by rounding, as no weight is negative.
        return (1 - similarity).clamp_(min=0)


def _moments(features: Tensor, reference: _Stage) -> tuple[Tensor, Tensor, Tensor]:
    """Return the features' means, variances and covariances with the reference, each (N, C) float64.

    Moments around the reference's mean, which is near the output's, keep their precision where the mean is large, and
    need only one pass.
    """
    origin = reference.mean[:, :, None, None].float()
    sums = torch.zeros((3, *features.shape[:2]), dtype=torch.float64, device=features.device)
    for rows in bands(features):
        shifted = features[:, :, rows] - origin
        sums[0] += shifted.sum((2, 3))
        sums[1] += (shifted * reference.centred[:, :, rows]).sum((2, 3))
        sums[2] += shifted.square_().sum((2, 3))
    shift, covariance, square = sums / features[0, 0].numel()
    return reference.mean + shift, square - shift.square(), covariance
