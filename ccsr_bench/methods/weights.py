"""Weights of methods: where they are, what they are, and installing them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import filelock
import msgspec

from ccsr_bench.errors import BenchError, NotInstalledError, some
from ccsr_bench.images import write_atomically
from ccsr_bench.methods.manifest import GoogleDrive, HuggingFace, Weights
from ccsr_bench.places import weights_home
from ccsr_bench.prepare import Progress, file_sha256, silent

RECORD = "installed.json"
"""In the folder of installed weights: what each file was when it was verified."""


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
        path = _existing(folder / file)
        known = record.get(file)
        if path is None or known is None:
            raise NotInstalledError(f"no weights {name} in {folder}" if not record else f"{folder / file} is missing")
        status = path.stat()
        unchanged = (status.st_size, status.st_mtime_ns) == (known.size, known.modified_ns)
        sha256 = known.sha256 if unchanged else file_sha256(path)
        if sha256 != (expected or known.sha256):
            raise BenchError(
                f"{path}: wrong sha256: it is not the file that was installed; remove it and prepare again"
            )
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
    place = _named(folder, name, weights)
    if place is None:
        raise NotInstalledError(f"{folder} holds neither '{name}' nor '{weights.folder}'")
    return InstalledWeights(place, _digest({file: file_sha256(_find(place, file)) for file in weights.files}))


def install_weights(name: str, weights: Weights, *, local: Path | None = None, progress: Progress = silent) -> Path:
    """Install weights under `ccsr_bench.places.weights_home` and verify them.

    What is already there and right is kept; every file is either complete or absent; an interrupted download goes on
    where it stopped.

    Args:
        name: Of the folder.
        weights: What to install.
        local: Take the files from this folder instead of the network. It holds a folder of the weights' name, or of
            the authors' name.
        progress: Called after every file.

    Returns:
        The folder they are in.

    Raises:
        BenchError: A file cannot be had, or is not the published one.
    """
    folder = weights_home() / name
    place = None
    if local is not None:
        place = _named(local, name, weights)
        if place is None:
            raise BenchError(f"{local}: holds neither '{name}' nor '{weights.folder}'; give the folder that does")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".lock"):
            for index, file in enumerate(weights.files, start=1):
                _install_file(folder, file, weights, place)
                progress(index, len(weights.files), f"{name}/{file}")
    except OSError as error:
        raise BenchError(f"cannot install {name} in {folder}: {error.strerror or error}") from error
    return folder


def _install_file(folder: Path, file: str, weights: Weights, place: Path | None) -> None:
    record = _read_record(folder)
    expected = weights.files[file] or (record[file].sha256 if file in record else "")
    present = _existing(folder / file)
    if present is not None and expected and file_sha256(present) == expected:
        _add_record(folder, record, file, present, expected)
        return
    target = folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    if place is not None:
        origin = _find(place, file)
        target = target.with_suffix(origin.suffix)
        sha256 = _copy(origin, target, expected)
    else:
        target = _download(file, target, weights, expected)
        sha256 = file_sha256(target)
    _add_record(folder, record, file, target, sha256)


def _copy(origin: Path, target: Path, expected: str) -> str:
    """Copy a file that may be larger than memory; raises `BenchError` where it is not the published one."""
    sha256 = file_sha256(origin)
    if expected and sha256 != expected:
        raise BenchError(
            f"{origin}: wrong sha256: it is not the published file; get it again, "
            f"or run with weights of your own by `run --weights DIR`"
        )
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(origin, partial)
    partial.replace(target)
    return sha256


def _download(file: str, target: Path, weights: Weights, expected: str) -> Path:
    """Download one file from the first source that has it, and return where it is."""
    reasons: list[str] = []
    for source in weights.sources:
        try:
            if isinstance(source, HuggingFace):
                path = _from_hugging_face(source, file, target)
            else:
                path = _from_google_drive(source, file, target, weights.folder)
        except Exception as error:  # each library has its own
            reasons.append(f"{_name(source)} ({type(error).__name__}: {_first_line(error)})")
            continue
        if expected and file_sha256(path) != expected:
            path.unlink()
            reasons.append(f"{_name(source)} (wrong sha256)")
            continue
        return path
    raise BenchError(
        f"cannot download {file}: tried {'; '.join(reasons)}; or get it by hand and run prepare with --from DIR, which "
        f"holds a folder '{weights.folder}'"
    )


def _from_hugging_face(source: HuggingFace, file: str, target: Path) -> Path:
    from huggingface_hub import hf_hub_download

    folder = target.parents[file.count("/")]
    # Goes on with what an interrupted call has left, and checks the size.
    return Path(hf_hub_download(source.repository, file, revision=source.revision, local_dir=folder))


def _from_google_drive(source: GoogleDrive, file: str, target: Path, name: str) -> Path:
    try:
        import gdown
    except ImportError as error:
        raise BenchError("needs `pip install 'ccsr-bench[ccsr]'`") from error

    with contextlib.redirect_stdout(io.StringIO()):
        listed = gdown.download_folder(id=source.folder, skip_download=True, quiet=True, use_cookies=False)
    found = _in_listing({Path(entry.path): entry.id for entry in listed}, file, name)
    target = target.with_suffix(found[0].suffix)
    partial = target.with_name(f"{target.name}.download")
    quiet = not sys.stderr.isatty()
    gdown.download(id=found[1], output=str(partial), quiet=quiet, use_cookies=False, resume=True)
    partial.replace(target)
    return target


def _in_listing(listed: Mapping[Path, str], file: str, name: str) -> tuple[Path, str]:
    """Return the path and the id of a file in a shared folder, which may hold the weights' folder or be it."""
    for wanted in (Path(file), Path(file).with_suffix(".bin")):
        for path in (wanted, name / wanted):
            if path in listed:
                return path, listed[path]
        inside = [path for path in listed if path.parts[-len(wanted.parts) :] == wanted.parts]
        if len(inside) == 1:
            return inside[0], listed[inside[0]]
    raise BenchError(f"the folder holds no {file}: {some(sorted(map(str, listed)))}")


def _name(source: HuggingFace | GoogleDrive) -> str:
    if isinstance(source, HuggingFace):
        return f"Hugging Face {source.repository}"
    return f"https://drive.google.com/drive/folders/{source.folder}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else ""


def _named(folder: Path, name: str, weights: Weights) -> Path | None:
    return next((folder / part for part in (name, weights.folder) if (folder / part).is_dir()), None)


def _find(folder: Path, file: str) -> Path:
    """Return a file of a local folder, which may hold the weights' folder or be it.

    Raises:
        NotInstalledError: It is not there.
    """
    for place in (folder, folder / folder.name):
        path = _existing(place / file)
        if path is not None:
            return path
    raise NotInstalledError(f"{folder / file} is missing")


def _existing(path: Path) -> Path | None:
    """Return a file, or the same as a PyTorch file where it may be either."""
    return next((p for p in (path, path.with_suffix(".bin")) if p.is_file()), None)


def _digest(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{file} {hashes[file]}\n" for file in sorted(hashes)).encode()).hexdigest()


def _read_record(folder: Path) -> dict[str, _FileRecord]:
    try:
        return msgspec.json.decode((folder / RECORD).read_bytes(), type=dict[str, _FileRecord])
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError as error:
        raise BenchError(f"{folder / RECORD}: {error}; remove it and prepare again") from error


def _add_record(folder: Path, record: dict[str, _FileRecord], file: str, path: Path, sha256: str) -> None:
    status = path.stat()
    record[file] = _FileRecord(sha256, status.st_size, status.st_mtime_ns)
    write_atomically(folder / RECORD, msgspec.json.format(msgspec.json.encode(record), indent=1))
