"""CCSR, for use with or without the benchmark.

    from ccsr_bench.ccsr import CCSR, WeightFolders

    model = CCSR.load(WeightFolders(base=Path("stable-diffusion-2-1-base"), controlnet=Path("controlnet"),
                                    vae=Path("vae")), device="cuda")
    outputs = model.restore(lr, seeds=range(10))     # (h, w, 3) uint8 -> (10, 4h, 4w, 3) uint8

`settings` lists every setting and every quirk of the official code, `schedule` the timesteps, `sampler` the arithmetic.
The names below are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ccsr_bench.ccsr.architecture import parameter_counts
    from ccsr_bench.ccsr.color_fix import ColorFix
    from ccsr_bench.ccsr.model import CCSR
    from ccsr_bench.ccsr.networks import Networks
    from ccsr_bench.ccsr.noise import Noise, OfficialNoise, draw_noise
    from ccsr_bench.ccsr.sampler import Sampler
    from ccsr_bench.ccsr.schedule import Schedule
    from ccsr_bench.ccsr.settings import Quirks, Settings, Tiling
    from ccsr_bench.ccsr.weights import WeightFolders

_MODULES = {
    "CCSR": "model",
    "ColorFix": "color_fix",
    "Networks": "networks",
    "Noise": "noise",
    "OfficialNoise": "noise",
    "Quirks": "settings",
    "Sampler": "sampler",
    "Schedule": "schedule",
    "Settings": "settings",
    "Tiling": "settings",
    "WeightFolders": "weights",
    "draw_noise": "noise",
    "parameter_counts": "architecture",
}

__all__ = [
    "CCSR",
    "ColorFix",
    "Networks",
    "Noise",
    "OfficialNoise",
    "Quirks",
    "Sampler",
    "Schedule",
    "Settings",
    "Tiling",
    "WeightFolders",
    "draw_noise",
    "parameter_counts",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'ccsr_bench.ccsr' has no attribute '{name}'")
    from ccsr_bench.devices.torchvision_operators import import_torchvision  # imports torch

    import_torchvision()  # before transformers imports it
    return getattr(importlib.import_module(f"ccsr_bench.ccsr.{_MODULES[name]}"), name)
