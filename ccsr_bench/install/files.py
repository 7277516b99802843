"""Installing one file: it is copied or downloaded, verified and moved into place, unless it is installed already."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from ccsr_bench.errors import BenchError
from ccsr_bench.install.hashing import TENSORS, content_sha256
from ccsr_bench.install.sources import PublishedFile, fetch
from ccsr_bench.weights.formats import find_file

_STAGING = ".downloads"
"""Name of the folder for incomplete downloads, in the folder that is being installed."""

Progress = Callable[[int, int, str], None]
"""Function that is called with (number done, total number, name of the last)."""


def silent(_done: int, _total: int, _what: str) -> None:
    """Show no progress."""


@contextlib.contextmanager
def installing(what: str, folder: Path) -> Iterator[None]:
    """Make a folder, and lock it against other processes while something is installed in it.

    Args:
        what: Name of the installed thing, for errors.
        folder: Folder to install in.

    Raises:
        BenchError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(
            folder / ".lock"
        ):  # another process may be installing the same files: wait, then verify them
            yield
            shutil.rmtree(folder / _STAGING, ignore_errors=True)
    except OSError as error:
        raise BenchError(
            f"cannot install {what} in {folder}: {error.strerror or error}; make room there, or set CCSR_BENCH_HOME"
        ) from error


def install_file(
    folder: Path, file: PublishedFile, *, name: str = "", local: Path | None = None, show_bytes: bool = True
) -> Path:
    """Install one file of known sha256.

    Args:
        folder: Folder to install in.
        file: File to install.
        name: Path in the folder; the file's path at its sources when empty.
        local: Local copy to install instead of a download.
        show_bytes: Whether a bar shows the bytes of a download on a terminal.

    Returns:
        The installed file.

    Raises:
        BenchError: No source has the file, or it is not the published one.
    """
    target = folder / (name or file.path)
    for path, sha256 in ((target, file.sha256), (target.with_suffix(".safetensors"), file.converted)):
        installed = find_verified(path, sha256)
        if installed is not None:
            return installed
    if local is not None:
        converted = local.name != Path(file.path).name
        return copy_file(local, target.with_name(local.name), file.converted if converted else file.sha256)
    return download_file(folder, target, file, otherwise=f"put the file in {target.parent}", show_bytes=show_bytes)


def find_verified(target: Path, sha256: str) -> Path | None:
    """Return the installed file, in any accepted format, if it has the sha256; otherwise None."""
    file = find_file(target)
    return file if file is not None and sha256 and content_sha256(file, sha256) == sha256 else None


def copy_file(origin: Path, target: Path, sha256: str = "", *, otherwise: str = "") -> Path:
    """Copy a file, which may be larger than memory, and verify the copy.

    Args:
        origin: File to copy.
        target: Place of the copy.
        sha256: Expected sha256 of the file or, after ``tensors:``, of its tensors; empty where it is not known.
        otherwise: Advice for the user where the file is not the expected one.

    Returns:
        The copy.

    Raises:
        BenchError: The file is missing, or is not the expected one.
    """
    if not origin.is_file():
        raise BenchError(f"{origin}: missing from the local copy; complete it, or give another `local`")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    digest = hashlib.sha256()
    with origin.open("rb") as source, partial.open("wb") as copy:
        while piece := source.read(1 << 22):
            digest.update(piece)
            copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
    copied = content_sha256(origin, sha256) if sha256.startswith(TENSORS) else digest.hexdigest()
    if sha256 and copied != sha256:
        partial.unlink()
        advice = f"download it again{f', or {otherwise}' if otherwise else ''}"
        raise BenchError(f"{origin}: wrong sha256: it is not the published file; {advice}")
    return partial.replace(target)


def download_file(folder: Path, target: Path, file: PublishedFile, *, otherwise: str, show_bytes: bool = True) -> Path:
    """Download a file, verify it and move it into its place.

    Args:
        folder: Folder that is being installed.
        target: Place of the file, in that folder.
        file: File to download.
        otherwise: Advice for the user where no source has the file.
        show_bytes: Whether a bar shows the bytes of the download on a terminal.

    Returns:
        The installed file, which has another name than the target where it has another accepted format.

    Raises:
        BenchError: No source has the file.
    """
    # Files of one name from several folders must not overwrite each other.
    staging = folder / _STAGING / target.relative_to(folder).as_posix().removesuffix(file.path)
    fetched = fetch(file, staging, otherwise=otherwise, show_bytes=show_bytes)
    target.parent.mkdir(parents=True, exist_ok=True)
    return fetched.replace(target.with_name(fetched.name))
