"""SinSR by its authors' code, as `inference.py --one_step` and `sampler.py` of the official repository run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf
from utils.util_common import instantiate_from_config

from ccsr_bench.methods.isolated.families.resshift import load_network, to_levels, to_network

MULTIPLE = 64
"""The sides of what the network sees are multiples of this many pixels."""


def load(
    source: str, weights: dict[str, str], device: str, checkpoint: str, overrides: dict[str, Any] | None = None
) -> SinSR:
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``sinsr`` and ``autoencoder``: folders with `checkpoint` and ``autoencoder_vq_f4.pth``.
        device: The device to run on: in float16 on a GPU, as the official script does, in float32 on a CPU.
        checkpoint: File name of the network's weights.
        overrides: Changes of ``configs/SinSR.yaml``, for weights of another size.
    """
    settings = OmegaConf.merge(
        OmegaConf.load(Path(source) / "configs" / "SinSR.yaml"),
        {"diffusion": {"params": {"timestep_respacing": 15}}},  # as the official script sets it
        OmegaConf.create(overrides or {}),
    )
    network = load_network(settings.model, Path(weights["sinsr"]) / checkpoint, device)
    autoencoder = load_network(settings.autoencoder, Path(weights["autoencoder"]) / "autoencoder_vq_f4.pth", device)
    if torch.device(device).type == "cuda":
        network.dtype = torch.float16
        network.convert_to_fp16()
        autoencoder.half()
    return SinSR(settings, network, autoencoder, device)


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
        image = to_network(lr, MULTIPLE, self._device)
        with torch.no_grad():
            output = self._diffusion.p_sample_loop(
                y=image,
                model=self.network,
                first_stage_model=self._autoencoder,
                noise=None,
                noise_repeat=False,
                clip_denoised=False,
                denoised_fn=None,
                model_kwargs={"lq": image},
                progress=False,
                one_step=True,
            )
        return to_levels(output, height * self._scale, width * self._scale)
