"""Pictures to restore and to score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ccsr_bench.images import write_png


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


def write_pairs(folder: Path, names: Sequence[str], size: int = 64) -> Path:
    """Write a picture of (size, size) pixels under every name into `hr`, and a quarter of its pixels into `lr`."""
    for part in ("lr", "hr"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names):
        hr = picture(seed, size)
        write_png(folder / "hr" / f"{name}.png", hr)
        write_png(folder / "lr" / f"{name}.png", np.ascontiguousarray(hr[2::4, 2::4]))
    return folder
