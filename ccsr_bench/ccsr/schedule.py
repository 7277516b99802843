"""The timesteps that the sampler visits, and their noise levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

TRAIN_TIMESTEPS = 1000
BETA_START = 0.00085
BETA_END = 0.012
LAST_TIMESTEP = TRAIN_TIMESTEPS - 1
"""T: the call that jumps from (nearly) pure noise to t_max, the paper's non-uniform timestep sampling (NUTS)."""


@dataclass(frozen=True)
class Schedule:
    """The timesteps of one sampler.

    Source: the paper's Section III-B; ``pipelines/pipeline_ccsr.py`` lines 1023 to 1070 of the official code, which
    take t_max and t_min as fractions of the N listed steps, not of the 1000 that the model was trained on.
    """

    jumps: bool
    """Whether the first call is at `LAST_TIMESTEP`, and the loop starts from its estimate of x0 with noise added."""
    loop: tuple[int, ...]
    """The timesteps of the loop after the jump, descending; empty for one step."""
    step: int
    """Distance from one listed timestep to the next."""
    keeps_estimate: bool
    """Whether the estimate of x0 at the last timestep is decoded, instead of the sample after that timestep."""

    @property
    def network_calls(self) -> int:
        """The paper's S: calls of ControlNet and UNet for one output, where the two halves of guidance count once."""
        return int(self.jumps) + len(self.loop)

    @classmethod
    def of(cls, num_inference_steps: int, t_max: float, t_min: float) -> Schedule:
        """Return the schedule that the paper calls (T, t_max, t_min).

        Raises:
            ValueError: The values leave no timestep, or one that the official code cannot run.
        """
        count = num_inference_steps
        if not 1 <= count < TRAIN_TIMESTEPS:
            raise ValueError(f"num_inference_steps {count}: must be from 1 to {TRAIN_TIMESTEPS - 1}")
        if not 0 <= t_min < t_max <= 1:
            raise ValueError(f"t_max {t_max}, t_min {t_min}: must be 0 <= t_min < t_max <= 1")
        step = TRAIN_TIMESTEPS // count
        if count == 1:
            if t_min > 0 or t_max == 1:
                raise ValueError("one step needs t_min = 0 and t_max < 1")
            return cls(jumps=True, loop=(), step=step, keeps_estimate=True)
        listed = [i * step + 1 for i in reversed(range(count))]
        first, left_out = round(count * t_max), round(count * t_min)  # half to even, as in the official code
        if first - left_out < 1 or (t_min > 0 and left_out == 0):
            raise ValueError(
                f"t_max {t_max}, t_min {t_min}: of {count} steps they select {first} and leave out {left_out}; "
                f"at least one step must remain"
                + (", and t_min > 0 must leave out one" if first > left_out == 0 else "")
            )
        return cls(
            jumps=t_max != 1,
            loop=tuple(listed[count - first : count - left_out]),
            step=step,
            keeps_estimate=t_min > 0,
        )


@cache
def alphas_cumprod() -> Tensor:
    """Return (1000,) float32 on the CPU: the share of signal left at every timestep (SD's scaled linear betas)."""
    import torch

    with torch.inference_mode(False):  # the tensor is cached, and must be usable outside of inference mode
        roots = torch.linspace(BETA_START**0.5, BETA_END**0.5, TRAIN_TIMESTEPS, dtype=torch.float32, device="cpu")
        return torch.cumprod(1.0 - roots**2, dim=0)
