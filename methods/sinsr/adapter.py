"""SinSR by its authors' code, as `inference.py --one_step` and `sampler.py` of the official repository run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf
from torch.nn import functional
from utils.util_common import instantiate_from_config
from utils.util_net import reload_model

LARGEST_SIDE = 512
"""Of an LR image: the official script cuts larger ones into parts."""

MULTIPLE = 64
"""Of the sides that the network sees."""


def load(
    source: str, weights: dict[str, str], device: str, checkpoint: str, overrides: dict[str, Any] | None = None
) -> SinSR:
    """Build the model.

    Args:
        source: The checkout.
        weights: ``sinsr`` and ``autoencoder``: folders with `checkpoint` and ``autoencoder_vq_f4.pth``.
        device: Where it runs. On a GPU in float16, as the official script; on a CPU in float32.
        checkpoint: File of the network.
        overrides: What is other than in ``configs/SinSR.yaml``, for weights of one's own.
    """
    settings = OmegaConf.merge(
        OmegaConf.load(Path(source) / "configs" / "SinSR.yaml"),
        {"diffusion": {"params": {"timestep_respacing": 15}}},  # as the official script sets it
        OmegaConf.create(overrides or {}),
    )
    network = _network(settings.model, Path(weights["sinsr"]) / checkpoint, device)
    autoencoder = _network(settings.autoencoder, Path(weights["autoencoder"]) / "autoencoder_vq_f4.pth", device)
    if torch.device(device).type == "cuda":
        network.dtype = torch.float16
        network.convert_to_fp16()
        autoencoder.half()
    return SinSR(settings, network, autoencoder, device)


def _network(config: Any, file: Path, device: str) -> torch.nn.Module:
    network = instantiate_from_config(config)
    state = torch.load(file, map_location="cpu", weights_only=True)
    reload_model(network, state.get("state_dict", state))
    return network.to(device).eval().requires_grad_(False)


class SinSR:
    """Restores one image in one step; its noise is drawn from the global random stream."""

    def __init__(self, settings: Any, network: torch.nn.Module, autoencoder: torch.nn.Module, device: str) -> None:
        self.network = network
        self._autoencoder = autoencoder
        self._diffusion = instantiate_from_config(settings.diffusion)
        self._scale = settings.diffusion.params.sf
        self._device = device

    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG002 - the global stream was set from it
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB."""
        height, width, _ = lr.shape
        if max(height, width) > LARGEST_SIDE:
            raise ValueError(f"LR image of {height}x{width}: larger than {LARGEST_SIDE} pixels is not supported")
        image = torch.from_numpy(lr.astype(np.float32) / 255).permute(2, 0, 1)[None].to(self._device)
        image = (image - 0.5) / 0.5
        padding = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        if any(padding):
            image = functional.pad(image, padding, mode="reflect")
        with torch.no_grad():
            output = self._diffusion.p_sample_loop(
                y=image, model=self.network, first_stage_model=self._autoencoder, noise=None, noise_repeat=False,
                clip_denoised=False, denoised_fn=None, model_kwargs={"lq": image}, progress=False, one_step=True,
            )  # fmt: skip
        output = output[0, :, : height * self._scale, : width * self._scale].clamp(-1, 1).float() * 0.5 + 0.5
        return (output.permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)
