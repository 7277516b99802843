"""Weights of methods: finding, verifying and installing them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.install.files import Progress, copy_file, download_file, find_verified, installing, silent
from ccsr_bench.install.hashing import content_sha256, file_sha256
from ccsr_bench.install.records import read_record, record_files
from ccsr_bench.install.sources import PublishedFile
from ccsr_bench.methods.manifest import Weights
from ccsr_bench.places import weights_home
from ccsr_bench.weights.formats import find_file


@dataclass(frozen=True)
class InstalledWeights:
    """A folder of weights with all of its files."""

    folder: Path
    sha256: str
    """The sha256 of the file, or of the list of files where there are several; see `docs/concepts/ledger.md`."""
    earlier_sha256: str = ""
    """The sha256 of the list of files if there is a single file: earlier versions recorded it; otherwise empty."""
    own: bool = False
    """Whether the user gave these weights, and they are neither the published nor the installed ones."""


def installed_weights(name: str, weights: Weights) -> InstalledWeights:
    """Return weights that `install_weights` installed.

    Files whose size or time of change differs from the recorded one are hashed again.

    Raises:
        NotInstalledError: The weights are not installed.
        BenchError: A file differs from the installed one.
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
            raise BenchError(
                f"{path}: wrong sha256: the file was changed after its installation; remove it and prepare again"
            )
        hashes[file] = sha256
    return _identified(folder, hashes)


def own_weights(name: str, weights: Weights, folder: Path) -> InstalledWeights:
    """Return the user's own weights, which may differ from the published ones.

    Args:
        name: Name of the weights in the manifest.
        weights: Description of the weights, which lists the required files.
        folder: Folder that contains a folder of that name, or of the authors' name.

    Raises:
        NotInstalledError: The weights are not in the folder.
    """
    place, record = _place(folder, name, weights), read_record(weights_home() / name)
    hashes, known = {}, {}
    for file, published in weights.files.items():
        path = find_file(place / file)
        if path is None:
            raise NotInstalledError(f"{place / file} is missing")
        hashes[file] = content_sha256(path, published)
        known[file] = published or (record[file].sha256 if file in record else "")
    return _identified(place, hashes, own=hashes != known)


def install_weights(name: str, weights: Weights, *, local: Path | None = None, progress: Progress = silent) -> Path:
    """Install weights under `ccsr_bench.places.weights_home` and verify them.

    Installed files that are correct are kept; every file is either complete or absent; an interrupted download is
    continued, if the source supports it.

    Args:
        name: Name of the weights, which is also the name of their folder.
        weights: Weights to install.
        local: Folder to copy the files from, instead of a download. It contains a folder of the weights' name, or of
            the authors' name; files that are already installed may be missing.
        progress: Function that is called after every file.

    Returns:
        Folder of the installed weights.

    Raises:
        BenchError: A file is not available, or is not the published one.
    """
    folder = weights_home() / name
    with installing(name, folder):
        for index, file in enumerate(weights.files, start=1):
            installed = _install_file(folder, name, file, weights, local)
            record_files(folder, {file: installed})
            progress(index, len(weights.files), f"{name}/{file}")
    return folder


def _install_file(folder: Path, name: str, file: str, weights: Weights, local: Path | None) -> tuple[Path, str]:
    """Install one file, and return its path and its sha256."""
    recorded = read_record(folder).get(file)
    first = recorded.sha256 if recorded is not None and not weights.files[file] else ""
    expected = weights.files[file] or first
    origin = _local_file(local, name, file, weights) if local is not None else None
    if origin is not None and first and file_sha256(origin) != first:
        raise BenchError(
            f"{origin}: not the file that was installed first, and its hash is not published; "
            f"remove {folder} to start over with this file, or use it by `ccsr-bench run --weights DIR`"
        )
    target = folder / file
    installed = find_verified(target, expected)
    if installed is None:
        if origin is not None:
            advice = "use your own weights by `ccsr-bench run --weights DIR`"
            installed = copy_file(origin, target.with_name(origin.name), expected, otherwise=advice)
        elif local is not None:
            raise NotInstalledError(f"{_place(local, name, weights) / file} is missing from the local copy")
        else:
            advice = f"get it by hand, and give the folder that contains it in a folder '{weights.folder}' as `local`"
            published = PublishedFile(file, weights.sources, expected, weights.folder)
            installed = download_file(folder, target, published, otherwise=advice)
    return installed, expected or file_sha256(installed)


def _place(folder: Path, name: str, weights: Weights) -> Path:
    """Return the folder of weights in a local copy, which may be inside another folder of the same name.

    Raises:
        NotInstalledError: There is no such folder.
    """
    if not folder.is_dir():
        raise NotInstalledError(f"{folder}: no such folder")
    names = list(dict.fromkeys((name, weights.folder)))
    for weights_name in names:
        for place in (folder / weights_name, folder / weights_name / weights_name):
            if any(find_file(place / file) for file in weights.files):
                return place
    raise NotInstalledError(f"{folder} holds no weights in a folder {' or '.join(map(repr, names))}")


def _local_file(local: Path, name: str, file: str, weights: Weights) -> Path | None:
    try:
        return find_file(_place(local, name, weights) / file)
    except NotInstalledError:
        return None


def _identified(folder: Path, hashes: Mapping[str, str], *, own: bool = False) -> InstalledWeights:
    """Return weights with what identifies them.

    Args:
        folder: Folder of the weights.
        hashes: File -> sha256, for all files.
        own: Whether the weights are the user's own.
    """
    of_list = hashlib.sha256("".join(f"{file} {hashes[file]}\n" for file in sorted(hashes)).encode()).hexdigest()
    if len(hashes) > 1:
        return InstalledWeights(folder, of_list, own=own)
    (of_file,) = hashes.values()
    return InstalledWeights(folder, of_file, of_list, own)
