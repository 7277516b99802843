"""SeeSR by its authors' code, as `test_seesr.py` of the official repository runs it."""

from __future__ import annotations

import sys
import types
from argparse import Namespace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers.models import attention, normalization
from PIL import Image
from utils import vaehook

from ccsr_bench.methods.isolated.families.recognize_anything import build_tagger
from ccsr_bench.methods.isolated.families.seesr import enlarge, four_times
from ccsr_bench.methods.isolated.worker.cuda_only_code import InsteadOfCuda, load_tensors_only
from ccsr_bench.methods.isolated.worker.once_per_image import OncePerImage

# Where diffusers 0.21, which the authors pin, had them.
pipeline_utils = types.ModuleType("diffusers.pipeline_utils")
pipeline_utils.DiffusionPipeline = diffusers.DiffusionPipeline  # type: ignore[attr-defined]
sys.modules["diffusers.pipeline_utils"] = pipeline_utils
attention.AdaGroupNorm = normalization.AdaGroupNorm

vaehook.perfcount = lambda function: function  # it empties caches and resets the peak of memory at every call

import test_seesr as official  # noqa: E402 - needs all of the above

SCHEDULE = {"clip_sample": False, "steps_offset": 1, "timestep_spacing": "leading"}
"""What the published scheduler's configuration leads to; another one would silently sample other timesteps."""


def load(source: str, weights: dict[str, str], device: str, steps: int) -> SeeSR:  # noqa: ARG001
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``base`` (Stable Diffusion 2-base without its UNet), ``seesr``, ``ram`` and ``dape`` (the tagger).
        device: The device to run on: in float16 on a GPU, as the official script does, in float32 on a CPU.
        steps: Sampling steps.
    """
    on_gpu = torch.device(device).type == "cuda"
    arguments = Namespace(
        pretrained_model_path=weights["base"],
        seesr_model_path=weights["seesr"],
        prompt="",
        added_prompt="clean, high-resolution, 8k",
        negative_prompt="dotted, noise, blur, lowres, smooth",
        guidance_scale=5.5,
        conditioning_scale=1.0,
        num_inference_steps=steps,
        vae_decoder_tiled_size=224,
        vae_encoder_tiled_size=1024,
        latent_tiled_size=96,
        latent_tiled_overlap=4,
        start_steps=999,
        start_point="lr",
    )
    precision = Namespace(mixed_precision="fp16" if on_gpu else "no", device=torch.device(device))
    with load_tensors_only(), InsteadOfCuda(device), torch.no_grad():
        pipeline = official.load_seesr_pipeline(arguments, precision, False)
        tagger = build_tagger(Path(weights["ram"]), Path(weights["dape"])).to(device).eval()
    other = {name: pipeline.scheduler.config.get(name) for name in SCHEDULE}
    if other != SCHEDULE:
        raise ValueError(f"the scheduler of {weights['base']} has {other}, it must have {SCHEDULE}")
    pipeline.set_progress_bar_config(disable=True)
    return SeeSR(pipeline, tagger, arguments, device)


class SeeSR:
    """Restores one image; noise comes from a generator of its own and from the global random stream."""

    def __init__(self, pipeline: Any, tagger: torch.nn.Module, arguments: Namespace, device: str) -> None:
        self.network = pipeline.unet
        self._pipeline = pipeline
        self._tagger = tagger
        self._arguments = arguments
        self._device = device
        self._tagged = OncePerImage(self._tag)

    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB."""
        prompt, embeddings = self._tagged(lr)
        image = enlarge(lr)
        options = self._arguments
        with torch.autocast("cuda", enabled=torch.device(self._device).type == "cuda"):
            picture = self._pipeline(
                prompt,
                image,
                num_inference_steps=options.num_inference_steps,
                generator=torch.Generator(self._device).manual_seed(seed),
                height=image.height,
                width=image.width,
                guidance_scale=options.guidance_scale,
                negative_prompt=options.negative_prompt,
                conditioning_scale=options.conditioning_scale,
                start_point=options.start_point,
                ram_encoder_hidden_states=embeddings,
                latent_tiled_size=options.latent_tiled_size,
                latent_tiled_overlap=options.latent_tiled_overlap,
                args=options,
            ).images[0]
        return four_times(official.adain_color_fix(picture, image), lr)

    def _tag(self, lr: np.ndarray) -> tuple[str, torch.Tensor]:
        """Return the prompt and the tagger's embeddings."""
        with torch.no_grad():
            prompt, embeddings = official.get_validation_prompt(
                self._arguments, Image.fromarray(lr), self._tagger, self._device
            )
        return prompt + self._arguments.added_prompt, embeddings
