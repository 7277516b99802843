"""PASD by its authors' code, as `test_pasd.py` of the official repository runs it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import open_clip
import torch
from diffusers import UniPCMultistepScheduler
from pasd.myutils import vaehook
from PIL import Image
from torchvision import transforms
from transformers import CLIPTextModel

from ccsr_bench.methods.isolated.worker.cuda_only_code import load_tensors_only
from ccsr_bench.methods.isolated.worker.once_per_image import OncePerImage

vaehook.perfcount = lambda function: function  # it empties caches and resets the peak of memory at every call

import test_pasd as official  # noqa: E402 - needs the above

SMALLEST_SIDE = 512
"""Shorter side of the image that is restored, in pixels; smaller images are enlarged to it."""

ENCODER_TILE = 1024
LARGEST_SIDE = ENCODER_TILE + 64
"""Longest side of the image that is restored, in pixels; larger ones are encoded in tiles, which fails with diffusers
0.29.2."""

OPTIONS = {
    "control_type": "realisr",
    "high_level_info": "caption",
    "prompt": "",
    "added_prompt": "clean, high-resolution, 8k",
    "negative_prompt": "blurry, dotted, noise, raster lines, unclear, lowres, over-smoothed",
    "guidance_scale": 9.0,
    "conditioning_scale": 1.0,
    "encoder_tiled_size": ENCODER_TILE,
    "decoder_tiled_size": 224,
    "latent_tiled_size": 320,
    "latent_tiled_overlap": 8,
    "use_personalized_model": False,
    "use_pasd_light": False,
    "use_lcm_lora": False,
    "use_blip": False,
    "init_latent_with_noise": False,
}
"""The official script's defaults."""


def load(
    source: str,
    weights: dict[str, str],
    device: str,
    steps: int,
    added_noise_level: int,
    caption_config: str | None = None,
) -> Pasd:
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``base`` (Stable Diffusion 1.5 without its UNet), ``pasd``, and ``caption`` (CoCa).
        device: The device to run on: in float16 on a GPU, as the official script does, in float32 on a CPU.
            Captions are always made on the CPU, in float32.
        steps: Sampling steps.
        added_noise_level: Timestep of the noise that is added to the start a second time; README.md says what that
            changes.
        caption_config: A file ``coca_ViT-L-14.json`` of open_clip, for weights of another size.
    """
    options = Namespace(
        **OPTIONS,
        pretrained_model_path=weights["base"],
        pasd_model_path=weights["pasd"],
        num_inference_steps=steps,
        added_noise_level=added_noise_level,
    )
    precision = "fp16" if torch.device(device).type == "cuda" else "no"
    vaehook.get_optimal_device = lambda: torch.device(device)  # not the GPU because there is one
    if caption_config is not None:
        open_clip.add_model_config(caption_config)
    caption_file = str(Path(weights["caption"]) / "open_clip_pytorch_model.bin")
    with (
        load_tensors_only(),
        patch.object(official, "CLIPTextModel", Namespace(from_pretrained=_whole_text_encoder)),
        patch.object(open_clip.factory, "download_pretrained", lambda *_, **__: caption_file),
    ):
        place = Namespace(device=torch.device(device), mixed_precision=precision)
        pipeline = official.load_pasd_pipeline(options, place, False)
        captioner = official.load_high_level_net(options)
    _check_scheduler(pipeline.scheduler, Path(source))
    pipeline.set_progress_bar_config(disable=True)
    return Pasd(pipeline, captioner, options, device)


def _whole_text_encoder(folder: str, subfolder: str) -> CLIPTextModel:
    """Load the text encoder, all of it: what a file lacks, transformers draws at random without stopping."""
    encoder, found = CLIPTextModel.from_pretrained(folder, subfolder=subfolder, output_loading_info=True)
    lost = found["missing_keys"]
    if lost:
        raise ValueError(f"{folder}/{subfolder} lacks {len(lost)} weights, such as {lost[0]}")
    return encoder


def _check_scheduler(scheduler: Any, source: Path) -> None:
    """Raise a ValueError unless it is as in the checkout; another would sample other timesteps without a word."""
    authors = UniPCMultistepScheduler.from_pretrained(source / "checkpoints/stable-diffusion-v1-5/scheduler")
    names = [name for name in authors.config if not name.startswith("_")]
    other = {name: scheduler.config.get(name) for name in names if scheduler.config.get(name) != authors.config[name]}
    if other:
        raise ValueError(f"the scheduler of the base model has {other}, the one in the checkout has not")


class Pasd:
    """Restores one image; all noise comes from a generator of its own."""

    def __init__(self, pipeline: Any, captioner: tuple[Any, ...], options: Namespace, device: str) -> None:
        self.network = pipeline.unet
        self._pipeline = pipeline
        self._captioner = captioner
        self._options = options
        self._device = device
        self._prompt = OncePerImage(self._caption)

    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB."""
        image = _enlarge(lr)
        options = self._options
        picture = self._pipeline(
            options,
            self._prompt(lr),
            image,
            num_inference_steps=options.num_inference_steps,
            generator=torch.Generator(self._device).manual_seed(seed),
            guidance_scale=options.guidance_scale,
            negative_prompt=options.negative_prompt,
            conditioning_scale=options.conditioning_scale,
        ).images[0]
        height, width, _ = lr.shape
        return np.array(official.wavelet_color_fix(picture, image).resize((4 * width, 4 * height)))

    def _caption(self, lr: np.ndarray) -> str:
        prompt = official.get_validation_prompt(self._options, Image.fromarray(lr), *self._captioner)
        return str(prompt + self._options.added_prompt)


def _enlarge(lr: np.ndarray) -> Image.Image:
    """(h, w, 3) uint8 -> the image that is restored, with sides that are multiples of 8; ValueError if too large."""
    height, width, _ = lr.shape
    image = Image.fromarray(lr).resize((4 * width, 4 * height))
    if min(image.size) < SMALLEST_SIDE:
        image = transforms.Resize(SMALLEST_SIDE, transforms.InterpolationMode.BILINEAR)(image)
    image = image.resize((image.width // 8 * 8, image.height // 8 * 8))
    if max(image.size) > LARGEST_SIDE:
        raise ValueError(
            f"LR image of {height}x{width}: the image to restore, {image.height}x{image.width}, has a side of more "
            f"than {LARGEST_SIDE} pixels, which the official code cannot encode"
        )
    return image
