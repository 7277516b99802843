"""A helper for adapters that computes once what depends on an image but not on the seed, such as tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class OncePerImage:
    """Caches the return value of a function for the last image; all runs of an image are consecutive.

    Args:
        compute: Function of an LR image.
    """

    def __init__(self, compute: Callable[[np.ndarray], Any]) -> None:
        self._compute = compute
        self._last: tuple[bytes, Any] | None = None

    def __call__(self, lr: np.ndarray) -> Any:
        """Return the value of the function for an LR image."""
        key = lr.tobytes() + bytes(str(lr.shape), "ascii")
        if self._last is None or self._last[0] != key:
            self._last = key, self._compute(lr)
        return self._last[1]
