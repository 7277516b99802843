"""ESRGAN's generator RRDBNet as an ncnn network: every layer and every edge is checked, then the weights are read.

The network is that of X. Wang et al., ESRGAN (ECCV Workshops 2018), as Real-ESRGAN x4plus uses it: 23 residual-in-
residual dense blocks of 64 features with 32 growth channels, and magnification by 4. Names of tensors are those of
BasicSR's ``rrdbnet_arch.py``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ccsr_bench.errors import BenchError
from ccsr_bench.weights.ncnn import Layer, WeightReader, read_layers

if TYPE_CHECKING:
    from torch import Tensor

Expected = Mapping[int, float | tuple[float, ...]]
"""Number of a parameter -> the value, or the values, that it must have."""

Convolution = tuple[str, int, int]
"""Name, number of input channels and number of output channels of a convolution."""

_BLOCKS = 23
_FEATURES = 64
_GROWTH = 32
_SLOPE = 0.2
"""Slope of the leaky ReLU for negative values."""
_RESIDUAL_SCALE = 0.2
_LEAKY_RELU = 2.0
"""ncnn's number of the leaky ReLU, as an activation of a convolution."""
_EVERY_CONVOLUTION: Expected = {1: 3.0, 4: 1.0, 5: 1.0}
"""Parameters of a convolution: kernel size, padding, and that it has biases."""
_CONVOLUTION_DEFAULTS: Expected = {2: 1.0, 3: 1.0, 7: 1.0, 8: 0.0, 18: 0.0}
"""Parameters that a convolution may repeat: dilation, stride, groups, 8-bit weights, padding value."""


def read_rrdbnet(param: Path, weights: Path) -> dict[str, Tensor]:
    """Read RRDBNet's tensors from an ncnn network.

    Args:
        param: The network's layers, ``.param``.
        weights: The network's weights, ``.bin``.

    Returns:
        702 tensors on the CPU, float32, by official names such as ``body.0.rdb1.conv1.weight``.

    Raises:
        BenchError: A layer or an edge is not RRDBNet's, or the weights are not of this network or not finite.
    """
    import torch

    walk = _Walk(param)
    tensors: dict[str, Tensor] = {}
    reader = WeightReader(weights)
    for name, inputs, outputs in walk.convolutions():
        values, biases = reader.convolution(outputs, outputs * inputs * 9)
        if not (np.isfinite(values).all() and np.isfinite(biases).all()):
            raise BenchError(f"{weights}: {name} has values that are not finite: the file is damaged; prepare again")
        tensors[f"{name}.weight"] = torch.from_numpy(values.reshape(outputs, inputs, 3, 3))
        tensors[f"{name}.bias"] = torch.from_numpy(biases)
    reader.finish()
    return tensors


class _Walk:
    """Follows a network from its input to its output, and checks that each layer is the one that RRDBNet has there.

    Args:
        path: File that lists the layers.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._layers = iter(read_layers(path))
        self._copies: dict[str, str] = {}
        """Copy of an activation -> the activation."""

    def convolutions(self) -> Generator[Convolution, None, None]:
        """Yield (name, input channels, output channels) of each convolution in the order of the weights."""
        image = self._next("Input", (), {})
        trunk = yield from self._convolution("conv_first", image, 3, _FEATURES)
        activation = trunk
        for block in range(_BLOCKS):
            start = activation
            for dense in (1, 2, 3):
                activation = yield from self._dense_block(f"body.{block}.rdb{dense}", activation)
            activation = self._scaled_sum(activation, start)
        activation = yield from self._convolution("conv_body", activation, _FEATURES, _FEATURES)
        activation = self._next("BinaryOp", (trunk, activation), {}, {0: 0.0, 1: 0.0})
        for name in ("conv_up1", "conv_up2"):
            activation = self._next("Interp", (activation,), {0: 1.0, 1: 2.0, 2: 2.0}, {3: 0.0, 4: 0.0})  # nearest
            activation = yield from self._convolution(name, activation, _FEATURES, _FEATURES, activated=True)
        activation = yield from self._convolution("conv_hr", activation, _FEATURES, _FEATURES, activated=True)
        yield from self._convolution("conv_last", activation, _FEATURES, 3)
        left = self._following()
        if left is not None:
            raise self._wrong(left, "where the network must end")

    def _dense_block(self, name: str, start: str) -> Generator[Convolution, None, str]:
        """Follow a residual dense block: four convolutions that see all earlier features, and one that joins them."""
        features, joined = [start], start
        for index in range(1, 5):
            inputs = _FEATURES + (index - 1) * _GROWTH
            features.append(
                (yield from self._convolution(f"{name}.conv{index}", joined, inputs, _GROWTH, activated=True))
            )
            joined = self._next("Concat", tuple(features), {}, {0: 0.0})
        inputs = _FEATURES + 4 * _GROWTH
        residual = yield from self._convolution(f"{name}.conv5", joined, inputs, _FEATURES)
        return self._scaled_sum(residual, start)

    def _convolution(
        self, name: str, source: str, inputs: int, outputs: int, *, activated: bool = False
    ) -> Generator[Convolution, None, str]:
        """Yield a convolution of kernel size 3 after checking it, and return the name of its output."""
        required: dict[int, float | tuple[float, ...]] = {
            0: float(outputs),
            6: float(outputs * inputs * 9),
            **_EVERY_CONVOLUTION,
        }
        if activated:
            required |= {9: _LEAKY_RELU, 10: _SLOPE}
        output = self._next("Convolution", (source,), required, _CONVOLUTION_DEFAULTS)
        yield name, inputs, outputs
        return output

    def _scaled_sum(self, residual: str, start: str) -> str:
        """Follow the sum of the scaled residual and the features that it is added to."""
        return self._next("Eltwise", (residual, start), {0: 1.0, 1: (_RESIDUAL_SCALE, 1.0)})

    def _next(self, kind: str, inputs: tuple[str, ...], required: Expected, optional: Expected | None = None) -> str:
        """Take the next layer, check it, and return the name of its output.

        Args:
            kind: Kind that the layer must have.
            inputs: Activations that it must read, in this order.
            required: Parameters that it must have.
            optional: Parameters that it may have with these values only.
        """
        layer = self._following()
        if layer is None:
            raise BenchError(f"{self._path}: ends where RRDBNet has another layer ({kind}): it is another network")
        if layer.kind != kind or tuple(self._copies.get(name, name) for name in layer.inputs) != inputs:
            raise self._wrong(layer, f"where RRDBNet has {kind} of {' and '.join(inputs) or 'the image'}")
        given, allowed = dict(layer.parameters), {**(optional or {}), **required}
        for number in {*given, *required}:
            if number not in allowed or not _equal(given.get(number, ()), allowed[number]):
                raise self._wrong(layer, f"whose parameter {number} is {given.get(number, 'missing')}")
        if len(layer.outputs) != 1:
            raise self._wrong(layer, "which must have one output")
        return layer.outputs[0]

    def _following(self) -> Layer | None:
        """Return the next layer that computes something; copies of activations are noted on the way."""
        for layer in self._layers:
            if layer.kind != "Split" or len(layer.inputs) != 1:
                return layer
            self._copies |= dict.fromkeys(layer.outputs, self._copies.get(layer.inputs[0], layer.inputs[0]))
        return None

    def _wrong(self, layer: Layer, why: str) -> BenchError:
        return BenchError(f"{self._path}: {layer}, {why}: it is not the network RRDBNet x4 of Real-ESRGAN")


def _equal(given: tuple[float, ...], expected: float | tuple[float, ...]) -> bool:
    """Return whether parameters are equal apart from the rounding of their decimals."""
    values = expected if isinstance(expected, tuple) else (expected,)
    return len(given) == len(values) and np.allclose(given, values, rtol=0, atol=1e-6)
