"""Messages between ccsr-bench and a worker: a JSON header and optionally an array of bytes.

A message is encoded as a frame: `MAGIC`; the lengths of the header (4 bytes) and of the array (8 bytes), little-endian;
the header; the array. Nothing is ever unpickled. This module runs on Python 3.8.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any, Dict, Optional, Tuple

import numpy as np

MAGIC = b"ccsr-wk1"
_PREFIX = struct.Struct("<8sIQ")
_LONGEST_HEADER = 1 << 24
_LONGEST_ARRAY = 1 << 32

Message = Tuple[Dict[str, Any], Optional[np.ndarray]]


class FrameError(Exception):
    """The bytes that were read are not a frame."""


def encode(header: dict[str, Any], array: np.ndarray | None = None) -> list[memoryview]:
    """Return the parts of a frame, which must be written in this order.

    Args:
        header: Values that JSON can represent; ``shape`` is added for an array.
        array: uint8 array of any shape; None for a message without an array.
    """
    body = memoryview(b"")
    if array is not None:
        body = np.ascontiguousarray(array, np.uint8).data.cast("B")
        header = {**header, "shape": list(array.shape)}
    text = json.dumps(header).encode()
    return [memoryview(_PREFIX.pack(MAGIC, len(text), len(body)) + text), body]


def decode(read: Callable[[int], bytes]) -> Message:
    """Read one frame.

    Args:
        read: Function that returns exactly the given number of bytes, or raises an error.

    Returns:
        The header, and the array or None.

    Raises:
        FrameError: The bytes are not a frame.
    """
    prefix = read(_PREFIX.size)
    magic, header_length, body_length = _PREFIX.unpack(prefix)
    if magic != MAGIC or header_length > _LONGEST_HEADER or body_length > _LONGEST_ARRAY:
        raise FrameError(f"not a message of the worker: {prefix[:16]!r}")
    try:
        header = json.loads(read(header_length).decode())
        shape = header.get("shape")
    except (ValueError, AttributeError) as error:
        raise FrameError("a message with a damaged header") from error
    body = read(body_length)
    if shape is None:
        return header, None
    if not _is_shape(shape) or math.prod(shape) != body_length:
        raise FrameError(f"an array of shape {shape} in {body_length} bytes")
    return header, np.frombuffer(body, np.uint8).reshape(shape)


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, list) and all(isinstance(length, int) and length >= 0 for length in shape)
