"""What the scripts of SeeSR, AddSR and OSEDiff do around their models."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

SMALLEST_SIDE = 128
"""Shorter side of an LR image in pixels; the official scripts enlarge smaller ones first."""


def enlarge(lr: np.ndarray, resample: Any = None) -> Image.Image:
    """(h, w, 3) uint8 -> the image of four times its size, both sides cut down to multiples of 8 by resizing.

    Args:
        lr: The LR image; one with a side below `SMALLEST_SIDE` is enlarged to that first.
        resample: Pillow's filter for the last resizing; its default, bicubic, when None, as for the others.
    """
    height, width, _ = lr.shape
    image = Image.fromarray(lr)
    if min(height, width) < SMALLEST_SIDE:
        scale = SMALLEST_SIDE / min(width, height)
        image = image.resize((int(scale * width), int(scale * height)))
    image = image.resize((image.width * 4, image.height * 4))
    return image.resize((image.width // 8 * 8, image.height // 8 * 8), resample)


def four_times(picture: Image.Image, lr: np.ndarray) -> np.ndarray:
    """Return the output as (4h, 4w, 3) uint8, resized where the image was enlarged or cut."""
    size = (4 * lr.shape[1], 4 * lr.shape[0])
    return np.array(picture if picture.size == size else picture.resize(size))
