"""Weights of methods: finding, verifying and installing them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ccsr_bench.errors import BenchError, NotInstalledError, some
from ccsr_bench.install.files import Progress, copy_file, download_file, find_verified, installing, silent
from ccsr_bench.install.hashing import content_sha256, file_sha256
from ccsr_bench.install.records import InstalledFile, read_record, record_files
from ccsr_bench.install.sources import PublishedFile
from ccsr_bench.methods.manifest import Weights
from ccsr_bench.places import weights_home
from ccsr_bench.weights.formats import accepted_names, find_file


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
    if not record:
        raise NotInstalledError(f"no weights {name} in {folder}")
    return _identified(folder, {file: _installed_sha256(folder, file, weights, record) for file in weights.files})


def _installed_sha256(folder: Path, file: str, weights: Weights, record: Mapping[str, InstalledFile]) -> str:
    """Return the sha256 of one installed file; raises the errors of `installed_weights`."""
    path, known = find_file(folder / file), record.get(file)
    if path is None or known is None:
        raise NotInstalledError(f"{folder / file} is missing")
    sha256 = known.current_sha256(path)
    if sha256 != (weights.files[file] or known.sha256):
        raise BenchError(
            f"{path}: wrong sha256: the file was changed after its installation; remove it and prepare again"
        )
    return sha256


def missing_files(name: str, weights: Weights) -> list[str]:
    """Return one line for each file that is not installed or was changed, with its hash, place and addresses."""
    folder = weights_home() / name
    record = read_record(folder)
    lines = []
    for file in weights.files:
        described = _published(file, weights).described(folder / file)
        try:
            _installed_sha256(folder, file, weights, record)
        except NotInstalledError:
            lines.append(described)
        except BenchError as error:
            lines.append(f"{described}; {error}")
    return lines


def _published(file: str, weights: Weights, expected: str = "") -> PublishedFile:
    """Return a file as it is downloaded, with the given hash where none is published."""
    return PublishedFile(file, weights.sources, weights.files[file] or expected, weights.folder)


def own_weights(name: str, weights: Weights, folder: Path, *, others: Iterable[Weights] = ()) -> InstalledWeights:
    """Return the user's own weights, which may differ from the published ones.

    Args:
        name: Name of the weights in the manifest.
        weights: Description of the weights, which lists the required files.
        folder: Folder that contains a folder of that name, or of the authors' name, or the files themselves.
        others: Other weights that may be in the same folder.

    Raises:
        NotInstalledError: The weights are not in the folder.
    """
    place, record = _place(folder, name, weights, others), read_record(weights_home() / name)
    hashes, known = {}, {}
    for file, published in weights.files.items():
        path = find_file(place / file)
        if path is None:
            raise NotInstalledError(f"{place / file} is missing")
        hashes[file] = content_sha256(path, published)
        known[file] = published or (record[file].sha256 if file in record else "")
    return _identified(place, hashes, own=hashes != known)


def install_weights(
    name: str,
    weights: Weights,
    *,
    local: Path | None = None,
    others: Iterable[Weights] = (),
    progress: Progress = silent,
) -> Path:
    """Install weights under `ccsr_bench.places.weights_home` and verify them.

    Installed files that are correct are kept; every file is either complete or absent; an interrupted download is
    continued, if the source supports it.

    Args:
        name: Name of the weights, which is also the name of their folder.
        weights: Weights to install.
        local: Folder to copy the files from, instead of a download. It contains a folder of the weights' name, or of
            the authors' name, or the files themselves; files that are already installed may be missing.
        others: Other weights that may be in the same local folder.
        progress: Function that is called after every file.

    Returns:
        Folder of the installed weights.

    Raises:
        BenchError: A file is not available, or is not the published one.
    """
    folder = weights_home() / name
    find_local = None if local is None else functools.partial(_local_file, local, name, weights, list(others))
    with installing(name, folder):
        for index, file in enumerate(weights.files, start=1):
            installed = _install_file(folder, file, weights, find_local)
            record_files(folder, {file: installed})
            progress(index, len(weights.files), f"{name}/{file}")
    return folder


def _install_file(
    folder: Path, file: str, weights: Weights, find_local: Callable[[str], Path] | None
) -> tuple[Path, str]:
    """Install one file, and return its path and its sha256.

    Args:
        folder: Folder of the weights.
        file: Path of the file in that folder.
        weights: Description of the weights.
        find_local: Function that finds a file in a local copy, instead of a download.
    """
    recorded = read_record(folder).get(file)
    first = recorded.sha256 if recorded is not None and not weights.files[file] else ""
    expected = weights.files[file] or first
    target = folder / file
    installed = find_verified(target, expected)
    if find_local is None:
        if installed is None:
            advice = f"get it by hand, and give the folder that contains it in a folder '{weights.folder}' as `local`"
            installed = download_file(folder, target, _published(file, weights, expected), otherwise=advice)
        return installed, expected or file_sha256(installed)
    try:
        origin = find_local(file)
    except NotInstalledError:
        if installed is None:
            raise
        return installed, expected
    if first and file_sha256(origin) != first:
        raise BenchError(
            f"{origin}: not the file that was installed first, and its hash is not published; "
            f"remove {folder} to start over with this file, or use it by `ccsr-bench run --weights DIR`"
        )
    if installed is None:
        advice = "use your own weights by `ccsr-bench run --weights DIR`"
        installed = copy_file(origin, target.with_name(origin.name), expected, otherwise=advice)
    return installed, expected or file_sha256(installed)


def _place(folder: Path, name: str, weights: Weights, others: Iterable[Weights]) -> Path:
    """Return the folder of weights in a local copy.

    It may be inside another folder of the same name. It may also be the local copy itself, unless other weights have a
    file of the same name: then nothing tells whose file it is.

    Raises:
        NotInstalledError: There is no such folder; the message names the places that were searched.
    """
    if not folder.is_dir():
        raise NotInstalledError(f"{folder}: no such folder")
    names = list(dict.fromkeys((name, weights.folder)))
    places = [place for own in names for place in (folder / own, folder / own / own)]
    ambiguous = [file for file in weights.files if any(_may_be(file, other) for other in others)]
    if not ambiguous:
        places.append(folder)
    for place in places:
        if any(find_file(place / file) for file in weights.files):
            return place
    if any(find_file(folder / file) for file in ambiguous):
        raise NotInstalledError(
            f"{folder}: several weights have a file called {ambiguous[0]}, so nothing tells whose it is; "
            f"put that of {name} into a folder '{name}' in it"
        )
    searched = ", ".join(str(place.relative_to(folder)) for place in places if place != folder)
    raise NotInstalledError(
        f"{folder} holds no {some(list(weights.files))} of the weights {name}: searched its folders {searched}"
        f"{'' if ambiguous else ', and the folder itself'}"
    )


def _may_be(file: str, weights: Weights) -> bool:
    """Return whether weights have a file that can be stored under the same name."""
    names = {name for other in weights.files for name in accepted_names(Path(other))}
    return not names.isdisjoint(accepted_names(Path(file)))


def _local_file(local: Path, name: str, weights: Weights, others: Iterable[Weights], file: str) -> Path:
    """Return a file of weights in a local copy.

    Raises:
        NotInstalledError: It is not there.
    """
    wanted = _place(local, name, weights, others) / file
    path = find_file(wanted)
    if path is None:
        raise NotInstalledError(f"{wanted} is missing from the local copy")
    return path


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
