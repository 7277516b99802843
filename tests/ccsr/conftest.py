"""Tiny networks, loaded as the recorded outputs had them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("diffusers", reason="needs the extra `ccsr`")

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file

from ccsr_bench.ccsr.networks import Networks, build_controlnet, official_controlnet_name
from tests.ccsr.tiny import GOLDEN, write_weights


def build(dtype: torch.dtype) -> Networks:
    """Build the recorded outputs' networks."""
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


@pytest.fixture(scope="session")
def official_networks() -> Networks:
    """In float16, as the official code runs them."""
    return build(torch.float16)


@pytest.fixture(scope="session")
def networks() -> Networks:
    """In float32."""
    return build(torch.float32)


@pytest.fixture(scope="session")
def prompts() -> dict[str, torch.Tensor]:
    """The recorded prompts' embeddings."""
    tensors = load_file(GOLDEN / "tiny.safetensors")
    return {name: tensors[f"prompt_embeds.{name}"] for name in ("positive", "negative")}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder of weights in the official layout, to damage."""
    return write_weights(tmp_path / "weights")
