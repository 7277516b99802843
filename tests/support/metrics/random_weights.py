"""Random weights in place of the published ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from ccsr_bench.install.hashing import file_sha256
from ccsr_bench.metrics import weight_files

_HASHES: dict[tuple[int, int, int], str] = {}
"""(inode, size, time of the last change) of a file -> its hash."""


def sha256_once(path: Path) -> str:
    """Return the sha256 of a file, read once however many links to it are asked for."""
    about = path.stat()
    identity = about.st_ino, about.st_size, about.st_mtime_ns
    if identity not in _HASHES:
        _HASHES[identity] = file_sha256(path)
    return _HASHES[identity]


def install(monkeypatch: pytest.MonkeyPatch, home: Path, write: Callable[[Path], None]) -> Path:
    """Write files of weights into the cache and expect their hashes.

    Args:
        monkeypatch: Undoes it.
        home: What ``$CCSR_BENCH_HOME`` is.
        write: Writes files with the published names into the folder that it is given.

    Returns:
        The folder.
    """
    folder = home / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    found = {
        key: dataclasses.replace(file, sha256=sha256_once(folder / file.name))
        for key, file in weight_files.FILES.items()
        if (folder / file.name).is_file()
    }
    monkeypatch.setattr(weight_files, "FILES", {**weight_files.FILES, **found})
    return folder
