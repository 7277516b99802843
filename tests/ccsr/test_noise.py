from __future__ import annotations

import numpy as np
import torch

from ccsr_bench.ccsr.noise import OfficialNoise, draw_noise
from ccsr_bench.ccsr.settings import Settings

ONE_STEP = Settings(num_inference_steps=1, t_max=0.6666, t_min=0, guidance_scale=1)


def test_variants_share_the_noise_of_a_seed() -> None:
    two_steps, one_step = draw_noise(7, Settings(), 8, 12), draw_noise(7, ONE_STEP, 8, 12)
    assert torch.equal(two_steps.start, one_step.start)
    assert torch.equal(two_steps.posterior[:, 0], one_step.posterior[:, 0])
    assert torch.equal(two_steps.renoise, one_step.renoise)
    assert two_steps.posterior.shape == (1, 2, 4, 8, 12)
    assert two_steps.steps.shape == (1, 0, 4, 8, 12)  # the only step's sample is thrown away


def test_roles_and_seeds_have_noise_of_their_own() -> None:
    settings = Settings(t_min=0.0)
    drawn = [draw_noise(seed, settings, 16, 16) for seed in (0, 1, 2**63 - 1)]
    parts = [part for n in drawn for part in (n.start[0], *n.posterior[0], n.renoise[0], *n.steps[0])]
    flat = torch.stack([part.flatten() for part in parts])
    correlations = np.corrcoef(flat.numpy()) - np.eye(len(parts))
    assert np.abs(correlations).max() < 0.15
    assert abs(flat.mean()) < 0.02
    assert abs(flat.std() - 1) < 0.02


def test_every_bit_of_a_seed_counts() -> None:
    settings = Settings(t_min=0.0)
    seeds = [0, *(2**bit for bit in range(63)), *(2**63 - 1 - 2**bit for bit in range(63)), 2**63 - 1]
    drawn = [draw_noise(seed, settings, 1, 1) for seed in seeds]
    for role in ("start", "posterior", "renoise", "steps"):
        noises = {tuple(getattr(noise, role).flatten().tolist()) for noise in drawn}
        assert len(noises) == len(seeds)


def test_official_streams_collide_without_the_self_tests() -> None:
    """Both are started from one seed: without the draws between, start and posterior noise would be the same."""
    collided = OfficialNoise(5, device=torch.device("cpu"), self_tests=0).draw(Settings(), 8, 12)
    assert torch.equal(collided.start, collided.posterior[:, 0])
    official = OfficialNoise(5, device=torch.device("cpu")).draw(Settings(), 8, 12)
    assert torch.equal(official.start, collided.start)
    assert not torch.equal(official.posterior, collided.posterior)


def test_official_streams_go_on_from_run_to_run() -> None:
    streams = OfficialNoise(5, device=torch.device("cpu"))
    generator = torch.Generator().manual_seed(5)
    for _ in range(3):
        noise = streams.draw(Settings(), 8, 12)
        expected = torch.randn((1, 4, 8, 12), generator=generator, dtype=torch.float16)
        assert torch.equal(noise.start, expected)
        assert noise.start.dtype == torch.float16
        torch.randn((1, 4, 8, 12), generator=generator, dtype=torch.float16)  # of the step that is thrown away
