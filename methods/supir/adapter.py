"""SUPIR by its authors' code, as `test.py` of the official repository runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from SUPIR.util import PIL2Tensor, Tensor2PIL

from ccsr_bench.methods.isolated.families.supir import build, read_options

SETTINGS = {
    "restoration_scale": -1,
    "s_churn": 5,
    "s_noise": 1.003,
    "cfg_scale": 7.5,
    "cfg_scale_start": 4.0,
    "control_scale": 1.0,
    "control_scale_start": 0.0,
    "use_linear_CFG": True,
    "use_linear_control_scale": False,
    "color_fix_type": "Wavelet",
    "num_samples": 1,
}
"""The official script's defaults when the paper was written; the prompts are those of the options file."""


def load(
    source: str, weights: dict[str, str], device: str, steps: int, options: str = "options/SUPIR_v0.yaml"
) -> SUPIR:
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``sdxl``, ``supir`` and ``clip`` (the first text encoder).
        device: The device to run on: in bfloat16 and float16 on a GPU, as the official script does, in float32 on a
            CPU.
        steps: Sampling steps.
        options: Path of an official options file in the checkout.
    """
    model = build(read_options(Path(source) / options, weights, device), device, clip=weights["clip"])
    return SUPIR(model, steps)


class SUPIR:
    """Restores one image; the official code sets the random streams itself, before it draws."""

    def __init__(self, model: Any, steps: int) -> None:
        self.network = model.model
        self._model = model
        self._steps = steps

    def restore(self, lr: np.ndarray, seed: int, caption: str = "") -> np.ndarray:
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB; no caption is the official script's ``--no_llava``."""
        image, height, width = PIL2Tensor(Image.fromarray(lr), upsacle=4, min_size=1024)
        samples = self._model.batchify_sample(
            image[None].to(self._model.device),
            [caption],
            num_steps=self._steps,
            seed=seed % 2**32,  # the most that seed_everything takes
            **SETTINGS,
        )
        return np.array(Tensor2PIL(samples[0], height, width))
