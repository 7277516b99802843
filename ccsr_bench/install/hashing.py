"""The sha256 of files, and of the tensors in files of weights."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

TENSORS = "tensors:"
"""Prefix of a hash that is the sha256 of the tensors in a file, whatever its format, instead of that of the file."""


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, which may be larger than memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def unchanged_file_sha256(path: Path) -> str:
    """Return the sha256 of a file, which this process computes again only if the file has changed."""
    status = path.stat()
    return _hash_once(path, status.st_size, status.st_mtime_ns)


def shortened(sha256: str) -> str:
    """Return a hash with its first 16 digits only, and with the prefix that says whether it is that of tensors."""
    prefix = TENSORS if sha256.startswith(TENSORS) else ""
    return sha256[: len(prefix) + 16]


def content_sha256(path: Path, expected: str) -> str:
    """Return the hash of a file in the form of the expected one: that of its tensors, or that of its bytes.

    Raises:
        BenchError: The file holds no readable tensors, and their hash is expected.
    """
    if not expected.startswith(TENSORS):
        return unchanged_file_sha256(path)
    from ccsr_bench.weights.tensors import read_tensors, tensors_sha256  # imports torch

    return TENSORS + tensors_sha256(read_tensors(path))


@functools.cache
def _hash_once(path: Path, _size: int, _modified_ns: int) -> str:
    return file_sha256(path)
