"""For adapters: what depends on an image and not on the seed, such as its tags, computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class OncePerImage:
    """Remembers what was computed of the last image: tags do not depend on the seed, and its runs come in a row.

    Args:
        compute: Of an LR image.
    """

    def __init__(self, compute: Callable[[np.ndarray], Any]) -> None:
        self._compute = compute
        self._last: tuple[bytes, Any] | None = None

    def __call__(self, lr: np.ndarray) -> Any:
        """Return what is computed of an LR image."""
        key = lr.tobytes() + bytes(str(lr.shape), "ascii")
        if self._last is None or self._last[0] != key:
            self._last = key, self._compute(lr)
        return self._last[1]
