"""DiffBIR by its authors' code, as `inference.py` of the official repository runs it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from diffbir.utils import common
from omegaconf import OmegaConf
from PIL import Image

from ccsr_bench.methods.isolated.worker.lightning_checkpoints import load_tensors_among_objects
from ccsr_bench.methods.isolated.worker.once_per_image import OncePerImage

common.VRAMPeakMonitor = contextlib.nullcontext  # it waits for the GPU, and fails where there is none

import inference as official  # noqa: E402 - needs the above
from diffbir.model import ControlLDM  # noqa: E402
from diffbir.sampler import spaced_sampler  # noqa: E402

spaced_sampler.tqdm = lambda steps, **_: steps  # its bars would fill the log


def load(
    source: str,  # noqa: ARG001
    weights: dict[str, str],
    device: str,
    version: str,
    steps: int,
    cfg_scale: float,
    neg_prompt: str,
    configurations: str = ".",
) -> DiffBIR:
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``base`` (Stable Diffusion 2.1-base), ``control`` (IRControlNet) and ``cleaner`` (stage 1): folders of
            the official files.
        device: The device to run on, in float32.
        version: Version of the published models, ``v1`` or ``v2``.
        steps: Sampling steps.
        cfg_scale: Guidance scale; 1 is no guidance.
        neg_prompt: Negative prompt.
        configurations: Folder that holds the official ``configs/inference``; by default the checkout, which is the
            current folder.
    """
    where = torch.device(device)
    if where.index is not None:
        torch.cuda.set_device(where)  # the script knows no numbers
    if where.type == "cpu":
        torch.autocast = lambda *_: contextlib.nullcontext()  # it has no float32 there, which everything is in anyway
    options = {
        "task": "sr",
        "upscale": 4,
        "version": version,
        "sampler": "spaced",
        "steps": steps,
        "captioner": "none",
        "pos_prompt": "",
        "neg_prompt": neg_prompt,
        "cfg_scale": cfg_scale,
        "precision": "fp32",
        "device": where.type,
        "input": "",
        "output": "",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with patch.object(sys, "argv", ["inference.py", *arguments]), _installed(weights, configurations):
        return DiffBIR(_OneImage(official.parse_args()))


@contextlib.contextmanager
def _installed(weights: dict[str, str], configurations: str) -> Iterator[None]:
    """Let the official code read what is installed, in place of downloads, and refuse what it would leave at random."""
    files = {file.name: str(file) for folder in weights.values() for file in Path(folder).iterdir()}
    load_configuration, load_pretrained_sd = OmegaConf.load, ControlLDM.load_pretrained_sd

    def load_whole(model: Any, state: dict[str, torch.Tensor]) -> Any:
        unused, missing = load_pretrained_sd(model, state)
        if missing:
            raise ValueError(
                f"Stable Diffusion in {weights['base']} lacks {len(missing)} weights, such as {min(missing)}"
            )
        return unused, missing

    with (
        load_tensors_among_objects(),
        patch.object(common, "load_file_from_url", lambda url, **_: files[Path(url).name]),
        patch.object(OmegaConf, "load", lambda file: load_configuration(Path(configurations) / file)),
        patch.object(ControlLDM, "load_pretrained_sd", load_whole),
    ):
        yield


class _OneImage(official.BSRInferenceLoop):  # type: ignore[misc]
    """The official loop over files, given one image in place of a folder."""

    image: Image.Image
    output: np.ndarray

    def setup(self) -> None:
        """Make no folder."""

    def load_lq(self) -> Iterator[Image.Image]:
        yield self.image

    def save(self, samples: list[np.ndarray], *_: str) -> None:
        (self.output,) = samples


class DiffBIR:
    """Restores one image; the start and every step draw from the global random stream."""

    def __init__(self, loop: _OneImage) -> None:
        self.network = loop.cldm.unet
        self._loop = loop
        self._of_image = OncePerImage(lambda _: {})
        clean, prepare = loop.pipeline.apply_cleaner, loop.cldm.prepare_condition
        loop.pipeline.apply_cleaner = lambda *given: self._once("stage 1", lambda: clean(*given))
        loop.cldm.prepare_condition = lambda image, prompts, *tiles: dict(  # the pipeline changes what it gets
            self._once(f"condition {prompts[0]}", lambda: prepare(image, prompts, *tiles))
        )

    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG002 - the global stream was set from it
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB."""
        self._known = self._of_image(lr)
        self._loop.image = Image.fromarray(lr)
        self._loop.run()
        return self._loop.output

    def _once(self, name: str, compute: Callable[[], Any]) -> Any:
        """Return what does not depend on the seed, computed for the first run of an image only."""
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]
