"""What every method is to the rest of the package: the protocol that it follows, and the settings that it runs with."""

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
            lr: The image, (h, w, 3) uint8 RGB.
            seeds: A 63-bit integer for each output.

        Returns:
            (len(seeds), scale*h, scale*w, 3) uint8 RGB.
        """
        ...


@dataclass(frozen=True)
class Execution:
    """How a method's networks run."""

    device: str = "cpu"
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Precision of the networks, with float32 arithmetic around them; None for the precision of the authors' code."""
    batch: int | None = None
    """Number of runs that go through the networks at once; None for the method's own choice."""
    compiled: bool = False
    """Whether the networks are compiled by `torch.compile`."""
