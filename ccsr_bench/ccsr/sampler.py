"""The CCSR sampler, which computes a latent from noise and an encoded LR image.

Source: the paper's Sections III-B and III-C; ``pipelines/pipeline_ccsr.py`` lines 719 to 1086 of the official code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from ccsr_bench.ccsr.networks import Networks
from ccsr_bench.ccsr.noise import Noise
from ccsr_bench.ccsr.schedule import LAST_TIMESTEP, alphas_cumprod
from ccsr_bench.ccsr.settings import Settings
from ccsr_bench.ccsr.tiles import predict_in_tiles

_LEAST_VARIANCE = 1e-20
_LOG_VARIANCE_LIMITS = (-30.0, 20.0)


class Posterior(NamedTuple):
    """The posterior of one image's latent by the VAE's encoder: its mean and standard deviation, (rows, 4, h, w).

    There is one row, or one row for each half of guidance.
    """

    mean: Tensor
    std: Tensor


class Sampler:
    """Samples latents of one image, any number of runs at once.

    With official numerics the latents are float16 and the arithmetic at t = 999 is float32: there the official code
    holds the noise level in a one-dimensional float32 tensor, to which torch promotes the result.

    Args:
        networks: ControlNet, UNet and VAE.
        embeddings: Text -> (1, tokens, channels) for `Settings.first_step_text` and `Settings.loop_texts`.
        settings: Settings of the sampler.
    """

    def __init__(self, networks: Networks, embeddings: Mapping[str, Tensor], settings: Settings) -> None:
        self._networks = networks
        self._settings = settings
        self._schedule = settings.schedule
        self._mode = settings.quirks.condition_noise == "mode"
        self._first_text = embeddings[settings.first_step_text]
        self._loop_texts = torch.cat([embeddings[text] for text in settings.loop_texts])
        self._official = settings.quirks.numerics == "official"
        self.latent_dtype = torch.float16 if self._official else torch.float32
        """The precision of latents and noise."""

    @torch.inference_mode()
    def encode(self, image: Tensor) -> Posterior:
        """Encode an upscaled LR image, (1, 3, H, W) float32 in [0, 1].

        Under guidance the official code encodes the image twice in one batch. The result may differ in the last bit
        from that of an image encoded alone, so official numerics encode it twice too.
        """
        rows = len(self._loop_texts) if self._official else 1
        levels = image.to(self.latent_dtype).expand(rows, -1, -1, -1)
        tiling = self._settings.tiling
        tile = tiling.encoder_size if tiling.vae == "both" else None
        mean, log_variance = self._networks.encode(2.0 * levels - 1.0, tile=tile)
        log_variance = log_variance.to(self.latent_dtype).clamp(*_LOG_VARIANCE_LIMITS)
        return Posterior(mean.to(self.latent_dtype), torch.exp(0.5 * log_variance))

    @torch.inference_mode()
    def sample(self, posterior: Posterior, noise: Noise) -> Tensor:
        """Sample latents.

        Args:
            posterior: Posterior of the upscaled LR image.
            noise: Noise of the runs, on the networks' device in `latent_dtype`.

        Returns:
            (runs, 4, h, w), scaled by the VAE's factor, ready for `decode`.
        """
        conditions = self._condition(posterior, noise)
        latents = self._start(conditions[0], noise.start)
        if self._schedule.jumps:
            latents = self._jump(latents, conditions[0])
            if not self._schedule.loop:
                return latents
            level = _level(self._schedule.loop[0], latents.device)
            latents = level**0.5 * latents + (1.0 - level) ** 0.5 * noise.renoise
        return self._loop(latents, conditions, noise.steps)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents to (runs, 3, H, W) float32 in [0, 1]."""
        tiling = self._settings.tiling
        tile = None if tiling.vae == "off" else tiling.decoder_size
        decoded = self._networks.decode(latents.to(self.latent_dtype) / self._networks.scaling_factor, tile=tile)
        return (decoded.float() / 2 + 0.5).clamp(0, 1)

    def _condition(self, posterior: Posterior, noise: Noise) -> list[Tensor]:
        """Return the condition latents, (runs, 4, h, w), for each of the loop's prompts."""
        mean, std = (part.chunk(len(part)) for part in posterior)
        conditions = []
        for index in range(len(self._loop_texts)):
            row = min(index, len(mean) - 1)
            drawn = noise.posterior[:, min(index, self._settings.posterior_rows - 1)]
            latents = mean[row].expand_as(drawn) if self._mode else mean[row] + std[row] * drawn
            conditions.append(latents * self._networks.scaling_factor)
        return conditions

    def _start(self, condition: Tensor, noise: Tensor) -> Tensor:
        """Return x at t = 999."""
        if self._settings.start_point == "noise":
            return noise
        level = alphas_cumprod().to(noise.device, self.latent_dtype)[LAST_TIMESTEP]
        return level**0.5 * condition + (1 - level) ** 0.5 * noise

    def _jump(self, latents: Tensor, condition: Tensor) -> Tensor:
        """Return the estimate of x0 at t = 999 in float32, unguided, for the prompt `Settings.first_step_text`."""
        noise = self._predict(latents, condition, LAST_TIMESTEP, self._first_text)
        level = _level(LAST_TIMESTEP, latents.device)
        return (latents - (1 - level) ** 0.5 * noise) / level**0.5

    def _loop(self, latents: Tensor, conditions: list[Tensor], noises: Tensor) -> Tensor:
        """Run the DDPM steps; see `Schedule.keeps_estimate` for what is returned."""
        condition = torch.cat(conditions)
        for index, timestep in enumerate(self._schedule.loop):
            latents = latents.to(self.latent_dtype)
            rows = torch.cat([latents] * len(conditions))
            predicted = self._predict(rows, condition, timestep, self._loop_texts)
            if self._settings.guided:
                negative, positive = predicted.chunk(2)
                predicted = negative + self._settings.guidance_scale * (positive - negative)
            if self._schedule.keeps_estimate and index == len(self._schedule.loop) - 1:
                # Here the noise level is on the device, in the step below on the CPU, as in the official code: on a
                # GPU the two round differently in float16.
                level = alphas_cumprod().to(latents.device)[timestep]
                return (latents - (1 - level) ** 0.5 * predicted) / level**0.5
            latents = ddpm_step(latents, predicted, timestep, timestep - self._schedule.step, noises[:, index])
        return latents

    def _predict(self, latents: Tensor, condition: Tensor, timestep: int, texts: Tensor) -> Tensor:
        """Predict the noise in latents; the rows of one prompt are consecutive."""
        text = texts.repeat_interleave(len(latents) // len(texts), dim=0)
        predict: Callable[[Tensor, Tensor], Tensor] = partial(
            self._networks.predict_noise,
            timestep=timestep,
            text=text,
            conditioning_scale=self._settings.quirks.conditioning_scale,
        )
        tiling = self._settings.tiling
        if tiling.diffusion:
            return predict_in_tiles(
                predict,
                latents,
                condition,
                tile=tiling.size // 8,
                stride=tiling.stride // 8,
                symmetric=self._settings.quirks.tile_weights == "symmetric",
            )
        return predict(latents, condition).to(self.latent_dtype)


def _level(timestep: int, device: torch.device) -> Tensor:
    """Return the share of signal at a timestep as (1,) float32, to which torch promotes float16 operands."""
    return alphas_cumprod().to(device)[timestep : timestep + 1]


def ddpm_step(sample: Tensor, predicted: Tensor, timestep: int, previous: int, noise: Tensor) -> Tensor:
    """Take one ancestral step of DDPM (Ho et al., arXiv:2006.11239, eqs. 6 and 7), with the "fixed small" variance.

    Args:
        sample: Latents at `timestep`, (runs, 4, h, w).
        predicted: Predicted noise in the sample.
        timestep: Timestep of the sample.
        previous: Timestep of the result; below 0 for the clean image.
        noise: Standard normal noise of the sample's shape.

    Returns:
        The sample at `previous`, in the precision of `sample`.
    """
    levels = alphas_cumprod()
    level = levels[timestep]
    level_previous = levels[previous] if previous >= 0 else torch.ones_like(level)
    alpha = level / level_previous
    beta = 1 - alpha
    estimate = (sample - (1 - level) ** 0.5 * predicted) / level**0.5
    mean = (level_previous**0.5 * beta) / (1 - level) * estimate
    mean = mean + alpha**0.5 * (1 - level_previous) / (1 - level) * sample
    variance = ((1 - level_previous) / (1 - level) * beta).clamp(min=_LEAST_VARIANCE)
    return mean + variance**0.5 * noise
