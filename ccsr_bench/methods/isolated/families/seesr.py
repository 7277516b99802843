"""Preprocessing and postprocessing in the scripts of SeeSR, AddSR and OSEDiff."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

SMALLEST_SIDE = 128
"""Smallest shorter side of an LR image in pixels; the official scripts first enlarge smaller images to it."""


def enlarge(lr: np.ndarray, resample: Any = None) -> Image.Image:
    """Return an image enlarged four times, then resized to sides that are multiples of 8.

    Args:
        lr: LR image, (h, w, 3) uint8; an image with a side below `SMALLEST_SIDE` is first enlarged to that side.
        resample: Pillow's filter for the last resizing; the default filter, bicubic, when None. The other resizings use
            the default filter.
    """
    height, width, _ = lr.shape
    image = Image.fromarray(lr)
    if min(height, width) < SMALLEST_SIDE:
        scale = SMALLEST_SIDE / min(width, height)
        image = image.resize((int(scale * width), int(scale * height)))
    image = image.resize((image.width * 4, image.height * 4))
    return image.resize((image.width // 8 * 8, image.height // 8 * 8), resample)


def four_times(picture: Image.Image, lr: np.ndarray) -> np.ndarray:
    """Return the output as (4h, 4w, 3) uint8, resized if `enlarge` changed the size otherwise than by a factor of 4."""
    size = (4 * lr.shape[1], 4 * lr.shape[0])
    return np.array(picture if picture.size == size else picture.resize(size))
