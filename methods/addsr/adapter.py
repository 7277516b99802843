"""AddSR by its authors' code, as `test_addsr.py` of the official repository runs it."""

from __future__ import annotations

import copy
import importlib.util
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import numpy as np
import torch
from PIL import Image
from ram.models import ram_lora
from utils import vaehook

from ccsr_bench.methods.isolated.families.recognize_anything import build_tagger
from ccsr_bench.methods.isolated.families.seesr import enlarge, four_times
from ccsr_bench.methods.isolated.worker.cuda_only_code import InsteadOfCuda, load_tensors_only
from ccsr_bench.methods.isolated.worker.once_per_image import OncePerImage

vaehook.perfcount = lambda function: function  # it empties caches and resets the peak of memory at every call

with patch.object(ram_lora, "ram", MagicMock()):  # the pipeline loads a tagger from an author's path when imported
    import test_addsr as official
    from pipelines import pipeline_addsr

ALL_STEPS = 4
"""The official loop has t = 999, 749, 499 and 249; the first step is all of AddSR-S1."""


def load(source: str, weights: dict[str, str], device: str, steps: int, psr_weight: float) -> AddSR:
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``base`` (Stable Diffusion 2-base without its UNet), ``addsr``, ``ram`` and ``dape`` (the tagger).
        device: The device to run on: in float16 on a GPU, as the official script does, in float32 on a CPU.
        steps: Sampling steps, 4 or 1.
        psr_weight: Weight of the previous step's image in the control image of the next. The official script has an
            option for it, 0.5 by default, but never passes it on, so it runs with the pipeline's default, 0.4.
    """
    if steps not in (1, ALL_STEPS):
        raise ValueError(f"{steps} steps: AddSR has 1 or {ALL_STEPS}")
    on_gpu = torch.device(device).type == "cuda"
    options = Namespace(
        pretrained_model_path=weights["base"],
        addsr_model_path=weights["addsr"],
        prompt="",
        added_prompt="clean, high-resolution, 8k, extremely detailed, best quality, sharp",
        negative_prompt="dotted, noise, blur, lowres, smooth",
        guidance_scale=0,
        conditioning_scale=1.0,
        num_inference_steps=2,
        vae_tiled_size=224,
        latent_tiled_size=320,
        latent_tiled_overlap=4,
        start_point="lr",
    )
    precision = Namespace(mixed_precision="fp16" if on_gpu else "no", device=torch.device(device))
    with load_tensors_only(), InsteadOfCuda(device), torch.no_grad():
        pipeline = official.load_addsr_pipeline(options, precision, False)
        tagger = build_tagger(Path(weights["ram"]), Path(weights["dape"])).to(device).eval()
    pipeline_addsr.RAM = copy.deepcopy(tagger).half() if on_gpu else _InFloat32(tagger)
    pipeline.scheduler.__class__.get_z0 = _official_get_z0(Path(source))
    pipeline.set_progress_bar_config(disable=True)
    return AddSR(pipeline, tagger, options, device, stop_early=steps == 1, psr_weight=psr_weight)


class _InFloat32:
    """The pipeline's own tagger is given float16, which only a GPU's autocast brings together with float32."""

    def __init__(self, tagger: Any) -> None:
        self._tagger = tagger

    def generate_image_embeds(self, image: torch.Tensor) -> torch.Tensor:
        embeddings: torch.Tensor = self._tagger.generate_image_embeds(image.float())
        return embeddings


def _official_get_z0(source: Path) -> Any:
    """Return the method of the official scheduler that stock diffusers lacks; its file is meant to lie in diffusers."""
    name = "diffusers.schedulers.scheduling_ddpm_of_addsr"
    spec = importlib.util.spec_from_file_location(name, source / "utils" / "scheduling_ddpm.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{source / 'utils' / 'scheduling_ddpm.py'} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.DDPMScheduler.get_z0


class _Finished(Exception):  # noqa: N818 - no error
    def __init__(self, latents: torch.Tensor) -> None:
        self.latents = latents


class AddSR:
    """Restores one image; noise comes from a generator of its own and from the global random stream."""

    def __init__(
        self, pipeline: Any, tagger: Any, options: Namespace, device: str, *, stop_early: bool, psr_weight: float
    ) -> None:
        self.network = pipeline.unet
        self._pipeline = pipeline
        self._tagger = tagger
        self._options = options
        self._device = device
        self._psr_weight = psr_weight
        self._tagged = OncePerImage(self._tag)
        if stop_early:
            first = pipeline.scheduler.get_z0

            def finish(*arguments: Any) -> torch.Tensor:
                raise _Finished(first(*arguments))

            pipeline.scheduler.get_z0 = finish

    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB."""
        prompt, embeddings = self._tagged(lr)
        image = enlarge(lr)
        picture = self._sampled(image, prompt, embeddings, seed)
        return four_times(official.adain_color_fix(picture, image), lr)

    def _sampled(self, image: Image.Image, prompt: str, embeddings: torch.Tensor, seed: int) -> Image.Image:
        options = self._options
        on_gpu = torch.device(self._device).type == "cuda"
        with torch.autocast("cuda", enabled=on_gpu), InsteadOfCuda(self._device):
            try:
                picture: Image.Image = self._pipeline(
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
                    PSR_weight=self._psr_weight,
                    args=options,
                ).images[0]
            except _Finished as finished:  # what the pipeline does after its last step
                with torch.no_grad():
                    latents = finished.latents / self._pipeline.vae.config.scaling_factor
                    decoded = self._pipeline.vae.decode(latents, return_dict=False)[0]
                    (picture,) = self._pipeline.image_processor.postprocess(decoded, output_type="pil")
        return picture

    def _tag(self, lr: np.ndarray) -> tuple[str, torch.Tensor]:
        """Return the prompt and the tagger's embeddings."""
        with torch.no_grad():
            prompt, embeddings = official.get_validation_prompt(
                self._options, Image.fromarray(lr), self._tagger, self._device
            )
        return prompt + self._options.added_prompt, embeddings
