"""RRDBNet as ncnn files with random weights, written line by line, and ways to spoil them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_LEAKY = " 9=2 -23310=1,2.000000e-01"
_RESIDUAL = "0=1 -23301=2,2.000000e-01,1.000000e+00"


@dataclass
class Network:
    """The lines and the weights of RRDBNet x4."""

    lines: list[str] = field(default_factory=list)
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    """Official names -> weights, (outputs, inputs, 3, 3) float32 representable in float16, and biases."""
    names: list[str] = field(default_factory=list)
    """Names of the convolutions in the order of the file."""

    def write(self, folder: Path) -> dict[str, Path]:
        """Write both files, and return them by suffix."""
        blobs = sum(len(line.split()[4:]) for line in self.lines)
        text = "\n".join(["7767517", f"{len(self.lines)} {blobs}", *self.lines, ""])
        files = {suffix: folder / f"network{suffix}" for suffix in (".param", ".bin")}
        files[".param"].write_text(text)
        files[".bin"].write_bytes(b"".join(map(self._bytes, self.names)))
        return files

    def _bytes(self, name: str) -> bytes:
        weights = self.tensors[f"{name}.weight"].astype("<f2").tobytes()
        padding = b"\0" * (-len(weights) % 4)
        return b"\x47\x6b\x30\x01" + weights + padding + self.tensors[f"{name}.bias"].astype("<f4").tobytes()

    def index(self, kind: str, occurrence: int = 0) -> int:
        """Return the place of a layer among the lines."""
        return [index for index, line in enumerate(self.lines) if line.split()[0] == kind][occurrence]


def rrdbnet(seed: int = 0) -> Network:
    """Return RRDBNet x4 of full size; activations are copied by Split layers where several layers read them."""
    network, random = Network(), np.random.default_rng(seed)

    def add(kind: str, inputs: list[str], parameters: str = "") -> str:
        name = f"{kind.lower()}_{len(network.lines)}"
        head = f"{kind} {name} {len(inputs)} 1 {' '.join([*inputs, f'{name}_out'])}"
        network.lines.append(f"{head} {parameters}".strip())
        return f"{name}_out"

    def convolution(name: str, source: str, inputs: int, outputs: int, activation: str = "") -> str:
        weights = random.normal(scale=0.02, size=(outputs, inputs, 3, 3)).astype(np.float16)
        network.tensors[f"{name}.weight"] = weights.astype(np.float32)
        network.tensors[f"{name}.bias"] = random.normal(size=outputs).astype(np.float32)
        network.names.append(name)
        return add("Convolution", [source], f"0={outputs} 1=3 4=1 5=1 6={weights.size}{activation}")

    def copies(source: str, count: int) -> list[str]:
        names = [f"{source}_copy_{index}" for index in range(count)]
        network.lines.append(f"Split split_{len(network.lines)} 1 {count} {source} {' '.join(names)}")
        return names

    trunk, activation = copies(convolution("conv_first", add("Input", []), 3, 64), 2)
    for block in range(23):
        start, activation = copies(activation, 2)
        for dense in (1, 2, 3):
            name, inner = f"body.{block}.rdb{dense}", copies(activation, 6)
            features = [inner[0]]
            joined = inner[1]
            for index in range(1, 5):
                features.append(convolution(f"{name}.conv{index}", joined, 64 + 32 * (index - 1), 32, _LEAKY))
                joined = add("Concat", list(features))
            residual = convolution(f"{name}.conv5", joined, 192, 64)
            activation = add("Eltwise", [residual, inner[2]], _RESIDUAL)
        activation = add("Eltwise", [activation, start], _RESIDUAL)
    activation = add("BinaryOp", [trunk, convolution("conv_body", activation, 64, 64)])
    for name in ("conv_up1", "conv_up2"):
        activation = add("Interp", [activation], "0=1 1=2.000000e+00 2=2.000000e+00")
        activation = convolution(name, activation, 64, 64, _LEAKY)
    convolution("conv_last", convolution("conv_hr", activation, 64, 64, _LEAKY), 64, 3)
    return network
