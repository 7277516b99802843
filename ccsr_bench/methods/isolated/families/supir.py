"""Building SUPIR's official model, for its adapter and its captioner."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from omegaconf import OmegaConf
from sgm.modules.encoders import modules as encoders
from SUPIR import util as official

from ccsr_bench.methods.isolated.worker.lightning_checkpoints import load_tensors_among_objects


def read_options(file: Path, weights: dict[str, str], device: str) -> Any:
    """Read an official options file, and set the paths of the weights, the device, and attention without xformers."""
    options = OmegaConf.load(file)
    options.SDXL_CKPT = str(Path(weights["sdxl"]) / "sd_xl_base_1.0_0.9vae.safetensors")
    options.SUPIR_CKPT_Q = str(Path(weights["supir"]) / "SUPIR-v0Q.ckpt")
    parts = options.model.params
    parts.first_stage_config.params.ddconfig.attn_type = "vanilla"
    parts.sampler_config.params.device = device
    for encoder in parts.conditioner_config.params.emb_models:
        if encoder.input_key == "txt":
            encoder.params.device = device
    return options


def build(options: Any, device: str, clip: str = "") -> Any:
    """Build the model of an options file by the official function.

    On a GPU the autoencoder runs in bfloat16 and the denoiser in float16, on a CPU both in float32.

    Args:
        options: Options as returned by `read_options`.
        device: Device of the model.
        clip: Folder of the first text encoder.

    Raises:
        ValueError: The files lack weights, which the official code would leave at their random initial values.
    """
    loaded: set[str] = set()
    read = official.load_state_dict

    def remember(file: str) -> dict[str, torch.Tensor]:
        state: dict[str, torch.Tensor] = read(file)
        loaded.update(state)
        return state

    with (
        load_tensors_among_objects(),
        patch.object(official, "load_state_dict", remember),
        patch.object(encoders, "SDXL_CLIP1_PATH", clip),
        patch.object(
            encoders, "SDXL_CLIP2_CKPT_PTH", ""
        ),  # not read, because SDXL's file contains all weights of this encoder
    ):
        model = official.create_SUPIR_model(io.StringIO(OmegaConf.to_yaml(options)), SUPIR_sign="Q")
    lost: list[str] = [name for name, _ in model.named_parameters() if name not in loaded]
    if lost:
        raise ValueError(f"{options.SDXL_CKPT} and {options.SUPIR_CKPT_Q} lack {len(lost)} weights, such as {lost[0]}")
    on_gpu = torch.device(device).type == "cuda"
    model.ae_dtype = official.convert_dtype("bf16" if on_gpu else "fp32")
    model.model.dtype = official.convert_dtype("fp16" if on_gpu else "fp32")
    return model.to(device)
