"""Heat maps as picture files: the standard deviation of each pixel over runs."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ccsr_bench.plots.colour_map import LEVELS, colours


def heat_map(values: np.ndarray, top: float) -> Image.Image:
    """Return a heat map as a picture with a palette.

    Args:
        values: Values of the map, (H, W) float, 0 or more.
        top: Value that has the last colour, like all values above it.
    """
    levels = np.clip(np.rint(values / top * (LEVELS - 1)), 0, LEVELS - 1).astype(np.uint8)
    picture = Image.fromarray(levels)
    picture.putpalette(colours().tobytes())
    return picture


def colour_scale() -> Image.Image:
    """Return all colours in a row, from 0 to the top of the scale, for a legend."""
    return heat_map(np.linspace(0, 1, LEVELS)[None], 1.0)
