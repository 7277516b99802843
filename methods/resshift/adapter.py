"""ResShift by its authors' code, as `inference_resshift.py` and `sampler.py` of the official repository run it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf
from utils.util_common import instantiate_from_config

from ccsr_bench.methods.isolated.families.resshift import load_network, to_levels, to_network


def load(
    source: str,
    weights: dict[str, str],
    device: str,
    config: str,
    checkpoint: str,
    overrides: dict[str, Any] | None = None,
) -> ResShift:
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``resshift`` and ``autoencoder``: folders with `checkpoint` and ``autoencoder_vq_f4.pth``.
        device: The device to run on: under autocast on a GPU, as the official script does, in float32 on a CPU.
        config: Name of a configuration file in the checkout's ``configs``.
        checkpoint: File name of the denoiser's weights.
        overrides: Changes of the configuration file, for weights of another size.
    """
    settings = OmegaConf.merge(OmegaConf.load(Path(source) / "configs" / config), OmegaConf.create(overrides or {}))
    return ResShift(
        settings,
        network=load_network(settings.model, Path(weights["resshift"]) / checkpoint, device),
        autoencoder=load_network(settings.autoencoder, Path(weights["autoencoder"]) / "autoencoder_vq_f4.pth", device),
        device=device,
    )


class ResShift:
    """Restores one image; the prior and every step draw from the global random stream."""

    def __init__(self, settings: Any, network: torch.nn.Module, autoencoder: torch.nn.Module, device: str) -> None:
        self.network = network
        self._autoencoder = autoencoder
        self._diffusion = instantiate_from_config(settings.diffusion)
        self._scale = settings.diffusion.params.sf
        self._multiple = settings.model.params.get("lq_size", 64)
        self._device = device

    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG002 - the global stream was set from it
        """(h, w, 3) uint8 RGB -> (4h, 4w, 3) uint8 RGB."""
        height, width, _ = lr.shape
        image = to_network(lr, self._multiple, self._device)
        on_gpu = torch.device(self._device).type == "cuda"
        with torch.no_grad(), torch.autocast("cuda") if on_gpu else contextlib.nullcontext():
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
            )
        return to_levels(output, height * self._scale, width * self._scale)
