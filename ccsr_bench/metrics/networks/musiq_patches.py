"""The multi-scale patches of MUSIQ (Ke et al., ICCV 2021): what they show, and where in the image they lie."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

PATCH = 32
"""Side of a patch, in pixels."""
LONGER_SIDES = (224, 384)
"""Of the copies of the image, in pixels; the image itself follows as it is."""
GRID = 10
"""Rows and columns of the grid of learned positions."""


class Places(NamedTuple):
    """Where the patches of an image of one size lie, T of them; both are (T,) int64 on the CPU."""

    position: Tensor
    """In the grid of learned positions, row after row: 0 to `GRID` squared."""
    scale: Tensor
    """Which copy of the image it is cut from: its place in `LONGER_SIDES`, or their number for the image itself."""


def copy_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return the (height, width) of each copy of an image, the image itself last; 0 where the image is too narrow."""
    ratios = [longer / max(height, width) for longer in LONGER_SIDES]
    return [(round(height * ratio), round(width * ratio)) for ratio in ratios] + [(height, width)]


@functools.lru_cache(maxsize=16)
def places(height: int, width: int) -> Places:
    """Return where the patches of an image lie, in the order of `multi_scale_patches`."""
    positions, scales = [], []
    for scale, size in enumerate(copy_sizes(height, width)):
        rows, columns = (_grid_lines(math.ceil(side / PATCH)) for side in size)
        positions.append((rows[:, None] * GRID + columns).flatten())
        scales.append(torch.full_like(positions[-1], scale))
    return Places(torch.cat(positions), torch.cat(scales))


def _grid_lines(count: int) -> Tensor:
    """Spread the lines of the grid over `count` patches: (count,) int64."""
    lines = torch.arange(GRID, dtype=torch.float32)
    # By torch, not in integers: its nearest line is found in float32, which can fall on the other side.
    return functional.interpolate(lines[None, None], count, mode="nearest").flatten().long()


def multi_scale_patches(images: Tensor, before: int, after: int) -> Tensor:
    """Cut images and their smaller or larger copies into patches.

    Copies are bicubic, without anti-aliasing. Where a side is no multiple of `PATCH`, zeros are added around the image,
    the odd one at the bottom and on the right. There are no patches of zeros alone: MUSIQ masks them, and what it
    computes of the others does not depend on them.

    Args:
        images: (N, 3, H, W) float32 in [-1, 1].
        before: Zeros to put above and on the left of every patch, for the convolution that follows.
        after: Zeros to put below and on the right of every patch.

    Returns:
        (N, T, 3, S, S) float32, S = before + 32 + after.
    """
    copies = [
        images
        if size == images.shape[-2:]
        else functional.interpolate(images, size, mode="bicubic", align_corners=False)
        for size in copy_sizes(*images.shape[-2:])
    ]
    counts = [math.prod(math.ceil(side / PATCH) for side in copy.shape[-2:]) for copy in copies]
    side = before + PATCH + after
    patches = images.new_zeros((len(images), sum(counts), 3, side, side))
    inner = patches[..., before : before + PATCH, before : before + PATCH]
    for copy, target in zip(copies, torch.split(inner, counts, 1), strict=True):
        padded = _pad_to_patches(copy)
        rows, columns = (length // PATCH for length in padded.shape[-2:])
        cut = padded.reshape(-1, 3, rows, PATCH, columns, PATCH).permute(0, 2, 4, 1, 3, 5)
        target.view(-1, rows, columns, 3, PATCH, PATCH).copy_(cut)
    return patches


def _pad_to_patches(images: Tensor) -> Tensor:
    lacking_rows, lacking_columns = (-length % PATCH for length in images.shape[-2:])
    if not lacking_rows and not lacking_columns:
        return images
    left, top = lacking_columns // 2, lacking_rows // 2
    return functional.pad(images, (left, lacking_columns - left, top, lacking_rows - top))
