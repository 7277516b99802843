"""StableSR by its authors' code, as `scripts/sr_val_ddpm_text_T_vqganfin_old.py` of the official repository runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from ldm.util import instantiate_from_config
from omegaconf import OmegaConf
from scripts.sr_val_ddpm_text_T_vqganfin_old import space_timesteps
from scripts.wavelet_color_fix import adaptive_instance_normalization
from torchvision import transforms

from ccsr_bench.methods.isolated.worker.lightning_checkpoints import load_tensors_among_objects
from ccsr_bench.methods.isolated.worker.once_per_image import OncePerImage

SIDE = 128
"""Sides of the LR image in pixels: the script's output is always 512x512, four times as large."""

TRAINED_STEPS = 1000


def load(source: str, weights: dict[str, str], device: str, steps: int, configs: str = "configs") -> StableSR:
    """Build the model.

    Args:
        source: The checkout of the official repository.
        weights: ``stablesr``: a folder with both checkpoints.
        device: The device to run on: under autocast on a GPU, as the official script does, in float32 on a CPU.
        steps: Sampling steps.
        configs: Folder of configuration files in the checkout.
    """
    folder, checkpoints = Path(source) / configs, Path(weights["stablesr"])
    diffusion = OmegaConf.load(folder / "stableSRNew" / "v2-finetune_text_T_512.yaml")
    # Its weights are in the checkpoint; the code would download OpenCLIP's first.
    OmegaConf.update(diffusion, "model.params.cond_stage_config.params", {"version": None, "device": device})
    autoencoder = OmegaConf.load(folder / "autoencoder" / "autoencoder_kl_64x64x4_resi.yaml")
    # The loss of its training would be downloaded.
    autoencoder.model.params.lossconfig = {"target": "torch.nn.Identity"}

    model = _build(diffusion, checkpoints / "stablesr_000117.ckpt")
    _set_steps(model, steps)
    decoder = _build(autoencoder, checkpoints / "vqgan_cfw_00011.ckpt")
    decoder.decoder.fusion_w = 0.5
    return StableSR(model.to(device), decoder.to(device), steps, device)


def _build(config: Any, file: Path) -> Any:
    """Build the model of a configuration, with every weight in a file; the official code lets some be missing."""
    model = instantiate_from_config(config.model)
    with load_tensors_among_objects():
        state = torch.load(file)["state_dict"]
    parameters = dict(model.named_parameters())  # the schedule's buffers are computed
    missing = [name for name in model.load_state_dict(state, strict=False).missing_keys if name in parameters]
    if missing:
        raise ValueError(f"{file} lacks {len(missing)} weights, such as {missing[0]}")
    return model.eval()


def _set_steps(model: Any, steps: int) -> None:
    """Let the model sample at some of the timesteps that it was trained for, as the script does."""
    model.register_schedule(
        beta_schedule="linear", timesteps=TRAINED_STEPS, linear_start=0.00085, linear_end=0.0120, cosine_s=8e-3
    )
    kept = sorted(space_timesteps(TRAINED_STEPS, [steps]))
    products = model.alphas_cumprod[kept]
    betas = 1 - products / torch.cat([torch.ones(1), products[:-1]])
    model.register_schedule(given_betas=betas.numpy(), timesteps=steps)
    model.num_timesteps = TRAINED_STEPS
    model.ori_timesteps = kept


class StableSR:
    """Restores one image; the encoder's sample and all noise are drawn from the global random streams."""

    def __init__(self, model: Any, autoencoder: Any, steps: int, device: str) -> None:
        self.network = model.model.diffusion_model
        self._model = model
        self._autoencoder = autoencoder
        self._steps = steps
        self._device = device
        self._enlarge = transforms.Resize(SIDE * 4)
        self._encoded = OncePerImage(self._encode)

    @torch.no_grad()
    def restore(self, lr: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG002 - the global streams were set from it
        """(128, 128, 3) uint8 RGB -> (512, 512, 3) uint8 RGB."""
        height, width, _ = lr.shape
        if (height, width) != (SIDE, SIDE):
            raise ValueError(f"LR image of {height}x{width}: the official script takes {SIDE}x{SIDE} only")
        with torch.autocast("cuda", enabled=torch.device(self._device).type == "cuda"):
            image, posterior, features, prompt = self._encoded(lr)
            latent = self._model.get_first_stage_encoding(posterior)
            torch.randn_like(latent)  # the script draws it for a start that it does not use
            sample = self._model.sample(
                cond=prompt,
                struct_cond=latent,
                batch_size=1,
                timesteps=self._steps,
                time_replace=self._steps,
                verbose=False,
            )
            output = self._autoencoder.decode(sample / self._model.scale_factor, features)
            output = adaptive_instance_normalization(output, image)
            output = ((output + 1) / 2).clamp(0, 1)
        levels: np.ndarray = (255.0 * output[0].cpu().numpy()).astype(np.uint8)  # cut off, as the script does
        return levels.transpose(1, 2, 0)

    def _encode(self, lr: np.ndarray) -> tuple[torch.Tensor, Any, Any, torch.Tensor]:
        """Return the enlarged image in [-1, 1], its posterior and the encoder's features, and the empty prompt."""
        # Channels last in memory, as in the script: noise is drawn in the order of memory, so it is part of a seed.
        levels = torch.from_numpy((lr.astype(np.float32) / 255)[None].transpose(0, 3, 1, 2))
        image = self._enlarge((2 * levels - 1).to(self._device)).clamp(-1, 1)
        return image, *self._autoencoder.encode(image), self._model.cond_stage_model([""])
