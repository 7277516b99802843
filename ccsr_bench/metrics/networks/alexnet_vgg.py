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
"""Rows of temporary activations that are computed at once, so that they stay in the cache."""
_BAND_ELEMENTS = 2**20


class ConvolutionShape(NamedTuple):
    """One convolution's place in the file and its sizes."""

    number: int
    """Index in torchvision's ``features``."""
    inputs: int
    outputs: int
    size: int = 3
    stride: int = 1
    padding: int = 1

    def layer(self) -> nn.Conv2d:
        """Return the convolution with random weights."""
        return nn.Conv2d(self.inputs, self.outputs, self.size, self.stride, self.padding)


class Architecture(NamedTuple):
    """Stages of convolutions with ReLU; the last activations of a stage are its features."""

    title: str
    stages: tuple[tuple[ConvolutionShape, ...], ...]
    pooled: tuple[bool, ...]
    """Whether each stage begins with pooling."""
    smallest: int
    """Height and width of images for which the last stage has one pixel."""

    @property
    def channels(self) -> list[int]:
        """Number of channels of each stage's features."""
        return [stage[-1].outputs for stage in self.stages]


ARCHITECTURES = {
    "alexnet": Architecture(
        "AlexNet",
        (
            (ConvolutionShape(0, 3, 64, 11, 4, 2),),
            (ConvolutionShape(3, 64, 192, 5, 1, 2),),
            (ConvolutionShape(6, 192, 384),),
            (ConvolutionShape(8, 384, 256),),
            (ConvolutionShape(10, 256, 256),),
        ),
        (False, True, True, False, False),
        31,
    ),
    "vgg16": Architecture(
        "VGG16",
        (
            (ConvolutionShape(0, 3, 64), ConvolutionShape(2, 64, 64)),
            (ConvolutionShape(5, 64, 128), ConvolutionShape(7, 128, 128)),
            (ConvolutionShape(10, 128, 256), ConvolutionShape(12, 256, 256), ConvolutionShape(14, 256, 256)),
            (ConvolutionShape(17, 256, 512), ConvolutionShape(19, 512, 512), ConvolutionShape(21, 512, 512)),
            (ConvolutionShape(24, 512, 512), ConvolutionShape(26, 512, 512), ConvolutionShape(28, 512, 512)),
        ),
        (False, True, True, True, True),
        16,
    ),
}


class FeatureNetwork:
    """Computes the activations of a classification network at five depths, in float32.

    Args:
        metric: Name of the metric, for errors.
        architecture: ``alexnet`` or ``vgg16``.
        pool: Function that replaces torchvision's max pooling. It may overwrite its input.
        device: Device of the network.

    Raises:
        MetricUnavailableError: The weights are missing.
        BenchError: The weights are not the published ones.
    """

    def __init__(
        self, metric: str, architecture: Literal["alexnet", "vgg16"], pool: Step, device: torch.device
    ) -> None:
        stages, self._pooled = ARCHITECTURES[architecture].stages, ARCHITECTURES[architecture].pooled
        self._pool = pool
        self._device = device
        layers = {convolution.number: convolution.layer() for stage in stages for convolution in stage}
        tensors, self.cited = read_features(metric, architecture)
        network = nn.ModuleDict({"features": nn.ModuleDict({str(number): layers[number] for number in layers})})
        load_strictly(network.requires_grad_(False), tensors, FILES[architecture].name)
        self._stages = [_stage([layers[convolution.number].to(device) for convolution in stage]) for stage in stages]
        self._mean, self._deviation = (
            torch.tensor(values, device=device)[:, None, None] for values in (_MEAN, _DEVIATION)
        )

    def __call__(self, rgb: Tensor) -> Iterator[Tensor]:
        """Yield the features of each stage.

        Args:
            rgb: Images, (N, 3, H, W) float32 in [0, 1].

        Yields:
            The features of a stage, (N, C, h, w) float32, 0 or more; the next stage may overwrite them.
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
        metric: Name of the metric, for errors.
        architecture: ``alexnet`` or ``vgg16``.

    Returns:
        The tensors by torchvision's names, such as ``features.0.weight``, and the words that identify them in a
        definition.

    Raises:
        MetricUnavailableError: The file is missing.
        BenchError: The file is not the published one.
    """
    return read_tensors(metric, architecture)


def check_size(metric: str, architecture: str, images: Tensor) -> None:
    """Check that images are large enough for the last stage.

    Raises:
        BenchError: The images are too small.
    """
    smallest = ARCHITECTURES[architecture].smallest
    if min(images.shape[-2:]) < smallest:
        raise BenchError(
            f"{metric}: the image is smaller than the {smallest} pixels that its network needs; "
            f"choose `metrics` without {metric}"
        )


def bands(features: Tensor) -> Iterator[slice]:
    """Yield the bands of rows to process at once: on a CPU few enough rows that temporary tensors stay in the cache.

    Args:
        features: Features, (N, C, H, W).
    """
    height = features.shape[2]
    step = height if features.is_cuda else max(1, _BAND_ELEMENTS * height // features.numel())
    for top in range(0, height, step):
        yield slice(top, top + step)


class _PairInBands:
    """VGG16's first two convolutions on a CPU, computed in bands: the activations between them are never complete."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        self._first, self._second = first, second

    def __call__(self, images: Tensor) -> Tensor:
        count, _, height, width = images.shape
        padded = F.pad(images, (1, 1, 2, 2))
        result = images.new_empty(count, height, width, self._second.out_channels).permute(0, 3, 1, 2)
        for top in range(0, height, _BAND):
            bottom = min(top + _BAND, height)
            between = F.conv2d(padded[:, :, top : bottom + 4], self._first.weight, self._first.bias).relu_()
            # Outside of the image is the second convolution's padding, which is 0.
            if top == 0:
                between[:, :, 0] = 0
            if bottom == height:
                between[:, :, -1] = 0
            rows = F.conv2d(between, self._second.weight, self._second.bias, padding=(0, 1))
            torch.clamp_min(rows, 0, out=result[:, :, top:bottom])
        return result


def _with_relu(layer: nn.Conv2d) -> Step:
    weight, bias = layer.weight, layer.bias
    if bias is not None and weight.device.type == "cpu" and layer.kernel_size == (3, 3) and layer.in_channels >= 64:
        return WinogradConvolution(weight, bias)
    return lambda images: layer(images).relu_()


def _stage(layers: list[nn.Conv2d]) -> Step:
    """Return a sequence of convolutions, each followed by a ReLU."""
    if layers[0].weight.device.type == "cpu":
        layers = [to_channels_last(layer) for layer in layers]
        # With 64 channels, Winograd's transforms take as much time as they save.
        if [layer.out_channels for layer in layers] == [64, 64]:
            return _PairInBands(*layers)
    steps = [_with_relu(layer) for layer in layers]
    return lambda images: functools.reduce(lambda activations, step: step(activations), steps, images)
