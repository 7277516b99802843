"""CCSR, for use with or without the benchmark.

    from ccsr_bench.ccsr import CCSR, WeightFolders

    model = CCSR.load(WeightFolders(base=Path("stable-diffusion-2-1-base"), controlnet=Path("controlnet"),
                                    vae=Path("vae")), device="cuda")
    outputs = model.restore(lr, seeds=range(10))     # (h, w, 3) uint8 -> (10, 4h, 4w, 3) uint8

The module `settings` lists every setting and every quirk of the official code, `schedule` has the timesteps, and
`sampler` the arithmetic.
The public names, which ``__init__.pyi`` lists, are imported when they are first used.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_import_name, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name in __all__:
        from ccsr_bench.devices.torchvision_operators import import_torchvision  # imports torch

        import_torchvision()  # before transformers imports it
    return _import_name(name)
