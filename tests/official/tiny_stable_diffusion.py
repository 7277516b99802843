"""Networks with random weights in the layouts of Stable Diffusion and of RAM, written by a method's own interpreter."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any
from unittest.mock import patch


class Tokenizer:
    """Replaces BERT's tokenizer, which the official code reads from an author's disk."""

    def __len__(self) -> int:
        return 30524

    def __call__(self, text: str) -> Namespace:
        return Namespace(input_ids=[101, 1037, 3861, 1997, 102])


def write_base(folder: Path) -> None:
    """Save tiny networks in the layout of Stable Diffusion."""
    from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
    from transformers import CLIPImageProcessor, CLIPTextConfig, CLIPTextModel

    DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    ).save_pretrained(folder / "scheduler")
    CLIPImageProcessor().save_pretrained(folder / "feature_extractor")
    size = write_tokenizer(folder / "tokenizer")
    CLIPTextModel(
        CLIPTextConfig(
            vocab_size=size,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            bos_token_id=size - 2,
            eos_token_id=size - 1,
            pad_token_id=0,
        )
    ).save_pretrained(folder / "text_encoder")
    UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(16, 32),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=8,
        norm_num_groups=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    ).save_pretrained(folder / "unet")
    AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        norm_num_groups=4,
        sample_size=512,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    ).save_pretrained(folder / "vae")


def write_tokenizer(folder: Path) -> int:
    """Save a CLIP tokenizer whose tokens are single bytes, and return the size of its vocabulary."""
    from transformers.models.clip.tokenization_clip import bytes_to_unicode

    folder.mkdir(parents=True)
    letters = list(bytes_to_unicode().values())
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    settings = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": 77,
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "!",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return len(words)


def write_seesr_networks(folder: Path) -> None:
    """Save the two networks of SeeSR and AddSR whose classes are in the checkout."""
    import torch
    from models.controlnet import ControlNetModel
    from models.unet_2d_condition import UNet2DConditionModel

    unet = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(16, 32),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=8,
        norm_num_groups=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        use_image_cross_attention=True,
    )
    controlnet = ControlNetModel.from_unet(
        unet, use_image_cross_attention=True, conditioning_embedding_out_channels=(8, 8, 8, 16)
    )
    with torch.no_grad():
        for parameter in (*unet.parameters(), *controlnet.parameters()):  # zero initialisation would hide mistakes
            parameter.add_(0.02 * torch.randn(parameter.shape))
    unet.save_pretrained(folder / "unet")
    controlnet.save_pretrained(folder / "controlnet")


def write_tagger(folder: Path) -> None:
    """Save RAM at its full size, and DAPE."""
    import torch
    from ram.models import ram_lora

    with patch.object(ram_lora, "init_tokenizer", Tokenizer):
        state = ram_lora.ram(image_size=384, vit="swin_l").state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point() and not any(part in name for part in ("norm", "Norm", "attn_mask")):
            tensor.copy_(0.05 * torch.randn(tensor.shape))
    for part, file in (("ram", "ram_swin_large_14m.pth"), ("dape", "DAPE.pth")):
        (folder / part).mkdir(parents=True, exist_ok=True)
        chosen = {name: tensor for name, tensor in state.items() if ("lora" in name) == (part == "dape")}
        torch.save({"model": chosen} if part == "ram" else chosen, folder / part / file)


def on_cpu(value: Any) -> Any:
    """Replace the name of the GPU by that of the CPU, and return other values unchanged."""
    return "cpu" if isinstance(value, str) and value == "cuda" else value


def run_main(script: Any, options: Namespace, lr: str, output: str) -> None:
    """Call `main` of SeeSR's or AddSR's script on one image; the global random stream is set before sampling."""
    import numpy as np
    import torch
    from PIL import Image

    images = Path(output).with_suffix("")
    (images / "in").mkdir(parents=True)
    Image.fromarray(np.load(lr)).save(images / "in" / "image.png")
    options.image_path, options.output_dir = str(images / "in"), str(images)
    call = script.StableDiffusionControlNetPipeline.__call__

    def seeded(self: Any, *arguments: Any, **more: Any) -> Any:
        torch.manual_seed(options.seed)
        return call(self, *arguments, **more)

    with (
        patch.object(script.StableDiffusionControlNetPipeline, "__call__", seeded),
        patch.object(script, "set_seed", torch.manual_seed),
    ):
        script.main(options, False)
    np.save(output, np.asarray(Image.open(images / "sample00" / "image.png")))
