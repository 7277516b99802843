"""Random weights in the layout of MUSIQ's published files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ccsr_bench.metrics.weight_files import FILES

NAME = FILES["musiq-koniq"].name

_NORMS = {"gn_root": 64, "block1.gn1": 64, "block1.gn2": 64, "block1.gn3": 256, "block1.gn_proj": 256}
_CONVOLUTIONS = {
    "conv_root": (64, 3, 7, 7),
    "block1.conv1": (64, 64, 1, 1),
    "block1.conv2": (64, 64, 3, 3),
    "block1.conv3": (256, 64, 1, 1),
    "block1.conv_proj": (256, 64, 1, 1),
}
_LAYERS = {
    "attention.query": (384, 384),
    "attention.key": (384, 384),
    "attention.value": (384, 384),
    "attention.out": (384, 384),
    "mlp.fc1": (1152, 384),
    "mlp.fc2": (384, 1152),
}


def musiq_shapes() -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of the file: 27,125,825 numbers, what the published file's size allows for."""
    encoder = "transformer_encoder"
    shapes: dict[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in _CONVOLUTIONS.items()}
    linear = {"embedding": (384, 256 * 8 * 8), "head": (1, 384)}
    norms = {**_NORMS, f"{encoder}.encoder_norm": 384}
    for index in range(14):
        block = f"{encoder}.transformer.encoderblock_{index}"
        norms |= {f"{block}.norm1": 384, f"{block}.norm2": 384}
        linear |= {f"{block}.{name}": shape for name, shape in _LAYERS.items()}
    for name, (outputs, inputs) in linear.items():
        shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    for name, channels in norms.items():
        shapes |= {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}
    shapes[f"{encoder}.cls"] = (1, 1, 384)
    shapes[f"{encoder}.posembed_input.position_emb"] = (1, 100, 384)
    shapes[f"{encoder}.scaleembed_input.scale_emb"] = (3, 384)
    return shapes


def musiq_tensors() -> dict[str, Tensor]:
    """Return random tensors with which scores lie around 50."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tensors = {name: _random(name, shape) for name, shape in musiq_shapes().items()}
    tensors["head.weight"] *= 10
    tensors["head.bias"] += 50
    return tensors


def _random(name: str, shape: tuple[int, ...]) -> Tensor:
    values = torch.randn(shape)
    if len(shape) == 1:
        is_scale = name.endswith(".weight")
        return values.mul_(0.2).add_(1) if is_scale else values.mul_(0.1)
    return values.mul_(shape[1] ** -0.5 if len(shape) == 2 and name.endswith(".weight") else 0.3)


def save_musiq(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors as the published file: a flat dictionary."""
    torch.save(dict(tensors), folder / NAME)


def write_musiq(folder: Path) -> None:
    """Write the file with random weights."""
    save_musiq(folder, musiq_tensors())
