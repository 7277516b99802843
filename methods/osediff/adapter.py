"""OSEDiff by its authors' code, as `test_osediff.py` of the official repository runs it."""

from __future__ import annotations

import functools
from argparse import Namespace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import test_osediff as official
import torch
from my_utils.wavelet_color_fix import adain_color_fix
from PIL import Image
from ram.models import ram_lora
from torch.overrides import TorchFunctionMode
from torchvision import transforms

SMALLEST_SIDE = 128
"""Of an LR image; the official script enlarges smaller ones first."""


def load(
    source: str, weights: dict[str, str], device: str, posterior: str, checkpoint: str = "preset/models/osediff.pkl"
) -> OSEDiff:
    """Build the model.

    Args:
        source: The checkout.
        weights: ``base`` (Stable Diffusion 2.1-base), ``ram`` and ``dape`` (the tagger and its tuning).
        device: Where it runs: in float16 on a GPU, as the official script, in float32 on a CPU.
        posterior: Of the image encoder: ``sample``, as the official script, or ``mode``, which draws no noise.
        checkpoint: The LoRA weights, in the checkout.
    """
    on_gpu = torch.device(device).type == "cuda"
    arguments = Namespace(
        pretrained_model_name_or_path=weights["base"], osediff_path=str(Path(source) / checkpoint),
        mixed_precision="fp16" if on_gpu else "fp32", merge_and_unload_lora=False, vae_encoder_tiled_size=1024,
        vae_decoder_tiled_size=224, latent_tiled_size=96, latent_tiled_overlap=32, prompt="",
    )  # fmt: skip
    # The script takes both from its own globals. torchvision 0.15, which it pins, does not filter when it shrinks.
    official.weight_dtype = torch.float16 if on_gpu else torch.float32
    official.ram_transforms = transforms.Compose(
        [transforms.Resize((384, 384), antialias=False), *official.ram_transforms.transforms[1:]]
    )
    loading = functools.partial(torch.load, map_location="cpu", weights_only=True)
    with patch.object(torch, "load", loading), _InsteadOfCuda(device), torch.no_grad():
        model = official.OSEDiff_test(arguments).eval()
        tagger = _tagger(Path(weights["ram"]), Path(weights["dape"])).to(device, official.weight_dtype).eval()
    if posterior == "mode":
        _use_mode(model.vae)
    elif posterior != "sample":
        raise ValueError(f"posterior '{posterior}' is neither sample nor mode")
    return OSEDiff(model, tagger, arguments, device)


class _InsteadOfCuda(TorchFunctionMode):
    """Lets code that says "cuda" use another device."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.Tensor.cuda:
            return args[0].to(self._device)
        kwargs = {name: self._other(value) for name, value in (kwargs or {}).items()}
        return function(*map(self._other, args), **kwargs)

    def _other(self, value: Any) -> Any:
        names_gpu = isinstance(value, (str, torch.device)) and str(value).startswith("cuda")
        return self._device if names_gpu else value


class _NoTokenizer:
    """Stands for BERT's, of which the tagger uses two lengths; its files are at a path of an author's machine."""

    def __len__(self) -> int:
        return 30524

    def __call__(self, text: str) -> Namespace:
        return Namespace(input_ids=[0] * (len(text.split()) + 2))


def _tagger(ram: Path, dape: Path) -> torch.nn.Module:
    """Build the tagger, and make sure that every weight that tags depend on was in the file.

    The official code loads with strict=False and drops what it returns.
    """
    missing: list[str] = []
    load_checkpoint = ram_lora.load_checkpoint_swinlarge

    def remember(*arguments: Any) -> Any:
        model, result = load_checkpoint(*arguments)
        missing.extend(result.missing_keys)
        return model, result

    with (
        patch.object(ram_lora, "init_tokenizer", _NoTokenizer),
        patch.object(ram_lora, "load_checkpoint_swinlarge", remember),
    ):
        tagger = ram_lora.ram(
            pretrained=str(ram / "ram_swin_large_14m.pth"), pretrained_condition=str(dape / "DAPE.pth"),
            image_size=384, vit="swin_l",
        )  # fmt: skip
    used = ("visual_encoder.", "image_proj.", "tagging_head.", "label_embed", "wordvec_proj.", "fc.")
    elsewhere = ("lora", "relative_position_index", "attn_mask")  # in DAPE, and computed
    lost = [name for name in missing if name.startswith(used) and not any(part in name for part in elsewhere)]
    if lost:
        raise ValueError(f"{ram / 'ram_swin_large_14m.pth'} lacks {len(lost)} weights, such as {lost[0]}")
    return tagger


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
        self._last: tuple[bytes, Any] | None = None

    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG002 - the global stream was set from it
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB."""
        height, width, _ = lr.shape
        if height % 2 or width % 2:
            raise ValueError(f"LR image of {height}x{width}: the official script needs even sides")
        image = Image.fromarray(lr)
        if min(height, width) < SMALLEST_SIDE:
            scale = SMALLEST_SIDE / min(width, height)
            image = image.resize((int(scale * width), int(scale * height)))
        image = image.resize((image.width * 4, image.height * 4))
        image = image.resize((image.width - image.width % 8, image.height - image.height % 8), Image.LANCZOS)
        prompt, tensor = self._tagged(image)
        with torch.no_grad():
            output = self._model(tensor * 2 - 1, prompt=prompt)
            picture = transforms.ToPILImage()(output[0].cpu() * 0.5 + 0.5)
        picture = adain_color_fix(target=picture, source=image)
        if picture.size != (4 * width, 4 * height):  # the script forgets the result
            picture = picture.resize((4 * width, 4 * height))
        return np.array(picture)

    def _tagged(self, image: Image.Image) -> Any:
        """Return the prompt and the image as a tensor; the same for every seed, so computed once per image."""
        key = image.tobytes()
        if self._last is None or self._last[0] != key:
            self._last = key, official.get_validation_prompt(self._arguments, image, self._tagger, self._device)
        return self._last[1]
