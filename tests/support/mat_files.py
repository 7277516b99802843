"""Files in MATLAB's format, version 5, written without scipy."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"


def element(kind: int, data: bytes) -> bytes:
    """Return an element that is filled up to a multiple of 8 bytes."""
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def matrix(
    name: str, numbers: bytes, shape: Sequence[int], *, array_class: int = 6, flags: int = 0, stored: int = 9
) -> bytes:
    """Return an array; by default of doubles."""
    parts = (
        element(6, struct.pack("<II", array_class | flags, 0)),
        element(5, struct.pack(f"<{len(shape)}i", *shape)),
        element(1, name.encode("ascii")),
        element(stored, numbers),
    )
    return element(14, b"".join(parts))


def compressed(data: bytes) -> bytes:
    """Return an element in its compressed form, which is not filled up."""
    packed = zlib.compress(data)
    return struct.pack("<II", 15, len(packed)) + packed


def mat_file(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return a file of float64 arrays."""
    elements = (matrix(name, array.astype("<f8").tobytes(order="F"), array.shape) for name, array in arrays.items())
    return HEADER + b"".join(elements)
