"""Weights of methods: where they are, what they are, and installing them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.install.files import Progress, copy_file, download_file, find_verified, installing, silent
from ccsr_bench.install.hashing import file_sha256, unchanged_file_sha256
from ccsr_bench.install.records import read_record, record_files
from ccsr_bench.install.sources import PublishedFile
from ccsr_bench.methods.manifest import Weights
from ccsr_bench.places import weights_home
from ccsr_bench.weights.formats import find_file


@dataclass(frozen=True)
class InstalledWeights:
    """A folder of weights that is complete."""

    folder: Path
    sha256: str
    """Of the sha256 of all its files."""


def installed_weights(name: str, weights: Weights) -> InstalledWeights:
    """Return weights that `install_weights` installed.

    Files whose size or time of change is another than recorded are hashed again.

    Raises:
        NotInstalledError: They are not there.
        BenchError: A file is not the one that was installed.
    """
    folder = weights_home() / name
    record = read_record(folder)
    hashes = {}
    for file, expected in weights.files.items():
        path, known = find_file(folder / file), record.get(file)
        if path is None or known is None:
            raise NotInstalledError(f"no weights {name} in {folder}" if not record else f"{folder / file} is missing")
        sha256 = known.current_sha256(path)
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
        path = find_file(place / file)
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
    with installing(name, folder):
        for index, file in enumerate(weights.files, start=1):
            installed = _install_file(folder, name, file, weights, local)
            record_files(folder, {file: installed})
            progress(index, len(weights.files), f"{name}/{file}")
    return folder


def _install_file(folder: Path, name: str, file: str, weights: Weights, local: Path | None) -> tuple[Path, str]:
    """Install one file; return where it is, and its sha256."""
    recorded = read_record(folder).get(file)
    first = recorded.sha256 if recorded is not None and not weights.files[file] else ""
    expected = weights.files[file] or first
    origin = _local_file(local, name, file, weights) if local is not None else None
    if origin is not None and first and file_sha256(origin) != first:
        raise BenchError(
            f"{origin}: not the file that was installed first, and no hash of it is published; "
            f"remove {folder} to start over with this one, or run with it by `run --weights DIR`"
        )
    target = folder / file
    installed = find_verified(target, expected)
    if installed is None:
        if origin is not None:
            advice = "run with weights of your own by `run --weights DIR`"
            installed = copy_file(origin, target.with_name(origin.name), expected, otherwise=advice)
        elif local is not None:
            raise NotInstalledError(f"{_place(local, name, weights) / file} is missing from the local copy")
        else:
            advice = f"get it by hand and run prepare with --from DIR, which holds a folder '{weights.folder}'"
            published = PublishedFile(file, weights.sources, expected, weights.folder)
            installed = download_file(folder, target, published, otherwise=advice)
    return installed, expected or file_sha256(installed)


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
            if any(find_file(place / file) for file in weights.files):
                return place
    raise NotInstalledError(f"{folder} holds no weights in a folder {' or '.join(repr(part) for part in names)}")


def _local_file(local: Path, name: str, file: str, weights: Weights) -> Path | None:
    try:
        return find_file(_place(local, name, weights) / file)
    except NotInstalledError:
        return None


def _digest(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{file} {hashes[file]}\n" for file in sorted(hashes)).encode()).hexdigest()
