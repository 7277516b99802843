"""The interface of methods, and the settings that their networks run with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np


class Method(Protocol):
    """A loaded super-resolution method."""

    def restore(self, lr: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Restore one image once per seed.

        Every random stream is reset from the seed at each call, so an output depends on (lr, seed) alone.

        Args:
            lr: LR image, (h, w, 3) uint8 RGB.
            seeds: One 63-bit integer per output.

        Returns:
            One output per seed, (len(seeds), scale*h, scale*w, 3) uint8 RGB.
        """
        ...


@dataclass(frozen=True)
class Execution:
    """The settings of a method's networks."""

    device: str = "cpu"
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Precision of the networks, with float32 arithmetic around them; None for the precision of the authors' code."""
    batch: int | None = None
    """Number of runs per batch of the networks; None for the method's default."""
    compiled: bool = False
    """Whether the networks are compiled with `torch.compile`."""
