"""An example of a method that draws noise, for the pictures of the documentation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image


class Texture:
    """Bicubic interpolation plus its own detail multiplied by smooth noise: every seed makes other places sharper.

    Args:
        strength: Factor of the detail that is added.
    """

    def __init__(self, *, strength: float) -> None:
        self._strength = strength

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Return one image per seed; see `ccsr_bench.methods.base.Method`."""
        height, width, _ = lr.shape
        large = (4 * width, 4 * height)
        smooth = _resized(Image.fromarray(lr), large)
        detail = smooth - _resized(Image.fromarray(lr).resize((width // 2, height // 2), Image.Resampling.BOX), large)
        outputs = []
        for seed in seeds:
            generator = np.random.Generator(np.random.PCG64(seed))
            noise = [_noise(generator, height // cell, width // cell, large) for cell in (1, 4)]
            factor = 0.5 + noise[0] + noise[1]
            outputs.append(smooth + self._strength * factor[..., None] * detail)
        pixels: np.ndarray = np.rint(np.stack(outputs)).clip(0, 255).astype(np.uint8)
        return pixels


def _noise(generator: np.random.Generator, rows: int, columns: int, large: tuple[int, int]) -> np.ndarray:
    return _resized(Image.fromarray(generator.normal(scale=0.6, size=(rows, columns)).astype(np.float32)), large)


def _resized(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float64)
