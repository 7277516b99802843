"""Resizing the LR image to the image that conditions the model, and the model's output to the requested size.

Source: ``test_ccsr_tile.py`` lines 143 to 153 and 189 of the official code. Every resize is Pillow's bicubic
(a = -0.5, antialiased when it shrinks) on 8-bit pixels.
"""

from __future__ import annotations

import numpy as np
from PIL import Image


def upscale(lr: np.ndarray, *, factor: int, process_size: int) -> np.ndarray:
    """Return the upscaled LR image: both sides are multiples of 8, the shorter about `process_size` or more.

    This image conditions the model and is the reference of the colour fix.

    Args:
        lr: LR image, (h, w, 3) uint8.
        factor: Factor by which both sides grow.
        process_size: Least length of the shorter side of the result, in pixels; smaller inputs are enlarged first.

    Returns:
        (H, W, 3) uint8.
    """
    image = Image.fromarray(lr)
    width, height = image.size
    least = process_size // factor
    if width < least or height < least:
        ratio = least / min(width, height)
        width, height = round(ratio * width), round(ratio * height)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    width, height = width * factor, height * factor
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    # A second resize, as in the official code: one resize to the final size gives other pixels.
    return np.array(image.resize((width // 8 * 8, height // 8 * 8), Image.Resampling.BICUBIC))


def resize(output: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an output at the requested size, unchanged where it has that size already.

    Args:
        output: Output of the model, (H, W, 3) uint8.
        height: Requested height.
        width: Requested width.
    """
    return np.array(Image.fromarray(output).resize((width, height), Image.Resampling.BICUBIC))
