"""CCSR's official script, run by its own interpreter; called by `ccsr_recording.py`.

    python ccsr_script.py SOURCE NOISES PRECISION OPTION...

This runs `test_ccsr_tile.py` of the checkout SOURCE as a program with the options, on a CPU. NOISES is an .npz file
with the noise of every run by role, which replaces the random numbers of the official code. PRECISION is ``float16`` or
``float32``; with the latter, the two uses of float16 in the official code are replaced by float32. Every operation of
the networks is rounded once (`tests.support.rounding`), so that the pixels are the same on every machine.

Libraries that are missing or need a GPU are replaced: `torchvision` by two conversions, xformers and the accelerator by
empty substitutes.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


class Noises:
    """The noise of all runs, in the order in which the official code draws it."""

    def __init__(self, file: str, precision: torch.dtype, *, keeps_estimate: bool, jumps: bool) -> None:
        with np.load(file) as roles:
            starts, posteriors, renoises, steps = (
                list(torch.from_numpy(roles[role]).to(precision)) for role in ("start", "posterior", "renoise", "steps")
            )
        self.start = iter([start[None] for start in starts])
        self.posterior = iter(posteriors)
        self.renoise = iter([renoise[None] for renoise in renoises] if jumps else [])
        # NaN for the step whose sample is discarded: code that used this noise would give no image.
        unused = [torch.full_like(starts[0], torch.nan)] if keeps_estimate else []
        self.step = iter([noise[None] for run in steps for noise in [*run, *unused]])

    def check_used(self) -> None:
        """Check that the official code drew all noise; raises a ValueError if not."""
        left = [
            name for name in ("start", "posterior", "renoise", "step") if next(getattr(self, name), None) is not None
        ]
        if left:
            raise ValueError(f"the official code did not draw all noise: {left}")


def given(tensors: Iterator[torch.Tensor]) -> Any:
    """Return a function that replaces a draw of the official code by the next tensor."""

    def draw(shape: Any, generator: Any = None, device: Any = None, dtype: Any = None) -> torch.Tensor:
        tensor = next(tensors)
        if tensor.shape != torch.Size(shape) or tensor.dtype != dtype:
            raise ValueError(f"drawn {tuple(shape)} {dtype}, given {tuple(tensor.shape)} {tensor.dtype}")
        return tensor

    return draw


class Torch:
    """torch with a few changed names."""

    def __init__(self, **changed: Any) -> None:
        self.__dict__.update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


class CPU:
    """Replaces the accelerator, which does not support float16 on a CPU."""

    device = torch.device("cpu")
    is_main_process = True

    def __init__(self, mixed_precision: str) -> None:
        self.mixed_precision = mixed_precision

    def init_trackers(self, name: str) -> None:
        """Do nothing."""


class ToTensor:
    """Converts an 8-bit image to [0, 1], as torchvision does."""

    def __call__(self, image: Image.Image) -> torch.Tensor:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()
        return pixels.to(torch.float32).div(255)


class ToPILImage:
    """Converts [0, 1] to an 8-bit image, as torchvision does: the fraction is truncated."""

    def __call__(self, tensor: torch.Tensor) -> Image.Image:
        return Image.fromarray(np.transpose(tensor.mul(255).byte().numpy(), (1, 2, 0)))


def stand_ins() -> dict[str, ModuleType]:
    """Return substitutes for the modules that the official code imports and a CPU lacks."""
    functional = {"to_tensor": ToTensor()}
    contents: dict[str, dict[str, Any]] = {
        "torchvision": {},
        "torchvision.transforms": {"ToTensor": ToTensor, "ToPILImage": ToPILImage},
        "torchvision.transforms.functional": functional,
        "torchvision.utils": {"save_image": None},
        "xformers": {},
        "xformers.ops": {},
    }
    modules = {}
    for name, values in contents.items():
        modules[name] = ModuleType(name)
        modules[name].__spec__ = ModuleSpec(name, None)
        modules[name].__dict__.update(values)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(modules[parent], child, modules[name])
    return modules


def run(noises: Noises, precision: torch.dtype, options: list[str]) -> None:
    """Run the official script."""
    import accelerate
    import diffusers.models.vae
    import diffusers.schedulers.scheduling_ddpm
    import transformers  # noqa: F401 - its import reads versions that the substitutes lack
    from diffusers import ModelMixin
    from diffusers.utils import import_utils

    sys.modules.update(stand_ins())
    import pipelines.pipeline_ccsr as pipeline

    from tests.support.rounding import RoundedOnce

    changed = Torch(float16=precision, randn_like=lambda latents: given(noises.renoise)(latents.shape, dtype=precision))
    patches: list[Any] = [
        patch.object(accelerate, "Accelerator", CPU),
        patch.object(import_utils, "is_xformers_available", lambda: True),
        patch.object(ModelMixin, "enable_xformers_memory_efficient_attention", lambda _: None),
        patch.object(torch.cuda, "synchronize", lambda: None),
        patch.object(pipeline, "torch", changed),
        patch.object(pipeline, "randn_tensor", given(noises.start)),
        patch.object(diffusers.models.vae, "randn_tensor", given(noises.posterior)),
        patch.object(diffusers.schedulers.scheduling_ddpm, "randn_tensor", given(noises.step)),
        patch.object(sys, "argv", ["test_ccsr_tile.py", *options]),
        RoundedOnce(),
    ]
    with ExitStack() as stack:
        for context in patches:
            stack.enter_context(context)
        runpy.run_path("test_ccsr_tile.py", run_name="__main__")
    noises.check_used()


def main(source: str, file: str, precision: str, *options: str) -> None:
    """Run the official script with the noise of a file."""
    sys.path[0] = source
    sys.path.append(str(ROOT))
    os.chdir(source)
    dtype = torch.float16 if precision == "float16" else torch.float32
    t_max, t_min = (float(options[options.index(name) + 1]) for name in ("--t_max", "--t_min"))
    noises = Noises(file, dtype, keeps_estimate=t_min > 0, jumps=t_max != 1)
    run(noises, dtype, list(options))


if __name__ == "__main__":
    main(*sys.argv[1:])
