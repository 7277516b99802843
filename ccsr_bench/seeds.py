"""The seed of one run of one image."""

from __future__ import annotations

import hashlib


def seed(dataset: str, image: str, run: int, *, base_seed: int = 0) -> int:
    """Return the seed of one run: a 63-bit integer that depends on the arguments and nothing else.

    The method is not part of the key, so methods share noise and can be compared pairwise. Seeds do not depend on
    the order or the choice of images: an image that is run alone gives the same bytes as in the whole data set.

    Args:
        dataset: Name of the data set.
        image: Name of the image (its file stem).
        run: Index of the run, 0 to N-1.
        base_seed: Number that selects the set of seeds; every number gives an independent set.

    Raises:
        ValueError: The run is negative or not an integer.

    Example:
        >>> seed("RealSR", "Canon_001_LR4", 0) == seed("RealSR", "Canon_001_LR4", 0)
        True
    """
    if not isinstance(run, int) or run < 0:
        raise ValueError(f"`run` is {run!r}: it must be an integer of at least 0")
    key = f"{base_seed}/{dataset}/{image}/{run}".encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") >> 1
