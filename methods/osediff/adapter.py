"""OSEDiff by its authors' code, as `test_osediff.py` of the official repository runs it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import test_osediff as official
import torch
from my_utils.wavelet_color_fix import adain_color_fix
from PIL import Image
from torchvision import transforms

from ccsr_bench.methods.isolated.families.recognize_anything import build_tagger
from ccsr_bench.methods.isolated.families.seesr import enlarge, four_times
from ccsr_bench.methods.isolated.worker.cuda_only_code import InsteadOfCuda, load_tensors_only
from ccsr_bench.methods.isolated.worker.once_per_image import OncePerImage


def load(
    source: str, weights: dict[str, str], device: str, posterior: str, checkpoint: str = "preset/models/osediff.pkl"
) -> OSEDiff:
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``base`` (Stable Diffusion 2.1-base), ``ram`` and ``dape`` (the tagger and its tuning).
        device: The device to run on: in float16 on a GPU, as the official script does, in float32 on a CPU.
        posterior: What is taken from the image encoder's posterior: ``sample``, as in the official script, or
            ``mode``, which draws no noise.
        checkpoint: The LoRA weights, in the checkout.
    """
    on_gpu = torch.device(device).type == "cuda"
    arguments = Namespace(
        pretrained_model_name_or_path=weights["base"],
        osediff_path=str(Path(source) / checkpoint),
        mixed_precision="fp16" if on_gpu else "fp32",
        merge_and_unload_lora=False,
        vae_encoder_tiled_size=1024,
        vae_decoder_tiled_size=224,
        latent_tiled_size=96,
        latent_tiled_overlap=32,
        prompt="",
    )
    # The script takes both from its own globals. torchvision 0.15, which it pins, does not filter when it shrinks.
    official.weight_dtype = torch.float16 if on_gpu else torch.float32
    official.ram_transforms = transforms.Compose(
        [transforms.Resize((384, 384), antialias=False), *official.ram_transforms.transforms[1:]]
    )
    with load_tensors_only(), InsteadOfCuda(device), torch.no_grad():
        model = official.OSEDiff_test(arguments).eval()
        tagger = build_tagger(Path(weights["ram"]), Path(weights["dape"])).to(device, official.weight_dtype).eval()
    if posterior == "mode":
        _use_mode(model.vae)
    elif posterior != "sample":
        raise ValueError(f"posterior '{posterior}' is neither sample nor mode")
    return OSEDiff(model, tagger, arguments, device)


def _use_mode(vae: Any) -> None:
    encode = vae.encode

    def encode_without_noise(image: torch.Tensor) -> Namespace:
        mode = encode(image).latent_dist.mode()
        return Namespace(latent_dist=Namespace(sample=lambda: mode))

    vae.encode = encode_without_noise


class OSEDiff:
    """Restores one image in one step; the image encoder's sample is drawn from the global random stream."""

    def __init__(self, model: Any, tagger: torch.nn.Module, arguments: Namespace, device: str) -> None:
        self.network = model.unet
        self._model = model
        self._tagger = tagger
        self._arguments = arguments
        self._device = device
        self._tagged = OncePerImage(self._tag)

    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG002 - the global stream was set from it
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB."""
        height, width, _ = lr.shape
        if height % 2 or width % 2:
            raise ValueError(f"LR image of {height}x{width}: the official script needs even sides")
        image, prompt, tensor = self._tagged(lr)
        with torch.no_grad():
            output = self._model(tensor * 2 - 1, prompt=prompt)
            picture = transforms.ToPILImage()(output[0].cpu() * 0.5 + 0.5)
        return four_times(adain_color_fix(target=picture, source=image), lr)

    def _tag(self, lr: np.ndarray) -> Any:
        """Return the enlarged image, the prompt, and that image as a tensor."""
        image = enlarge(lr, Image.LANCZOS)
        return image, *official.get_validation_prompt(self._arguments, image, self._tagger, self._device)
