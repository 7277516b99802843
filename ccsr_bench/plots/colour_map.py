"""Viridis, the colour map of all heat maps: equal steps look equally large, also to colour-blind readers."""

from __future__ import annotations

import numpy as np

LEVELS = 64
"""Number of colours in a heat map; more could not be told apart and would make the file larger."""

_VIRIDIS = bytes.fromhex(
    "44015446075a470d6047136548186a481d6f482374482878472d7b46327e453781443b844240864045883e49893d4e8a"
    "3a538b38588c365c8d34608d32648e31688e2f6c8e2d708e2c738e2a778e297b8e277f8e26828e24868e238a8d218e8d"
    "20928c1f968b1f9a8a1f9e891fa18721a58523a98326ad812ab07f2fb47c35b7793bbb7542be714ac16d52c5695ac864"
    "65cb5e6ece5877d15381d34d8bd64695d840a0da39aadc32b5de2bc0df25cae11fd5e21adfe318eae51af4e61efde725"
)


def colours() -> np.ndarray:
    """Return the colours from 0 to the top of the scale, (LEVELS, 3) uint8 RGB."""
    return np.frombuffer(_VIRIDIS, np.uint8).reshape(LEVELS, 3)
