"""Interpolation methods: the baselines, and the control method whose true stability is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


class Interpolation:
    """Pillow's resampling of the 8-bit image; its bicubic kernel has a = -0.5.

    Args:
        kernel: Name of the kernel, ``bicubic`` or ``lanczos``.
        scale: Magnification.
    """

    def __init__(self, *, kernel: str, scale: int = 4) -> None:
        self._filter = _FILTERS[kernel]
        self._scale = scale

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Return the same upscaled image for every seed; see `ccsr_bench.methods.base.Method`."""
        height, width, _ = lr.shape
        image = Image.fromarray(lr).resize((width * self._scale, height * self._scale), self._filter)
        return np.repeat(np.asarray(image)[None], len(seeds), axis=0)


class DitheredBicubic:
    """Bicubic interpolation in floating point plus Gaussian noise, which is added before rounding to 8 bits.

    Except near the levels 0 and 255, a pixel of a run is round(b + sigma*n) for the interpolated value b and a standard
    normal n. The expected L-STD and G-STD follow from sigma alone, so this method tests the whole pipeline.

    Args:
        sigma: Standard deviation of the noise, in 8-bit grey levels.
        scale: Magnification.
    """

    def __init__(self, *, sigma: float, scale: int = 4) -> None:
        self._sigma = sigma
        self._scale = scale

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Return one noisy image per seed; see `ccsr_bench.methods.base.Method`."""
        size = (lr.shape[1] * self._scale, lr.shape[0] * self._scale)
        channels = [Image.fromarray(lr[..., c].astype(np.float32)) for c in range(3)]
        smooth = np.stack([np.asarray(c.resize(size, Image.Resampling.BICUBIC)) for c in channels], axis=-1)
        outputs = np.empty((len(seeds), *smooth.shape), np.uint8)
        for output, seed in zip(outputs, seeds, strict=True):
            noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(smooth.shape, np.float32)
            np.copyto(output, np.rint(smooth + self._sigma * noise).clip(0, 255), casting="unsafe")
        return outputs
