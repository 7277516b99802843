"""The noise of a run, by its role in the sampler, which draws no noise itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ccsr_bench.ccsr.settings import Settings

LATENT_CHANNELS = 4

_ROLES = ("start", "posterior", "renoise", "step")


@dataclass(frozen=True)
class Noise:
    """Standard normal noise of one or more runs; h and w are the latent's size, an eighth of the image's."""

    start: Tensor
    """Noise of x at t = 999, (runs, 4, h, w)."""
    posterior: Tensor
    """Noise of the condition latent, (runs, rows, 4, h, w), with `Settings.posterior_rows` rows. Row 0 is used for the
    start and, under guidance, with the negative prompt."""
    renoise: Tensor
    """Noise of the jump from t = 999 to the loop's first timestep, (runs, 4, h, w)."""
    steps: Tensor
    """Noise of the loop's steps, (runs, steps, 4, h, w), without a last step whose sample is not used."""

    def to(self, device: torch.device, dtype: torch.dtype) -> Noise:
        """Return the noise on a device, in a precision."""
        return Noise(
            *(tensor.to(device, dtype) for tensor in (self.start, self.posterior, self.renoise, self.steps)),
        )

    @staticmethod
    def stack(runs: Sequence[Noise]) -> Noise:
        """Return the noise of several runs as one batch."""
        return Noise(
            start=torch.cat([noise.start for noise in runs]),
            posterior=torch.cat([noise.posterior for noise in runs]),
            renoise=torch.cat([noise.renoise for noise in runs]),
            steps=torch.cat([noise.steps for noise in runs]),
        )


def loop_noises(settings: Settings) -> int:
    """Return how many steps of the loop need noise."""
    schedule = settings.schedule
    return max(len(schedule.loop) - int(schedule.keeps_estimate), 0)


def draw_noise(seed: int, settings: Settings, height: int, width: int) -> Noise:
    """Draw the noise of one run from its seed, on the CPU in float32.

    Every role has its own random stream, so settings that need more or fewer draws of one role share the noise of the
    others: two variants with one seed start from the same noise and can be compared pairwise.

    Args:
        seed: Seed of the run, 0 or more.
        settings: Settings of the sampler, which determine how much noise is needed.
        height: Height of the latent.
        width: Width of the latent.
    """

    def normal(role: str, *count: int) -> Tensor:
        stream = np.random.SeedSequence(seed, spawn_key=(_ROLES.index(role),))
        generator = np.random.Generator(np.random.PCG64(stream))
        shape = (1, *count, LATENT_CHANNELS, height, width)
        return torch.from_numpy(generator.standard_normal(shape, np.float32))

    return Noise(
        start=normal("start"),
        posterior=normal("posterior", settings.posterior_rows),
        renoise=normal("renoise"),
        steps=normal("step", loop_noises(settings)),
    )


class OfficialNoise:
    """The noise that the official script draws, for comparisons with that script's output.

    The script seeds two random streams once, from its ``--seed``, and never again: a run's noise depends on the number
    and the sizes of all runs before it. A benchmark must not use it. Where the official script enables xformers, every
    attention layer runs a self-test; together they consume 276 draws before the first image
    (``diffusers/models/attention_processor.py`` 207-215 of release 0.21).

    Args:
        seed: Value of the script's ``--seed``.
        device: Device on which the script ran; the streams of CPU and GPU differ.
        self_tests: Number of draws that the self-tests consume.
    """

    def __init__(self, seed: int, *, device: torch.device, self_tests: int = 276) -> None:
        self._device = device
        self._explicit = torch.Generator(device).manual_seed(seed)
        self._global = torch.Generator(device).manual_seed(seed)
        for _ in range(self_tests):
            torch.randn((1, 2, 40), generator=self._global, device=device)

    def draw(self, settings: Settings, height: int, width: int) -> Noise:
        """Draw the next run's noise, in the order and the float16 of the official pipeline.

        Args:
            settings: Settings with which the script ran.
            height: Height of the latent.
            width: Width of the latent.
        """
        schedule = settings.schedule

        def normal(generator: torch.Generator, rows: int = 1) -> Tensor:
            shape = (rows, LATENT_CHANNELS, height, width)
            return torch.randn(shape, generator=generator, device=self._device, dtype=torch.float16)

        start = normal(self._explicit)
        posterior = normal(self._global, 2 if settings.guided else 1)
        # The script draws a timestep from a range of one value: the value is known, but the draw advances the stream.
        if settings.start_point == "lr":
            self._draw_timestep()
        if schedule.jumps:
            self._draw_timestep()
            renoise = normal(self._global)
        else:
            renoise = torch.zeros_like(start)
        steps = [normal(self._explicit) for _ in schedule.loop]
        wanted = steps[: loop_noises(settings)]
        return Noise(
            start=start,
            posterior=posterior[None, : settings.posterior_rows],
            renoise=renoise,
            steps=torch.stack(wanted, dim=1) if wanted else start.new_zeros((1, 0, *start.shape[1:])),
        )

    def _draw_timestep(self) -> None:
        torch.randint(999, 1000, (1,), generator=self._global, device=self._device)
