"""The released model's networks: Stable Diffusion 2.1-base, and CCSR-v2's ControlNet.

The configurations are those of the files that Stability AI published (``stable-diffusion-2-1-base``: ``unet``, ``vae``,
``text_encoder``), without the values that are the classes' defaults. Written in the format of those files, they
have the sha256 that ``methods/ccsr/method.toml`` records. The ControlNet's configuration is derived from the UNet's, as
the official ``from_unet`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WIDTHS = (320, 640, 1280, 1280)
_DOWN = ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")

CONTROLNET: Mapping[str, Any] = {
    "in_channels": 4,
    "block_out_channels": _WIDTHS,
    "down_block_types": _DOWN,
    "cross_attention_dim": 1024,
    # diffusers' name for the number of heads; each has 64 channels.
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
    "use_vae_encode_condition": True,
}

UNET: Mapping[str, Any] = {
    **{name: value for name, value in CONTROLNET.items() if name != "use_vae_encode_condition"},
    "out_channels": 4,
    "sample_size": 64,
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
}

VAE: Mapping[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
    "layers_per_block": 2,
    "sample_size": 768,
    "scaling_factor": 0.18215,
}

TEXT_ENCODER: Mapping[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 23,
    "hidden_act": "gelu",
    "vocab_size": 49408,
    "max_position_embeddings": 77,
}


def build_networks() -> dict[str, Any]:
    """Build the released model's networks with random weights, on torch's default device.

    Returns:
        ``unet``, ``controlnet``, ``vae`` and ``text_encoder``, each a `torch.nn.Module`.
    """
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    from ccsr_bench.ccsr.networks import build_controlnet  # imports diffusers

    return {
        "unet": UNet2DConditionModel.from_config(dict(UNET)),
        "controlnet": build_controlnet(CONTROLNET),
        "vae": AutoencoderKL.from_config(dict(VAE)),
        "text_encoder": CLIPTextModel(CLIPTextConfig(**TEXT_ENCODER)),
    }


def count_parameters() -> dict[str, int]:
    """Count the parameters of the released model's networks, without weights and without memory for them."""
    import torch

    with torch.device("meta"):
        networks = build_networks()
    return {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()}
