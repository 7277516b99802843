"""The part of an image that is enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ccsr_bench.errors import BenchError


class Region(NamedTuple):
    """A square of an HR image, in pixels from the upper left corner."""

    left: int
    top: int
    size: int

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """Return the part of an array (H, W, ...) that lies in the region."""
        return pixels[self.top : self.top + self.size, self.left : self.left + self.size]

    def check_inside(self, height: int, width: int) -> None:
        """Raise a `BenchError` unless the region lies inside an image of this size."""
        if self.left + self.size > width or self.top + self.size > height:
            raise BenchError(
                f"`region` {self.left},{self.top},{self.size} is not inside the image of {width}x{height} pixels; "
                f"give another `region`"
            )


def busiest_region(maps: Sequence[np.ndarray], scale: int) -> Region:
    """Return the square, a quarter as wide as the image's shorter side, with the highest mean over all maps.

    Its position and its size are multiples of the scale, so that it shows whole LR pixels. Of equal squares, the first
    is taken.

    Args:
        maps: Maps of the same size, (H, W) float, for instance from `ccsr_bench.stability.std_map`.
        scale: HR pixels per LR pixel.
    """
    total = np.sum(maps, axis=0)
    height, width = total.shape
    size = max(1, min(height, width) // 4 // scale) * scale
    sums = np.zeros((height + 1, width + 1))
    sums[1:, 1:] = total.cumsum(axis=0).cumsum(axis=1)
    boxes = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    boxes = boxes[::scale, ::scale]
    top, left = np.unravel_index(int(boxes.argmax()), boxes.shape)
    return Region(int(left) * scale, int(top) * scale, size)
