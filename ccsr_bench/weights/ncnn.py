"""Reading networks in ncnn's format: a text file that lists the layers, and a binary file with their weights.

The format is documented in ncnn's own wiki (github.com/Tencent/ncnn, "param and model file structure"). Only what a
chain of convolutions needs is read; everything else is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ccsr_bench.errors import BenchError

_MAGIC = "7767517"
_FLOAT16 = 0x01306B47
_FLOAT32 = 0
_ARRAY = -23300
"""A parameter with the number ``_ARRAY - k`` is parameter k as an array, whose first element is its length."""

Parameters = Mapping[int, tuple[float, ...]]


@dataclass(frozen=True)
class Layer:
    """One layer of a network."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    """Names of the activations that the layer reads."""
    outputs: tuple[str, ...]
    """Names of the activations that the layer writes."""
    parameters: Parameters
    """Number of the parameter -> its value, or its values if it is an array."""

    def __str__(self) -> str:
        return f"layer {self.name} ({self.kind})"


def read_layers(path: Path) -> list[Layer]:
    """Read the layers of a network from its ``.param`` file, in the file's order.

    Raises:
        BenchError: The file is not a network in ncnn's text format.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        if lines[0].strip() != _MAGIC:
            raise ValueError(f"the first line is not {_MAGIC}")
        layers = [_layer(line.split()) for line in lines[2:] if line.strip()]
        if len(layers) != int(lines[1].split()[0]):
            raise ValueError(f"it announces {lines[1].split()[0]} layers and lists {len(layers)}")
        written = [name for layer in layers for name in layer.outputs]
        if len(set(written)) != len(written):
            raise ValueError("two layers write the same activation")
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise BenchError(
            f"{path}: not a network in ncnn's text format ({error}); remove it and prepare again"
        ) from error
    return layers


def _layer(words: list[str]) -> Layer:
    """Parse one line: kind, name, numbers of inputs and outputs, their names, and the parameters."""
    kind, name, inputs, outputs = words[0], words[1], int(words[2]), int(words[3])
    names, rest = words[4 : 4 + inputs + outputs], words[4 + inputs + outputs :]
    if min(inputs, outputs) < 0 or len(names) != inputs + outputs:
        raise ValueError(f"{name} lacks inputs or outputs")
    return Layer(kind, name, tuple(names[:inputs]), tuple(names[inputs:]), dict(map(_parameter, rest)))


def _parameter(word: str) -> tuple[int, tuple[float, ...]]:
    key, _, value = word.partition("=")
    number, values = int(key), tuple(map(float, value.split(",")))
    if number > _ARRAY:
        return number, values
    if values[0] != len(values) - 1:
        raise ValueError(f"{word} is an array of another length")
    return _ARRAY - number, values[1:]


class WeightReader:
    """Reads the weights of the layers one after the other from a ``.bin`` file.

    Args:
        path: File to read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = path.read_bytes()
        self._position = 0

    def convolution(self, outputs: int, weights: int) -> tuple[np.ndarray, np.ndarray]:
        """Read the weights of a convolution.

        Args:
            outputs: Number of output channels.
            weights: Number of weights without the biases.

        Returns:
            The weights, (weights,) float32, which may be stored as float16; and the biases, (outputs,) float32.

        Raises:
            BenchError: The file ends too early, or stores the weights in another way.
        """
        tag = int(self._take("<u4", 1)[0])
        if tag not in (_FLOAT16, _FLOAT32):
            raise BenchError(f"{self._path}: stores weights by tag {tag:#010x}, which is neither float16 nor float32")
        values = self._take("<f2" if tag == _FLOAT16 else "<f4", weights)
        self._position += -self._position % 4  # weights end at a multiple of 4 bytes
        return values.astype(np.float32), self._take("<f4", outputs).astype(np.float32)

    def finish(self) -> None:
        """Check that nothing is left; raises a `BenchError` otherwise."""
        left = len(self._content) - self._position
        if left:
            raise BenchError(f"{self._path}: {left} bytes are left after the last layer: these are not its weights")

    def _take(self, dtype: str, count: int) -> np.ndarray:
        end = self._position + count * np.dtype(dtype).itemsize
        if end > len(self._content):
            raise BenchError(f"{self._path}: ends after {len(self._content):,} bytes, too early: prepare again")
        values = np.frombuffer(self._content, dtype, count, self._position)
        self._position = end
        return values
