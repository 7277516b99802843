"""The Inception-v3 network of FID (Szegedy et al., CVPR 2016), as ported from TensorFlow by pytorch-fid.

It differs from torchvision's: average pooling excludes the padding, the last block has max pooling instead of average
pooling, and the weights are those with which Heusel et al. (NeurIPS 2017) computed FID.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ccsr_bench.metrics.networks.weights import load_strictly

FEATURES = 2048
"""Dimensions of the features."""

INPUT_SIZE = 299
"""Height and width of the network's input."""

_UNUSED = ("fc.", "AuxLogits.")
"""Prefixes of published tensors that the features do not need: the classifiers."""

_EPSILON = 1e-3

_Kernel = int | tuple[int, int]
_Step = tuple[str, int, _Kernel | None]
"""A convolution's name, its output channels, and its kernel, which is None for a fork."""
_Pool = Literal["average", "max", "strided max"]


class _Normalisation(nn.Module):
    """The tensors of a batch normalisation; `NormalisedConvolution.fold` merges them into the convolution."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.empty(channels))


class NormalisedConvolution(nn.Module):
    """A convolution with batch normalisation and ReLU, which can be used once `fold` has merged the normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: _Kernel, *, stride: int = 1, padded: bool = True) -> None:
        super().__init__()
        height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (height // 2, width // 2) if padded else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, (height, width), stride, padding, bias=False)
        self.bn = _Normalisation(outputs)

    def fold(self) -> None:
        """Merge the normalisation into the convolution's weight and bias, computed in float64."""
        scale = self.bn.weight.double() / (self.bn.running_var.double() + _EPSILON).sqrt()
        weight = self.conv.weight.double() * scale[:, None, None, None]
        bias = self.bn.bias.double() - self.bn.running_mean.double() * scale
        self.conv.weight = nn.Parameter(weight.float(), requires_grad=False)
        self.conv.bias = nn.Parameter(bias.float(), requires_grad=False)
        del self.bn

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, outputs, H', W')."""
        return functional.relu_(self.conv(images))


def _step(
    name: str, inputs: int, outputs: int, kernel: _Kernel | None, stride: int
) -> dict[str, NormalisedConvolution]:
    """Return a convolution by its name, or the two convolutions of a fork, whose kernel is None."""
    if kernel is None:
        return {
            f"{name}a": NormalisedConvolution(inputs, outputs, (1, 3)),
            f"{name}b": NormalisedConvolution(inputs, outputs, (3, 1)),
        }
    return {name: NormalisedConvolution(inputs, outputs, kernel, stride=stride, padded=stride == 1)}


class Mixed(nn.Module):
    """Parallel chains of convolutions and a 3x3 pooling, whose outputs are concatenated.

    Args:
        inputs: Number of input channels.
        chains: Sequences of convolutions, each given by its name, output channels and kernel. A kernel of None is a
            fork: two convolutions of one input with kernels (1, 3) and (3, 1), whose names end in "a" and "b" and
            whose outputs are concatenated.
        pool: Kind of pooling. ``average`` and ``max`` are followed by a 1x1 convolution; ``strided max`` halves the
            size, as does the last convolution of each chain.
        pool_outputs: Number of output channels of the 1x1 convolution after the pooling; 0 without it.
    """

    def __init__(self, inputs: int, chains: Sequence[Sequence[_Step]], pool: _Pool, pool_outputs: int = 0) -> None:
        super().__init__()
        self._pool = pool
        self._chains: list[list[tuple[str, ...]]] = []
        for chain in chains:
            channels = inputs
            names: list[tuple[str, ...]] = []
            for position, (name, outputs, kernel) in enumerate(chain, 1):
                stride = 2 if pool == "strided max" and position == len(chain) else 1
                convolutions = _step(name, channels, outputs, kernel, stride)
                for part, convolution in convolutions.items():
                    self.add_module(part, convolution)
                names.append(tuple(convolutions))
                channels = outputs
            self._chains.append(names)
        if pool_outputs:
            self.branch_pool = NormalisedConvolution(inputs, pool_outputs, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, all outputs, H', W')."""
        outputs: list[Tensor] = []
        for chain in self._chains:
            branch = images
            for names in chain[:-1]:
                branch = self.get_submodule(names[0])(branch)
            outputs += [self.get_submodule(name)(branch) for name in chain[-1]]
        return torch.cat([*outputs, self._pool_branch(images)], 1)

    def _pool_branch(self, images: Tensor) -> Tensor:
        if self._pool == "strided max":
            return functional.max_pool2d(images, 3, stride=2)
        if self._pool == "max":
            pooled = functional.max_pool2d(images, 3, stride=1, padding=1)
        else:
            pooled = functional.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
        outputs: Tensor = self.branch_pool(pooled)
        return outputs


def _mixed_5(inputs: int, pool_outputs: int) -> Mixed:
    chains: list[list[_Step]] = [
        [("branch1x1", 64, 1)],
        [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
        [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)],
    ]
    return Mixed(inputs, chains, "average", pool_outputs)


def _mixed_6(inner: int) -> Mixed:
    chains: list[list[_Step]] = [
        [("branch1x1", 192, 1)],
        [("branch7x7_1", inner, 1), ("branch7x7_2", inner, (1, 7)), ("branch7x7_3", 192, (7, 1))],
        [
            ("branch7x7dbl_1", inner, 1),
            ("branch7x7dbl_2", inner, (7, 1)),
            ("branch7x7dbl_3", inner, (1, 7)),
            ("branch7x7dbl_4", inner, (7, 1)),
            ("branch7x7dbl_5", 192, (1, 7)),
        ],
    ]
    return Mixed(768, chains, "average", 192)


def _mixed_7(inputs: int, pool: _Pool) -> Mixed:
    chains: list[list[_Step]] = [
        [("branch1x1", 320, 1)],
        [("branch3x3_1", 384, 1), ("branch3x3_2", 384, None)],
        [("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3), ("branch3x3dbl_3", 384, None)],
    ]
    return Mixed(inputs, chains, pool, 192)


def _reduction_6a() -> Mixed:
    chains: list[list[_Step]] = [
        [("branch3x3", 384, 3)],
        [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)],
    ]
    return Mixed(288, chains, "strided max")


def _reduction_7a() -> Mixed:
    chains: list[list[_Step]] = [
        [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3)],
        [
            ("branch7x7x3_1", 192, 1),
            ("branch7x7x3_2", 192, (1, 7)),
            ("branch7x7x3_3", 192, (7, 1)),
            ("branch7x7x3_4", 192, 3),
        ],
    ]
    return Mixed(768, chains, "strided max")


def _network() -> nn.Sequential:
    """Return Inception-v3 up to the average of its last maps; its modules have the published names."""
    return nn.Sequential(
        OrderedDict(
            Conv2d_1a_3x3=NormalisedConvolution(3, 32, 3, stride=2, padded=False),
            Conv2d_2a_3x3=NormalisedConvolution(32, 32, 3, padded=False),
            Conv2d_2b_3x3=NormalisedConvolution(32, 64, 3),
            maxpool1=nn.MaxPool2d(3, stride=2),
            Conv2d_3b_1x1=NormalisedConvolution(64, 80, 1),
            Conv2d_4a_3x3=NormalisedConvolution(80, 192, 3, padded=False),
            maxpool2=nn.MaxPool2d(3, stride=2),
            Mixed_5b=_mixed_5(192, 32),
            Mixed_5c=_mixed_5(256, 64),
            Mixed_5d=_mixed_5(288, 64),
            Mixed_6a=_reduction_6a(),
            Mixed_6b=_mixed_6(128),
            Mixed_6c=_mixed_6(160),
            Mixed_6d=_mixed_6(160),
            Mixed_6e=_mixed_6(192),
            Mixed_7a=_reduction_7a(),
            Mixed_7b=_mixed_7(1280, "average"),
            Mixed_7c=_mixed_7(2048, "max"),
            average=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
        )
    )


def load_inception(tensors: Mapping[str, Tensor], source: str) -> nn.Sequential:
    """Return the network with published weights and with normalisation merged into the convolutions.

    It maps (N, 3, 299, 299) float32 RGB in [-1, 1] to features, (N, 2048) float32, 0 or more.

    Args:
        tensors: Tensors by their published names. The classifiers and the counts of training batches are ignored.
        source: Name of the file, for errors.

    Raises:
        BenchError: A tensor is missing, unknown, or of another shape.
    """
    with torch.device("meta"):
        network = _network()
    network.to_empty(device="cpu")
    needed = {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(_UNUSED) and not name.endswith(".num_batches_tracked")
    }
    load_strictly(network, needed, source)
    for module in network.modules():
        if isinstance(module, NormalisedConvolution):
            module.fold()
    return network
