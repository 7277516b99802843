"""PASD's official script, run by its own interpreter; called by `test_official.py`.

    python pasd_script.py tiny METHOD SOURCE FOLDER
    python pasd_script.py restore METHOD SOURCE FOLDER LR SEED OUTPUT STEPS

``tiny`` saves networks with random weights in the official layout. ``restore`` runs `test_pasd.py` as a program, with
its own defaults. The attention of xformers, which does not run on a CPU, is left out.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

CAPTIONER = "coca_ViT-L-14"
"""Name of the captioner in the official script, which is also the name of the file with its sizes."""

SMALL_TRANSFORMER = {"context_length": 76, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}

SMALL_CAPTIONER = {
    "embed_dim": 32,
    "vision_cfg": {
        "image_size": 224,
        "layers": 1,
        "width": 32,
        "head_width": 16,
        "patch_size": 56,
        "attentional_pool": True,
        "attn_pooler_heads": 2,
        "output_tokens": True,
    },
    "text_cfg": {**SMALL_TRANSFORMER, "embed_cls": True, "output_tokens": True},
    "multimodal_cfg": {**SMALL_TRANSFORMER, "attn_pooler_heads": 2},
    "custom_text": True,
}


def tiny(method: str, folder: Path) -> None:
    """Save random networks."""
    import torch

    torch.manual_seed(0)
    write_base(folder / "base")
    write_networks(folder / "pasd")
    sizes = write_captioner(folder / "caption")
    (folder / "parameters.json").write_text(json.dumps({"caption_config": str(sizes)}))


def write_base(folder: Path) -> None:
    """Save tiny networks beside the files that the checkout contains."""
    from diffusers import AutoencoderKL
    from transformers import CLIPTextConfig, CLIPTextModel

    for part in ("feature_extractor", "scheduler", "tokenizer"):
        shutil.copytree(Path("checkpoints/stable-diffusion-v1-5") / part, folder / part)
    CLIPTextModel(
        CLIPTextConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2)
    ).save_pretrained(folder / "text_encoder")
    AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        norm_num_groups=4,
        sample_size=512,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    ).save_pretrained(folder / "vae")


def write_networks(folder: Path) -> None:
    """Save the two networks whose classes are in the checkout."""
    from pasd.models.pasd.controlnet import ControlNetModel
    from pasd.models.pasd.unet_2d_condition import UNet2DConditionModel

    unet = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(16, 32, 32),
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=32,
        attention_head_dim=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    )
    controlnet = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 8, 16))
    for network, name in ((unet, "unet"), (controlnet, "controlnet")):
        disturb(network, 0.02)  # convolutions that are initialised to zero would hide mistakes
        network.save_pretrained(folder / name)


def write_captioner(folder: Path) -> Path:
    """Save CoCa, and return the file with its sizes."""
    import open_clip
    import torch

    folder.mkdir()
    sizes = folder / f"{CAPTIONER}.json"
    sizes.write_text(json.dumps(SMALL_CAPTIONER))
    open_clip.add_model_config(sizes)
    captioner = open_clip.create_model(CAPTIONER)
    disturb(captioner, 0.3)  # so that different images have different captions
    torch.save(captioner.state_dict(), folder / "open_clip_pytorch_model.bin")
    return sizes


def disturb(network: Any, strength: float) -> None:
    """Add noise to all parameters."""
    import torch

    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(strength * torch.randn(parameter.shape))


def restore(method: str, folder: Path, lr: str, seed: str, output: str, steps: str) -> None:
    """Run the official script on one image."""
    import accelerate.utils
    import numpy as np
    import open_clip
    import pasd.models.pasd.controlnet
    import pasd.pipelines.pipeline_pasd  # noqa: F401 - its import looks for xformers, so it comes before the patch
    import torch
    from diffusers import ModelMixin
    from diffusers.utils import import_utils
    from PIL import Image

    images = Path(output).with_suffix("")
    (images / "in").mkdir(parents=True)
    Image.fromarray(np.load(lr)).save(images / "in" / "image.png")
    open_clip.add_model_config(folder / "caption" / f"{CAPTIONER}.json")
    captioner = str(folder / "caption" / "open_clip_pytorch_model.bin")
    options = {
        "--image_path": str(images / "in"),
        "--output_dir": str(images),
        "--pretrained_model_path": str(folder / "base"),
        "--pasd_model_path": str(folder / "pasd"),
        "--mixed_precision": "no",
        "--upscale": "4",
        "--process_size": "512",
        "--num_inference_steps": steps,
        "--seed": seed,
    }
    with (
        patch.object(accelerate.utils, "set_seed", torch.manual_seed),  # NumPy does not accept a 63-bit seed
        patch.object(open_clip.factory, "download_pretrained", lambda *_, **__: captioner),
        patch.object(import_utils, "is_xformers_available", lambda: True),
        patch.object(ModelMixin, "enable_xformers_memory_efficient_attention", lambda _: None),
        patch.object(sys, "argv", ["test_pasd.py", *chain.from_iterable(options.items())]),
    ):
        runpy.run_path("test_pasd.py", run_name="__main__")
    np.save(output, np.asarray(Image.open(images / "image.png")))


if __name__ == "__main__":
    what, method, source, folder, *rest = sys.argv[1:]
    sys.path[0] = source
    os.chdir(source)
    (tiny if what == "tiny" else restore)(method, Path(folder), *rest)
