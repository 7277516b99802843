"""sha256 of files."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, which is read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def unchanged_file_sha256(path: Path) -> str:
    """Return the sha256 of a file; one that has not changed since is hashed only once in this process."""
    status = path.stat()
    return _hash_once(path, status.st_size, status.st_mtime_ns)


@functools.cache
def _hash_once(path: Path, _size: int, _modified_ns: int) -> str:
    return file_sha256(path)
