"""The multi-scale patches of MUSIQ (Ke et al., ICCV 2021): their pixels, and their places in the image."""

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
"""Longer sides of the reduced or enlarged copies of the image, in pixels; the last copy is the image itself."""
GRID = 10
"""Rows and columns of the grid of learned positions."""


class Places(NamedTuple):
    """The places of the T patches of an image; both fields are (T,) int64 on the CPU."""

    position: Tensor
    """Index in the grid of learned positions, row by row, less than `GRID` squared."""
    scale: Tensor
    """Index in `LONGER_SIDES` of the copy that holds the patch, or their number for the image itself."""


def copy_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return the (height, width) of each copy of an image, the image itself last; 0 where the image is too narrow."""
    ratios = [longer / max(height, width) for longer in LONGER_SIDES]
    return [(round(height * ratio), round(width * ratio)) for ratio in ratios] + [(height, width)]


@functools.lru_cache(maxsize=16)
def places(height: int, width: int) -> Places:
    """Return the places of the patches of an image, in the order of `multi_scale_patches`."""
    positions, scales = [], []
    for scale, size in enumerate(copy_sizes(height, width)):
        rows, columns = (_grid_lines(math.ceil(side / PATCH)) for side in size)
        positions.append((rows[:, None] * GRID + columns).flatten())
        scales.append(torch.full_like(positions[-1], scale))
    return Places(torch.cat(positions), torch.cat(scales))


def _grid_lines(count: int) -> Tensor:
    """Return the grid line of each of `count` patches on one axis, (count,) int64."""
    lines = torch.arange(GRID, dtype=torch.float32)
    # By torch and not in integers: torch computes the nearest line in float32, which can give the adjacent line.
    return functional.interpolate(lines[None, None], count, mode="nearest").flatten().long()


def multi_scale_patches(images: Tensor, before: int, after: int) -> Tensor:
    """Divide images and their reduced or enlarged copies into patches.

    Copies are bicubic, without anti-aliasing. Where a side is not a multiple of `PATCH`, zeros are added around the
    image; the odd row or column is at the bottom or on the right. There are no patches of zeros only: MUSIQ masks them,
    so they would not change the result.

    Args:
        images: Images, (N, 3, H, W) float32 in [-1, 1].
        before: Number of zeros above and on the left of every patch, for the convolution that follows.
        after: Number of zeros below and on the right of every patch.

    Returns:
        The patches, (N, T, 3, S, S) float32, S = before + 32 + after.
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
    missing_rows, missing_columns = (-length % PATCH for length in images.shape[-2:])
    if not missing_rows and not missing_columns:
        return images
    left, top = missing_columns // 2, missing_rows // 2
    return functional.pad(images, (left, missing_columns - left, top, missing_rows - top))
