"""Heat maps as pictures: how much each pixel moves from run to run."""

from __future__ import annotations

import numpy as np
from PIL import Image

LEVELS = 64
"""Colours of a map: more cannot be told apart, and make the file larger."""

_STOPS = (
    (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142),
    (31, 158, 137), (53, 183, 121), (109, 205, 89), (180, 222, 44), (253, 231, 37),
)  # fmt: skip
"""Viridis: equal steps look equally large, to the colour-blind too, and brighter is more."""


def heat_map(values: np.ndarray, top: float) -> Image.Image:
    """Return a map as a picture with a palette.

    Args:
        values: (H, W) float, 0 or more.
        top: The value that has the last colour, as everything above it.
    """
    levels = np.clip(np.rint(values / top * (LEVELS - 1)), 0, LEVELS - 1).astype(np.uint8)
    picture = Image.fromarray(levels)
    picture.putpalette(_palette())
    return picture


def colour_scale() -> Image.Image:
    """Return all colours in a row, from 0 to the top, for a legend."""
    return heat_map(np.linspace(0, 1, LEVELS)[None], 1.0)


def _palette() -> bytes:
    at, stops = np.linspace(0, len(_STOPS) - 1, LEVELS), np.array(_STOPS)
    channels = [np.interp(at, np.arange(len(_STOPS)), stops[:, channel]) for channel in range(3)]
    colours: np.ndarray = np.rint(np.stack(channels, -1)).astype(np.uint8)
    return colours.tobytes()
