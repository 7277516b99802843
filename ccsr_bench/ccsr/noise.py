"""The noise of a run, by the role it plays; the sampler itself draws nothing."""

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
    """(runs, 4, h, w): of x at t = 999."""
    posterior: Tensor
    """(runs, rows, 4, h, w): of the condition latent, one row for each of `Settings.posterior_rows`. Row 0 makes the
    start and, under guidance, goes with the negative prompt."""
    renoise: Tensor
    """(runs, 4, h, w): of the jump from t = 999 to the loop's first timestep."""
    steps: Tensor
    """(runs, steps, 4, h, w): of the loop's steps, but not of a last one whose sample is thrown away."""

    def to(self, device: torch.device, dtype: torch.dtype) -> Noise:
        """Return it on a device, in a precision."""
        return Noise(
            *(tensor.to(device, dtype) for tensor in (self.start, self.posterior, self.renoise, self.steps)),
        )

    @staticmethod
    def stack(runs: Sequence[Noise]) -> Noise:
        """Return the noise of several runs as one."""
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

    Every role has a stream of its own, so that settings which need more or fewer draws share the rest: two variants
    of one seed start from the same noise and can be compared pairwise.

    Args:
        seed: 0 or more.
        settings: Say how much is needed.
        height: Of the latent.
        width: Of the latent.
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
    """The noise that the official script draws, for comparing with its own output.

    It has two streams, both started once from ``--seed``, and never starts them again: a run's noise depends on every
    run before it, on their number and their sizes. A benchmark must not use it. Enabling xformers in the official
    script runs a self-test in every attention, which uses up 276 draws before the first image
    (``diffusers/models/attention_processor.py`` 207-215 of release 0.21).

    Args:
        seed: The script's ``--seed``.
        device: Where the script ran; streams of CPU and GPU differ.
        self_tests: Draws of the self-tests.
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
            settings: The script's.
            height: Of the latent.
            width: Of the latent.
        """
        schedule = settings.schedule

        def normal(generator: torch.Generator, rows: int = 1) -> Tensor:
            shape = (rows, LATENT_CHANNELS, height, width)
            return torch.randn(shape, generator=generator, device=self._device, dtype=torch.float16)

        start = normal(self._explicit)
        posterior = normal(self._global, 2 if settings.guided else 1)
        # Draws of a timestep from a range of one: the value is known, the stream moves on.
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
