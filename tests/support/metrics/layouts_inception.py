"""Random weights in the layout of pytorch-fid's Inception-v3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ccsr_bench.metrics.weight_files import FILES

Layer = tuple[str, int, int, int, int]
"""Name, output channels, input channels, height and width of the kernel."""


def layers() -> Iterator[Layer]:
    """Yield the convolutions, written out apart from the network under test."""
    yield from _first_layers()
    yield from _middle_layers()
    yield from _last_layers()


def _first_layers() -> Iterator[Layer]:
    yield from (
        ("Conv2d_1a_3x3", 32, 3, 3, 3),
        ("Conv2d_2a_3x3", 32, 32, 3, 3),
        ("Conv2d_2b_3x3", 64, 32, 3, 3),
        ("Conv2d_3b_1x1", 80, 64, 1, 1),
        ("Conv2d_4a_3x3", 192, 80, 3, 3),
    )
    for block, inputs, pool in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
        yield f"Mixed_{block}.branch1x1", 64, inputs, 1, 1
        yield f"Mixed_{block}.branch5x5_1", 48, inputs, 1, 1
        yield f"Mixed_{block}.branch5x5_2", 64, 48, 5, 5
        yield f"Mixed_{block}.branch3x3dbl_1", 64, inputs, 1, 1
        yield f"Mixed_{block}.branch3x3dbl_2", 96, 64, 3, 3
        yield f"Mixed_{block}.branch3x3dbl_3", 96, 96, 3, 3
        yield f"Mixed_{block}.branch_pool", pool, inputs, 1, 1
    yield from (
        ("Mixed_6a.branch3x3", 384, 288, 3, 3),
        ("Mixed_6a.branch3x3dbl_1", 64, 288, 1, 1),
        ("Mixed_6a.branch3x3dbl_2", 96, 64, 3, 3),
        ("Mixed_6a.branch3x3dbl_3", 96, 96, 3, 3),
    )


def _middle_layers() -> Iterator[Layer]:
    for block, inner in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        yield f"Mixed_{block}.branch1x1", 192, 768, 1, 1
        yield f"Mixed_{block}.branch7x7_1", inner, 768, 1, 1
        yield f"Mixed_{block}.branch7x7_2", inner, inner, 1, 7
        yield f"Mixed_{block}.branch7x7_3", 192, inner, 7, 1
        yield f"Mixed_{block}.branch7x7dbl_1", inner, 768, 1, 1
        yield f"Mixed_{block}.branch7x7dbl_2", inner, inner, 7, 1
        yield f"Mixed_{block}.branch7x7dbl_3", inner, inner, 1, 7
        yield f"Mixed_{block}.branch7x7dbl_4", inner, inner, 7, 1
        yield f"Mixed_{block}.branch7x7dbl_5", 192, inner, 1, 7
        yield f"Mixed_{block}.branch_pool", 192, 768, 1, 1


def _last_layers() -> Iterator[Layer]:
    yield from (
        ("Mixed_7a.branch3x3_1", 192, 768, 1, 1),
        ("Mixed_7a.branch3x3_2", 320, 192, 3, 3),
        ("Mixed_7a.branch7x7x3_1", 192, 768, 1, 1),
        ("Mixed_7a.branch7x7x3_2", 192, 192, 1, 7),
        ("Mixed_7a.branch7x7x3_3", 192, 192, 7, 1),
        ("Mixed_7a.branch7x7x3_4", 192, 192, 3, 3),
    )
    for block, inputs in (("7b", 1280), ("7c", 2048)):
        yield f"Mixed_{block}.branch1x1", 320, inputs, 1, 1
        yield f"Mixed_{block}.branch3x3_1", 384, inputs, 1, 1
        yield f"Mixed_{block}.branch3x3_2a", 384, 384, 1, 3
        yield f"Mixed_{block}.branch3x3_2b", 384, 384, 3, 1
        yield f"Mixed_{block}.branch3x3dbl_1", 448, inputs, 1, 1
        yield f"Mixed_{block}.branch3x3dbl_2", 384, 448, 3, 3
        yield f"Mixed_{block}.branch3x3dbl_3a", 384, 384, 1, 3
        yield f"Mixed_{block}.branch3x3dbl_3b", 384, 384, 3, 1
        yield f"Mixed_{block}.branch_pool", 192, inputs, 1, 1


def inception_tensors() -> dict[str, Tensor]:
    """Return every tensor of the file by its name: 94 normalised convolutions and the classifier."""
    tensors: dict[str, Tensor] = {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name, outputs, inputs, height, width in layers():
            scale = (2 / (inputs * height * width)) ** 0.5
            tensors |= {
                f"{name}.conv.weight": torch.randn(outputs, inputs, height, width) * scale,
                # Gains and variances that keep activations of one size, and differ by channel.
                f"{name}.bn.weight": 0.8 + 0.4 * torch.rand(outputs),
                f"{name}.bn.bias": 0.1 * torch.randn(outputs),
                f"{name}.bn.running_mean": 0.1 * torch.randn(outputs),
                f"{name}.bn.running_var": 0.8 + 0.4 * torch.rand(outputs),
            }
        tensors |= {"fc.weight": torch.randn(1008, 2048), "fc.bias": torch.randn(1008)}
    return tensors


def write_inception(folder: Path) -> None:
    """Write the file that FID and KID need, with random weights, in the format of old versions of torch."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(inception_tensors(), folder / FILES["inception"].name, _use_new_zipfile_serialization=False)
