from __future__ import annotations

import pytest
import torch
from diffusers import DDPMScheduler

from ccsr_bench.ccsr.schedule import Schedule, alphas_cumprod

# The official scheduler's lists, and the paper's S (Tables II and III; (1/2, 1/6) is printed as 2 there).
OFFICIAL = [
    ((1, 0.6666, 0.0), True, (), 1),
    ((6, 0.6667, 0.5), True, (499,), 2),
    ((12, 0.6667, 0.5), True, (582, 499), 3),
    ((18, 0.6667, 0.5), True, (606, 551, 496), 4),
    ((6, 0.6667, 0.3333), True, (499, 333), 3),
    ((6, 0.8333, 0.5), True, (665, 499), 3),
    ((6, 0.8333, 0.6667), True, (665,), 2),
    ((6, 0.5, 0.1667), True, (333, 167), 3),
    ((6, 0.6667, 0.0), True, (499, 333, 167, 1), 5),
    ((6, 1.0, 0.5), False, (831, 665, 499), 3),
]


@pytest.mark.parametrize(("times", "jumps", "loop", "calls"), OFFICIAL)
def test_schedules_of_the_paper(
    times: tuple[int, float, float], jumps: bool, loop: tuple[int, ...], calls: int
) -> None:
    schedule = Schedule.of(*times)
    assert (schedule.jumps, schedule.loop, schedule.network_calls) == (jumps, loop, calls)


@pytest.mark.parametrize("count", [2, 3, 6, 7, 12, 18, 50, 333, 999])
def test_listed_timesteps_are_those_of_the_stock_scheduler(count: int) -> None:
    stock = DDPMScheduler(timestep_spacing="leading", steps_offset=1)
    stock.set_timesteps(count)
    assert list(Schedule.of(count, 1.0, 0.0).loop) == stock.timesteps.tolist()


def test_noise_levels_are_those_of_the_stock_scheduler() -> None:
    stock = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    assert torch.equal(alphas_cumprod(), stock.alphas_cumprod)
    assert alphas_cumprod()[999].item() == pytest.approx(0.00466009508, abs=1e-10)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ((0, 0.5, 0.0), "num_inference_steps 0"),
        ((1000, 0.5, 0.0), "num_inference_steps 1000"),
        ((6, 0.5, 0.5), "must be 0 <= t_min < t_max <= 1"),
        ((6, 1.5, 0.5), "must be 0 <= t_min < t_max <= 1"),
        ((6, 0.5, -0.1), "must be 0 <= t_min < t_max <= 1"),
        ((1, 1.0, 0.0), "one step needs"),
        ((1, 0.6666, 0.5), "one step needs"),
        ((6, 0.05, 0.0), "select 0 and leave out 0"),  # official: the whole list
        ((6, 0.6667, 0.05), "t_min > 0 must leave out one"),  # official: an empty loop, then a crash
        ((6, 0.55, 0.45), "select 3 and leave out 3"),
    ],
)
def test_times_that_make_no_sampler_are_refused(times: tuple[int, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Schedule.of(*times)
