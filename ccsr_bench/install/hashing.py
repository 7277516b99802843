"""The sha256 of files."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


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


@functools.cache
def _hash_once(path: Path, _size: int, _modified_ns: int) -> str:
    return file_sha256(path)
