"""Tiled diffusion: ControlNet and UNet process overlapping tiles of the latent, blended by Gaussian weights.

Source: mixture of diffusers (arXiv:2302.02412); ``pipelines/pipeline_ccsr.py`` lines 808 to 917 of the official code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

_VARIANCE = 0.01
"""Variance of the Gaussian weights, in units of the tile's side."""


def tile_starts(length: int, tile: int, stride: int) -> list[int]:
    """Return where the tiles of one axis start; the last tile ends where the axis ends."""
    starts = list(range(0, max(length - tile, 0) + 1, stride))
    if starts[-1] + tile < length:
        starts.append(length - tile)
    return starts


def tile_weights(height: int, width: int, *, symmetric: bool) -> Tensor:
    """Return the blending weights of a tile's pixels, (height, width) float64 as in the official code.

    Args:
        height: Height of the tile.
        width: Width of the tile.
        symmetric: Whether to centre the weights; the official weights are centred half a pixel too low.
    """

    def gaussian(length: int, centre: float) -> np.ndarray:
        offset = (np.arange(length) - centre) / length
        weights: np.ndarray = np.exp(-(offset**2) / (2 * _VARIANCE)) / np.sqrt(2 * np.pi * _VARIANCE)
        return weights

    rows = gaussian(height, (height - 1) / 2 if symmetric else height / 2)
    columns = gaussian(width, (width - 1) / 2)
    return torch.from_numpy(np.outer(rows, columns))


def predict_in_tiles(
    predict: Callable[[Tensor, Tensor], Tensor],
    latents: Tensor,
    condition: Tensor,
    *,
    tile: int,
    stride: int,
    symmetric: bool,
) -> Tensor:
    """Predict the noise in latents tile by tile.

    Args:
        predict: Function from latents and condition of any size to the predicted noise.
        latents: Noisy latents, (rows, 4, h, w).
        condition: Condition latents of the whole image, (rows, 4, h, w).
        tile: Side of a tile in latent pixels, at most that of the latent.
        stride: Distance from one tile to the next, in latent pixels.
        symmetric: Whether to centre the weights; see `tile_weights`.

    Returns:
        The predicted noise, (rows, 4, h, w) in the latents' precision.
    """
    height, width = latents.shape[-2:]
    tile_height, tile_width = min(tile, height), min(tile, width)
    weights = tile_weights(tile_height, tile_width, symmetric=symmetric).to(latents.device)
    total = torch.zeros(latents.shape, device=latents.device)
    count = torch.zeros((height, width), device=latents.device)
    for rows, columns in _boxes(height, width, tile, stride):
        total[..., rows, columns] += predict(latents[..., rows, columns], condition[..., rows, columns]) * weights
        count[rows, columns] += weights
    return (total / count).to(latents.dtype)


def _boxes(height: int, width: int, tile: int, stride: int) -> Iterator[tuple[slice, slice]]:
    for top in tile_starts(height, tile, stride):
        for left in tile_starts(width, tile, stride):
            yield slice(top, min(top + tile, height)), slice(left, min(left + tile, width))
