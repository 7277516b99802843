"""Reading numeric arrays from a MATLAB file of version 5 (".mat"), with limits on what it may announce.

Source: MathWorks, "MAT-File Format", chapter "MAT-File Level 5". Little-endian files of real numeric arrays are read,
compressed or not; every other content is refused.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

_HEADER = 128
_VERSION = b"\x00\x01IM"
"""Version 1.0 of the format, and the letters that a little-endian machine wrote."""

_LARGEST = 16 * 1024**2
"""The most bytes of a file, and of its content after decompression."""

_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15

_STORED = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
"""Type of an element -> its numbers. An array is stored in the smallest type that holds its values."""

_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
"""Class of an array -> its numbers in memory."""

_COMPLEX = 0x0800


class _Element(NamedTuple):
    kind: int
    data: bytes


def read_mat_file(path: Path) -> dict[str, Tensor]:
    """Return the arrays of a file by name, in the type that MATLAB gives them.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not a little-endian one of version 5, is damaged or too large, or holds anything other
            than real numeric arrays.
    """
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"larger than {_LARGEST} bytes")
    content = path.read_bytes()
    if content[_HEADER - 4 : _HEADER] != _VERSION:
        raise ValueError("not a little-endian MATLAB file of version 5")
    arrays: dict[str, Tensor] = {}
    left = _LARGEST
    for element in _elements(content[_HEADER:], padded=False):
        if element.kind == _COMPRESSED:
            element = _inflate(element.data, left)
        left -= len(element.data)
        if left < 0:
            raise ValueError(f"more than {_LARGEST} bytes of content")
        name, array = _array(element)
        if name in arrays:
            raise ValueError(f"two arrays have the name {name}")
        arrays[name] = array
    return arrays


def _elements(data: bytes, *, padded: bool) -> Iterator[_Element]:
    """Yield the elements of a file or of an array.

    Args:
        data: Elements, one after another.
        padded: Whether each element is filled up to a multiple of 8 bytes, as inside an array.
    """
    position = 0
    while position < len(data):
        kind, size = _tag(data[position : position + 8])
        start = position + 8
        if kind >> 16:  # a small element: its size and type share four bytes, and its data are the next four
            kind, size, start = kind & 0xFFFF, kind >> 16, position + 4
            if size > 4:
                raise ValueError(f"a small element announces {size} bytes")
            position += 8
        else:
            position = start + size
            position += -position % 8 if padded else 0
        if start + size > len(data):
            raise ValueError("an element ends after the end of the file")
        yield _Element(kind, data[start : start + size])


def _tag(data: bytes) -> tuple[int, int]:
    if len(data) < 8:
        raise ValueError("an element ends after the end of the file")
    kind, size = struct.unpack("<II", data)
    return kind, size


def _inflate(data: bytes, most: int) -> _Element:
    """Return the one element in compressed data; only what it announces, at most `most` bytes, is decompressed."""
    stream = zlib.decompressobj()
    try:
        kind, size = _tag(stream.decompress(data, 8))
        if size > most:
            raise ValueError(f"more than {_LARGEST} bytes of content")
        # One byte more than announced shows data that should not be there.
        inflated = stream.decompress(stream.unconsumed_tail, size + 1)
    except zlib.error as error:
        raise ValueError(f"compressed data are damaged ({error})") from error
    if len(inflated) != size or not stream.eof or stream.unused_data:
        raise ValueError("compressed data have another size than they announce")
    return _Element(kind, inflated)


def _array(element: _Element) -> tuple[str, Tensor]:
    """Return the name and the content of an array."""
    if element.kind != _MATRIX:
        raise ValueError(f"an element of type {element.kind} is not an array")
    parts = list(_elements(element.data, padded=True))
    if [part.kind for part in parts[:3]] != [_UINT32, _INT32, _INT8] or len(parts[0].data) != 8:
        raise ValueError("an array lacks its class, its dimensions or its name")
    (flags,) = struct.unpack_from("<I", parts[0].data)
    if flags & 0xFF not in _CLASSES or flags & _COMPLEX or len(parts) != 4 or parts[3].kind not in _STORED:
        raise ValueError("an array is not one of real numbers")
    shape = [length for (length,) in struct.iter_unpack("<i", parts[1].data)]
    name = parts[2].data.decode("ascii")
    numbers = np.frombuffer(parts[3].data, _STORED[parts[3].kind])
    if min(shape, default=-1) < 0 or prod(shape) != numbers.size:
        raise ValueError(f"array {name} has {numbers.size} numbers for the dimensions {shape}")
    columns_first = numbers.astype(_CLASSES[flags & 0xFF]).reshape(shape, order="F")
    return name, torch.from_numpy(np.ascontiguousarray(columns_first))
