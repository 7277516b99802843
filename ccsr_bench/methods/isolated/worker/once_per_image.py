"""Computing once what depends on an image but not on the seed, such as its tags; for adapters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class OncePerImage:
    """Keeps what a function returned for the last image, because all runs of an image come one after the other.

    Args:
        compute: A function of an LR image.
    """

    def __init__(self, compute: Callable[[np.ndarray], Any]) -> None:
        self._compute = compute
        self._last: tuple[bytes, Any] | None = None

    def __call__(self, lr: np.ndarray) -> Any:
        """Return what the function returns for an LR image."""
        key = lr.tobytes() + bytes(str(lr.shape), "ascii")
        if self._last is None or self._last[0] != key:
            self._last = key, self._compute(lr)
        return self._last[1]
