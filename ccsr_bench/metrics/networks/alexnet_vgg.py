"""The features of AlexNet and VGG16 that LPIPS and DISTS compare, from torchvision's published weights."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ccsr_bench.devices.layout import to_channels_last
from ccsr_bench.errors import BenchError
from ccsr_bench.metrics.networks.weights import load_strictly, read_tensors
from ccsr_bench.metrics.networks.winograd import WinogradConvolution
from ccsr_bench.metrics.weight_files import FILES

Step = Callable[[Tensor], Tensor]

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
_BAND = 32
"""Rows at once of activations that are not kept, so that they stay in the cache."""
_BAND_ELEMENTS = 2**20


class Convolution(NamedTuple):
    """One convolution's place in the file and its sizes."""

    number: int
    """Among torchvision's ``features``."""
    inputs: int
    outputs: int
    size: int = 3
    stride: int = 1
    padding: int = 1

    def layer(self) -> nn.Conv2d:
        """Return it with random weights."""
        return nn.Conv2d(self.inputs, self.outputs, self.size, self.stride, self.padding)


class Architecture(NamedTuple):
    """Stages of rectified convolutions; the last activations of each are its features."""

    title: str
    stages: tuple[tuple[Convolution, ...], ...]
    pooled: tuple[bool, ...]
    """Whether each stage begins with pooling."""
    smallest: int
    """The height and width that leave the last stage one pixel."""

    @property
    def channels(self) -> list[int]:
        """Of each stage's features."""
        return [stage[-1].outputs for stage in self.stages]


ARCHITECTURES = {
    "alexnet": Architecture(
        "AlexNet",
        (
            (Convolution(0, 3, 64, 11, 4, 2),),
            (Convolution(3, 64, 192, 5, 1, 2),),
            (Convolution(6, 192, 384),),
            (Convolution(8, 384, 256),),
            (Convolution(10, 256, 256),),
        ),
        (False, True, True, False, False),
        31,
    ),
    "vgg16": Architecture(
        "VGG16",
        (
            (Convolution(0, 3, 64), Convolution(2, 64, 64)),
            (Convolution(5, 64, 128), Convolution(7, 128, 128)),
            (Convolution(10, 128, 256), Convolution(12, 256, 256), Convolution(14, 256, 256)),
            (Convolution(17, 256, 512), Convolution(19, 512, 512), Convolution(21, 512, 512)),
            (Convolution(24, 512, 512), Convolution(26, 512, 512), Convolution(28, 512, 512)),
        ),
        (False, True, True, True, True),
        16,
    ),
}


class FeatureNetwork:
    """The rectified activations of a classification network at five depths, of float32 images.

    Args:
        metric: Whose features they are, for errors.
        architecture: ``alexnet`` or ``vgg16``.
        pool: What takes the place of torchvision's max pooling. It may overwrite what it is given.
        device: Where it computes.

    Raises:
        MetricUnavailableError: The weights are not there.
        BenchError: They are not the published ones.
    """

    def __init__(
        self, metric: str, architecture: Literal["alexnet", "vgg16"], pool: Step, device: torch.device
    ) -> None:
        stages, self._pooled = ARCHITECTURES[architecture].stages, ARCHITECTURES[architecture].pooled
        self._pool = pool
        self._device = device
        layers = {convolution.number: convolution.layer() for stage in stages for convolution in stage}
        tensors, self.sha256 = read_features(metric, architecture)
        network = nn.ModuleDict({"features": nn.ModuleDict({str(number): layers[number] for number in layers})})
        load_strictly(network.requires_grad_(False), tensors, FILES[architecture].name)
        self._stages = [_stage([layers[convolution.number].to(device) for convolution in stage]) for stage in stages]
        self._mean, self._deviation = (
            torch.tensor(values, device=device)[:, None, None] for values in (_MEAN, _DEVIATION)
        )

    def __call__(self, rgb: Tensor) -> Iterator[Tensor]:
        """Go through the stages.

        Args:
            rgb: (N, 3, H, W) float32 in [0, 1].

        Yields:
            (N, C, h, w) float32, 0 or more, of each stage; overwritten when the next is asked for.
        """
        activations = (rgb - self._mean).div_(self._deviation)
        if self._device.type == "cpu":
            activations = activations.contiguous(memory_format=torch.channels_last)
        for stage, pooled in zip(self._stages, self._pooled, strict=True):
            activations = stage(self._pool(activations) if pooled else activations)
            yield activations


def read_features(metric: str, architecture: str) -> tuple[dict[str, Tensor], str]:
    """Read the convolutions of a classification network; its classifier is left out.

    Args:
        metric: Who asks, for errors.
        architecture: ``alexnet`` or ``vgg16``.

    Returns:
        The tensors by torchvision's names, such as ``features.0.weight``, and the file's sha256.

    Raises:
        MetricUnavailableError: The file is not there.
        BenchError: It is not the published one.
    """
    tensors, sha256 = read_tensors(metric, architecture)
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("classifier.")}, sha256


def check_size(metric: str, architecture: str, images: Tensor) -> None:
    """Refuse images that leave the last stage nothing.

    Raises:
        BenchError: They are too small.
    """
    smallest = ARCHITECTURES[architecture].smallest
    if min(images.shape[-2:]) < smallest:
        raise BenchError(
            f"{metric}: the image is smaller than the {smallest} pixels that its network needs; "
            f"leave {metric} out with --metrics"
        )


def bands(features: Tensor) -> Iterator[slice]:
    """Yield rows to work on at once: on a CPU so few that temporaries stay in the cache.

    Args:
        features: (N, C, H, W).
    """
    height = features.shape[2]
    step = height if features.is_cuda else max(1, _BAND_ELEMENTS * height // features.numel())
    for top in range(0, height, step):
        yield slice(top, top + step)


class _PairInBands:
    """VGG16's first two convolutions on a CPU; what lies between them is never whole in memory."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        self._first, self._second = first, second

    def __call__(self, images: Tensor) -> Tensor:
        count, _, height, width = images.shape
        padded = F.pad(images, (1, 1, 2, 2))
        result = images.new_empty(count, height, width, self._second.out_channels).permute(0, 3, 1, 2)
        for top in range(0, height, _BAND):
            bottom = min(top + _BAND, height)
            between = F.conv2d(padded[:, :, top : bottom + 4], self._first.weight, self._first.bias).relu_()
            # Beyond the image lies the second convolution's padding, which is 0.
            if top == 0:
                between[:, :, 0] = 0
            if bottom == height:
                between[:, :, -1] = 0
            rows = F.conv2d(between, self._second.weight, self._second.bias, padding=(0, 1))
            torch.clamp_min(rows, 0, out=result[:, :, top:bottom])
        return result


def _rectified(layer: nn.Conv2d) -> Step:
    weight, bias = layer.weight, layer.bias
    if bias is not None and weight.device.type == "cpu" and layer.kernel_size == (3, 3) and layer.in_channels >= 64:
        return WinogradConvolution(weight, bias)
    return lambda images: layer(images).relu_()


def _stage(layers: list[nn.Conv2d]) -> Step:
    """Return convolutions in a row, each rectified."""
    if layers[0].weight.device.type == "cpu":
        layers = [to_channels_last(layer) for layer in layers]
        # With 64 channels, Winograd's transforms cost what they save.
        if [layer.out_channels for layer in layers] == [64, 64]:
            return _PairInBands(*layers)
    steps = [_rectified(layer) for layer in layers]
    return lambda images: functools.reduce(lambda activations, step: step(activations), steps, images)
