"""Tiny networks with random weights, in the layout of the published ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from ccsr_bench.ccsr.networks import Networks

GOLDEN = Path(__file__).parents[1] / "ccsr" / "golden"

CHANNELS = 32
TOKENS = 77
PROMPT_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789,-!"


def write_weights(folder: Path) -> Path:
    """Write `stable-diffusion-2-1-base`, `controlnet`, `vae` and `pretrained_controlnet` into a folder.

    Networks, names and shapes are those of the recorded outputs. The two ControlNets differ, and so do the decoders.
    """
    from safetensors.torch import load_file

    configs: dict[str, Any] = json.loads((GOLDEN / "configs.json").read_text())
    tensors = load_file(GOLDEN / "tiny.safetensors")

    def part(name: str) -> dict[str, torch.Tensor]:
        return {key.removeprefix(f"{name}."): t for key, t in tensors.items() if key.startswith(f"{name}.")}

    base = folder / "stable-diffusion-2-1-base"
    write_network(base / "unet", configs["unet"], part("unet"))
    write_network(base / "vae", configs["vae"], part("vae"))
    write_network(folder / "controlnet", configs["controlnet"], part("controlnet"))
    other = {name: tensor * 0.5 for name, tensor in part("controlnet").items()}
    write_network(folder / "pretrained_controlnet", configs["controlnet"], other)
    tuned = {name: t * 0.9 if name.startswith("decoder.") else t for name, t in part("vae").items()}
    write_network(folder / "vae", configs["vae"], tuned)
    (base / "scheduler").mkdir()
    (base / "scheduler" / "scheduler_config.json").write_text(json.dumps(configs["scheduler"]))
    write_text_encoder(base)
    return folder


def write_narrow_weights(folder: Path) -> Path:
    """Write the same folders with networks that are quick at 512x512: 8 channels, weights at random."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel

    from ccsr_bench.ccsr.networks import build_controlnet, official_controlnet_name

    configs: dict[str, Any] = json.loads((GOLDEN / "configs.json").read_text())
    for config in configs.values():
        if "block_out_channels" in config:
            config |= {"block_out_channels": [w // 4 for w in config["block_out_channels"]], "norm_num_groups": 4}
        if "attention_head_dim" in config:  # attention over 4096 tokens would take most of the time
            config |= {"attention_head_dim": [1, 2], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"]}
        if "up_block_types" in config and "attention_head_dim" in config:
            config |= {"up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"]}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        unet = UNet2DConditionModel.from_config(configs["unet"]).state_dict()
        controlnet = build_controlnet(configs["controlnet"]).state_dict()
        vae = AutoencoderKL.from_config(configs["vae"]).state_dict()
    base = folder / "stable-diffusion-2-1-base"
    write_network(base / "unet", configs["unet"], unet)
    write_network(base / "vae", configs["vae"], vae)
    write_network(folder / "vae", configs["vae"], vae)
    official = {official_controlnet_name(name): tensor for name, tensor in controlnet.items()}
    write_network(folder / "controlnet", configs["controlnet"], official)
    (base / "scheduler").mkdir()
    (base / "scheduler" / "scheduler_config.json").write_text(json.dumps(configs["scheduler"]))
    write_text_encoder(base)
    return folder


def write_network(folder: Path, config: dict[str, Any], tensors: dict[str, Any]) -> None:
    """Write a network as `save_pretrained` of diffusers does."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    save_file({name: t.contiguous() for name, t in tensors.items()}, folder / "diffusion_pytorch_model.safetensors")


def write_text_encoder(base: Path) -> None:
    """Write a text encoder and a tokenizer of single letters, as Stable Diffusion 2.1-base ships them."""
    import torch
    from safetensors.torch import save_file
    from transformers import CLIPTextConfig, CLIPTextModel

    vocabulary = ["!", "!</w>", *(c + end for c in PROMPT_CHARACTERS if c != "!" for end in ("", "</w>"))]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    tokenizer = base / "tokenizer"
    tokenizer.mkdir(parents=True)
    (tokenizer / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(vocabulary)}))
    (tokenizer / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    # As published: the two files contradict each other.
    (tokenizer / "special_tokens_map.json").write_text(json.dumps({**special, "pad_token": "!"}))
    (tokenizer / "tokenizer_config.json").write_text(
        json.dumps(
            {**special, "pad_token": "<|endoftext|>", "model_max_length": TOKENS, "tokenizer_class": "CLIPTokenizer"}
        )
    )
    config = {
        "hidden_size": CHANNELS,
        "intermediate_size": 2 * CHANNELS,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "hidden_act": "gelu",
        "vocab_size": len(vocabulary),
        "max_position_embeddings": TOKENS,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }
    encoder = base / "text_encoder"
    encoder.mkdir()
    (encoder / "config.json").write_text(json.dumps({**config, "model_type": "clip_text_model"}))
    with torch.random.fork_rng():
        network = CLIPTextModel(CLIPTextConfig(**config))
    named = {f"text_model.{name.removeprefix('text_model.')}": t for name, t in network.state_dict().items()}
    tensors = _random_weights({name: tuple(t.shape) for name, t in named.items() if t.is_floating_point()})
    tensors["text_model.embeddings.position_ids"] = torch.arange(TOKENS)[None]
    save_file(tensors, encoder / "model.safetensors", metadata={"format": "pt"})


def _random_weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Return weights that do not depend on how a version of torch draws them, as recorded outputs need."""
    import torch

    generator = np.random.default_rng(0)
    weights = {name: generator.normal(0, 0.2, shape).astype(np.float32) for name, shape in sorted(shapes.items())}
    return {name: torch.from_numpy(w + ("norm" in name and name.endswith("weight"))) for name, w in weights.items()}


def golden_networks(dtype: torch.dtype) -> Networks:
    """Return the networks of the recorded outputs."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from safetensors.torch import load_file

    from ccsr_bench.ccsr.networks import Networks, build_controlnet, official_controlnet_name

    configs = json.loads((GOLDEN / "configs.json").read_text())
    tensors = load_file(GOLDEN / "tiny.safetensors")
    networks = {
        "unet": UNet2DConditionModel.from_config(configs["unet"]),
        "controlnet": build_controlnet(configs["controlnet"]),
        "vae": AutoencoderKL.from_config(configs["vae"]),
    }
    for name, network in networks.items():
        named = {key: f"{name}.{official_controlnet_name(key)}" for key in network.state_dict()}
        assert set(named.values()) == {key for key in tensors if key.startswith(f"{name}.")}
        network.load_state_dict({key: tensors[official] for key, official in named.items()}, strict=True)
        for parameter in network.parameters():
            parameter.data = parameter.data.to(dtype)
    return Networks(networks["unet"], networks["controlnet"], networks["vae"])
