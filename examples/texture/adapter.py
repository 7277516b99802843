"""An example of a method that draws noise, for the pictures of the documentation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image


class Texture:
    """Bicubic, plus its own detail multiplied by smooth noise: sharper here, softer there, otherwise for every seed.

    Args:
        strength: Of the noise.
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
            factor = 0.5 + sum(_noise(generator, height // cell, width // cell, large) for cell in (1, 4))
            outputs.append(smooth + self._strength * factor[..., None] * detail)
        return np.rint(np.stack(outputs)).clip(0, 255).astype(np.uint8)


def _noise(generator: np.random.Generator, rows: int, columns: int, large: tuple[int, int]) -> np.ndarray:
    return _resized(Image.fromarray(generator.normal(scale=0.6, size=(rows, columns)).astype(np.float32)), large)


def _resized(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float64)
