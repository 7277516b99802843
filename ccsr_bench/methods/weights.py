"""Weights of methods: where they are, what they are, and installing them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import filelock
import msgspec

from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.images import write_atomically
from ccsr_bench.install.files import Progress, file_sha256, silent, unchanged_file_sha256
from ccsr_bench.install.sources import STAGING, download
from ccsr_bench.methods.manifest import RECORD, Weights, formats
from ccsr_bench.places import weights_home


@dataclass(frozen=True)
class InstalledWeights:
    """A folder of weights that is complete."""

    folder: Path
    sha256: str
    """Of the sha256 of all its files."""


class _FileRecord(msgspec.Struct, frozen=True):
    sha256: str
    size: int
    modified_ns: int


def installed_weights(name: str, weights: Weights) -> InstalledWeights:
    """Return weights that `install_weights` installed.

    Files whose size or time of change is another than recorded are hashed again.

    Raises:
        NotInstalledError: They are not there.
        BenchError: A file is not the one that was installed.
    """
    folder = weights_home() / name
    record = _read_record(folder)
    hashes = {}
    for file, expected in weights.files.items():
        path, known = existing(folder / file), record.get(file)
        if path is None or known is None:
            raise NotInstalledError(f"no weights {name} in {folder}" if not record else f"{folder / file} is missing")
        status = path.stat()
        unchanged = (status.st_size, status.st_mtime_ns) == (known.size, known.modified_ns)
        sha256 = known.sha256 if unchanged else unchanged_file_sha256(path)
        if sha256 != (expected or known.sha256):
            raise BenchError(f"{path}: wrong sha256: it was changed since; remove it and prepare again")
        hashes[file] = sha256
    return InstalledWeights(folder, _digest(hashes))


def own_weights(name: str, weights: Weights, folder: Path) -> InstalledWeights:
    """Return weights of the user's own, which may be others than the published ones.

    Args:
        name: What `prepare` calls them.
        weights: Which files there must be.
        folder: Holds a folder of that name, or of the authors' name.

    Raises:
        NotInstalledError: They are not there.
    """
    place = _place(folder, name, weights)
    hashes = {}
    for file in weights.files:
        path = existing(place / file)
        if path is None:
            raise NotInstalledError(f"{place / file} is missing")
        hashes[file] = unchanged_file_sha256(path)
    return InstalledWeights(place, _digest(hashes))


def install_weights(name: str, weights: Weights, *, local: Path | None = None, progress: Progress = silent) -> Path:
    """Install weights under `ccsr_bench.places.weights_home` and verify them.

    What is already there and right is kept; every file is either complete or absent; an interrupted download goes on
    where it stopped, where the source allows it.

    Args:
        name: Of the folder.
        weights: What to install.
        local: Take the files from this folder instead of the network. It holds a folder of the weights' name, or of
            the authors' name; it may leave out what is installed already.
        progress: Called after every file.

    Returns:
        The folder they are in.

    Raises:
        BenchError: A file cannot be had, or is not the published one.
    """
    folder = weights_home() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".lock"):
            for index, file in enumerate(weights.files, start=1):
                _install_file(folder, name, file, weights, local)
                progress(index, len(weights.files), f"{name}/{file}")
            shutil.rmtree(folder / STAGING, ignore_errors=True)
    except OSError as error:
        raise BenchError(f"cannot install {name} in {folder}: {error.strerror or error}; make room there") from error
    return folder


def _install_file(folder: Path, name: str, file: str, weights: Weights, local: Path | None) -> None:
    record = _read_record(folder)
    published = weights.files[file]
    expected = published or (record[file].sha256 if file in record else "")
    origin = _local_file(local, name, file, weights) if local is not None else None
    if origin is not None and not published and expected and file_sha256(origin) != expected:
        raise BenchError(
            f"{origin}: not the file that was installed first, and no hash of it is published; "
            f"remove {folder} to start over with this one, or run with it by `run --weights DIR`"
        )
    present = existing(folder / file)
    if present is not None and expected and file_sha256(present) == expected:
        _add_record(folder, record, file, present, expected)
        return
    if local is not None:
        if origin is None:
            raise NotInstalledError(f"{_place(local, name, weights) / file} is missing from the local copy")
        target = (folder / file).with_name(origin.name)
        sha256 = _copy(origin, target, published)
    else:
        target, sha256 = download(folder, file, weights, expected)
    _add_record(folder, record, file, target, sha256)


def _copy(origin: Path, target: Path, published: str) -> str:
    """Copy a file that may be larger than memory, and return its sha256.

    Raises:
        BenchError: It is not the published one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    digest = hashlib.sha256()
    with origin.open("rb") as source, partial.open("wb") as copy:
        while piece := source.read(1 << 22):
            digest.update(piece)
            copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
    if published and digest.hexdigest() != published:
        partial.unlink()
        raise BenchError(
            f"{origin}: wrong sha256: it is not the published file; get it again, "
            f"or run with weights of your own by `run --weights DIR`"
        )
    partial.replace(target)
    return digest.hexdigest()


def existing(path: Path) -> Path | None:
    """Return a file of weights in the format it is there in; None when it is not there."""
    return next((name for name in formats(path) if name.is_file()), None)


def _place(folder: Path, name: str, weights: Weights) -> Path:
    """Return the folder of weights in a local copy, which may lie in one of the same name.

    Raises:
        NotInstalledError: There is none.
    """
    if not folder.is_dir():
        raise NotInstalledError(f"{folder}: no such folder")
    names = list(dict.fromkeys((name, weights.folder)))
    for part in names:
        for place in (folder / part, folder / part / part):
            if any(existing(place / file) for file in weights.files):
                return place
    raise NotInstalledError(f"{folder} holds no weights in a folder {' or '.join(repr(part) for part in names)}")


def _local_file(local: Path, name: str, file: str, weights: Weights) -> Path | None:
    try:
        return existing(_place(local, name, weights) / file)
    except NotInstalledError:
        return None


def _digest(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{file} {hashes[file]}\n" for file in sorted(hashes)).encode()).hexdigest()


def _read_record(folder: Path) -> dict[str, _FileRecord]:
    path = folder / RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _FileRecord])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BenchError(
            f"{path}: cannot be read ({error.strerror}); put that right, or set CCSR_BENCH_HOME"
        ) from error
    except msgspec.MsgspecError as error:
        raise BenchError(f"{path}: {error}; remove it and prepare again") from error


def _add_record(folder: Path, record: dict[str, _FileRecord], file: str, path: Path, sha256: str) -> None:
    status = path.stat()
    record[file] = _FileRecord(sha256, status.st_size, status.st_mtime_ns)
    write_atomically(folder / RECORD, msgspec.json.format(msgspec.json.encode(record), indent=1))
