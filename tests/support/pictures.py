"""Pictures to restore and to score."""

from __future__ import annotations

import numpy as np


def picture(seed: int, size: int = 64) -> np.ndarray:
    """Return a smooth random (size, size, 3) uint8 picture, away from 0 and 255."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    waves = [
        np.sin(generator.uniform(2, 12) * x + generator.uniform(2, 12) * y + generator.uniform(0, 6)) for _ in range(3)
    ]
    pixels: np.ndarray = np.rint(128 + 50 * np.stack(waves, -1)).astype(np.uint8)
    return pixels


def noisy(image: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """Return the image with noise."""
    noise = np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)
