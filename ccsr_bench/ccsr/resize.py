"""From the LR image to the image that conditions the model, and from the model's output to the size asked for.

Source: ``test_ccsr_tile.py`` lines 143 to 153 and 189 of the official code. Every resize is Pillow's bicubic
(a = -0.5, antialiased when it shrinks) on 8-bit pixels.
"""

from __future__ import annotations

import numpy as np
from PIL import Image


def upscaled(lr: np.ndarray, *, upscale: int, process_size: int) -> np.ndarray:
    """Return the upscaled LR image: both sides multiples of 8, the shorter about `process_size` or more.

    It conditions the model, and is the reference of the colour fix.

    Args:
        lr: (h, w, 3) uint8.
        upscale: Magnification.
        process_size: Smaller inputs are enlarged to this, before the rest.

    Returns:
        (H, W, 3) uint8.
    """
    image = Image.fromarray(lr)
    width, height = image.size
    least = process_size // upscale
    if width < least or height < least:
        ratio = least / min(width, height)
        width, height = round(ratio * width), round(ratio * height)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
    width, height = width * upscale, height * upscale
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    # A second resize, as the official code does: it is not the same as one.
    return np.array(image.resize((width // 8 * 8, height // 8 * 8), Image.Resampling.BICUBIC))


def resized(output: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an output at the size asked for; the same pixels where that is its size.

    Args:
        output: (H, W, 3) uint8.
        height: Asked for.
        width: Asked for.
    """
    return np.array(Image.fromarray(output).resize((width, height), Image.Resampling.BICUBIC))
