"""Fetching, verifying and installing data sets and metric weights."""

from __future__ import annotations

import functools
import hashlib
import logging
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import filelock
import msgspec

from ccsr_bench.datasets.loading import (
    RECORDED_HASHES,
    ArchiveSource,
    CropsSource,
    DatasetManifest,
    FilesSource,
    FolderSource,
    known_hashes,
)
from ccsr_bench.errors import BenchError
from ccsr_bench.images import IMAGE_SUFFIXES, folder_images, pixels_sha256, write_atomically, write_png
from ccsr_bench.places import dataset_home, home

DOWNLOADS_AT_ONCE = 8

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what was just done)."""


def silent(_done: int, _total: int, _what: str) -> None:
    """Show no progress."""


def prepare_dataset(manifest: DatasetManifest, *, local: Path | None = None, progress: Progress = silent) -> Path:
    """Install a data set under `ccsr_bench.places.home` and verify it.

    What is already there and right is kept, so an interrupted call is resumed by the next one; every file is
    either complete or absent.

    Args:
        manifest: What to install.
        local: Take the files from this folder instead of the network. It holds the folders ``lr`` and ``hr``, or the
            names that the source gives them.
        progress: Called after every file.

    Returns:
        The folder it is in.

    Raises:
        BenchError: A file cannot be had, or is not the one the manifest names.
    """
    if isinstance(manifest.source, FolderSource):
        raise BenchError(f"data set '{manifest.name}' is already on this machine; there is nothing to prepare")
    folder = dataset_home(manifest.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / ".lock"):  # another process may be installing it: wait, then verify
            _install(manifest, manifest.source, folder, local, progress)
    except OSError as error:
        raise BenchError(f"cannot install {manifest.name} in {folder}: {error.strerror or error}") from error
    return folder


def _install(
    manifest: DatasetManifest,
    source: FilesSource | ArchiveSource | CropsSource,
    folder: Path,
    local: Path | None,
    progress: Progress,
) -> None:
    if isinstance(source, FilesSource):
        _install_files(manifest, source, folder, local, progress)
    elif isinstance(source, CropsSource):
        _install_crops(manifest.name, source, folder, progress)
        _record_hashes(manifest, folder)
    elif (folder / RECORDED_HASHES).is_file():
        _check_recorded_hashes(manifest, folder)
    else:
        if local is not None:
            _copy_folders(source, local, folder, progress)
        else:
            _install_archive(source, folder, progress)
        _record_hashes(manifest, folder)


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, reading it in pieces."""
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


def _install_files(
    manifest: DatasetManifest, source: FilesSource, folder: Path, local: Path | None, progress: Progress
) -> None:
    places = {part: _local_folder(local, [part, source.folders[part]]) if local else None for part in manifest.files}
    for part in ("lr", "hr"):
        if local is not None and part in manifest.files and places[part] is None:
            raise BenchError(f"{local}: holds neither '{part}' nor '{source.folders[part]}'; give the folder that does")
    wanted = [
        (part, file, sha256)
        for part, files in manifest.files.items()
        for file, sha256 in files.items()
        if local is None or places[part] is not None
    ]

    def install(item: tuple[str, str, str]) -> str:
        part, file, sha256 = item
        target, place = folder / part / file, places[part]
        if not (target.is_file() and file_sha256(target) == sha256):
            target.parent.mkdir(parents=True, exist_ok=True)
            if place is not None:
                _copy_verified(place / file, target, sha256)
            else:
                _download([f"{address}/{source.folders[part]}/{file}" for address in source.addresses], target, sha256)
        return f"{part}/{file}"

    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE if local is None else 2) as pool:
        _report(pool.map(install, wanted), len(wanted), progress)


def _local_folder(local: Path, names: Iterable[str]) -> Path | None:
    return next((local / name for name in names if (local / name).is_dir()), None)


def _report(done: Iterator[str], total: int, progress: Progress) -> None:
    for index, what in enumerate(done, start=1):
        progress(index, total, what)


def _copy_verified(origin: Path, target: Path, sha256: str) -> None:
    if not origin.is_file():
        raise BenchError(f"{origin}: missing from the local copy")
    data = origin.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BenchError(f"{origin}: wrong sha256: it is not the file that the manifest names; get a fresh copy")
    write_atomically(target, data)


def _download(addresses: list[str], target: Path, sha256: str) -> None:
    """Download one file from the first address that has it; pooch verifies it and moves it into place."""
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    reasons: list[str] = []
    for address in addresses:
        try:
            pooch.retrieve(address, known_hash=f"sha256:{sha256}", fname=target.name, path=target.parent)
            return
        except (requests.RequestException, ValueError) as error:
            reasons.append(f"{address} ({_short_reason(error)})")
    raise BenchError(f"cannot download {target.name}: tried {'; '.join(reasons)}; or put the file in {target.parent}")


def _short_reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    return "wrong sha256" if isinstance(error, ValueError) and "hash" in str(error).lower() else type(error).__name__


def download_file(addresses: list[str], target: Path, sha256: str, *, local: Path | None = None) -> None:
    """Install one file, from the network or from a local folder, and verify it.

    Args:
        addresses: Tried in order.
        target: Where it goes; left alone when it is already there and right.
        sha256: What it must be.
        local: A folder that holds a file of the target's name.

    Raises:
        BenchError: It cannot be had, or is not the file it should be.
    """
    if target.is_file() and file_sha256(target) == sha256:
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if local is not None:
            _copy_verified(local / target.name, target, sha256)
        else:
            _download(addresses, target, sha256)
    except OSError as error:
        raise BenchError(f"cannot install {target}: {error.strerror or error}") from error


def _install_archive(source: ArchiveSource, folder: Path, progress: Progress) -> None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    downloads = home() / "downloads" / source.repository
    try:
        # Resumes what an interrupted call has left, and checks the size.
        archive = hf_hub_download(
            source.repository, source.file, repo_type="dataset", revision=source.revision, local_dir=downloads
        )
    except (HfHubHTTPError, OSError) as error:
        raise BenchError(
            f"cannot download {source.file} of the Hugging Face data set {source.repository} "
            f"({type(error).__name__}); or unpack it by hand and run prepare with --from DIR"
        ) from error
    try:
        _extract(Path(archive), source, folder, progress)
    except zipfile.BadZipFile as error:
        Path(archive).unlink()
        raise BenchError(f"{archive}: not a whole zip archive ({error}); it was removed, prepare again") from error
    Path(archive).unlink()


def _extract(archive: Path, source: ArchiveSource, folder: Path, progress: Progress) -> None:
    with zipfile.ZipFile(archive) as pack:
        members: dict[str, list[zipfile.ZipInfo]] = {}
        for info in pack.infolist():
            if not info.is_dir():
                members.setdefault(str(PurePosixPath(info.filename).parent), []).append(info)
        wanted: list[tuple[str, zipfile.ZipInfo]] = []
        for part, candidates in source.folders.items():
            held = next((name for name in candidates if name in members), None)
            if held is None:
                raise BenchError(f"{archive}: holds none of {', '.join(candidates)}; the archive has changed")
            wanted += [(part, info) for info in members[held]]
        for index, (part, info) in enumerate(wanted, start=1):
            target = folder / part / PurePosixPath(info.filename).name
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, pack.read(info))
            progress(index, len(wanted), target.name)


def _copy_folders(source: ArchiveSource, local: Path, folder: Path, progress: Progress) -> None:
    wanted: list[tuple[Path, Path]] = []
    for part, candidates in source.folders.items():
        names = [part, *(PurePosixPath(candidate).name for candidate in candidates)]
        origin = _local_folder(local, names)
        if origin is None:
            raise BenchError(f"{local}: holds no folder named {' or '.join(names)}; give the folder that does")
        wanted += [(path, folder / part / path.name) for path in sorted(origin.iterdir()) if path.is_file()]
    for index, (path, target) in enumerate(wanted, start=1):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, path.read_bytes())
        progress(index, len(wanted), target.name)


def _install_crops(name: str, source: CropsSource, folder: Path, progress: Progress) -> None:
    from importlib.metadata import version

    import numpy as np
    import skimage
    from PIL import Image

    photographs = Path(skimage.__file__).parent / "data"
    for index, crop in enumerate(source.crops, start=1):
        side = source.hr_size
        with Image.open(photographs / crop.file) as photograph:
            hr = photograph.convert("RGB").crop((crop.left, crop.top, crop.left + side, crop.top + side))
        lr = hr.resize((side // 4, side // 4), Image.Resampling.BICUBIC)
        for part, image, sha256 in (("hr", hr, crop.hr_pixels_sha256), ("lr", lr, crop.lr_pixels_sha256)):
            pixels = np.asarray(image)
            if pixels_sha256(pixels) != sha256:
                raise BenchError(
                    f"data set '{name}': the {part.upper()} crop {crop.name} made here differs from the recorded one "
                    f"(Pillow {version('pillow')}, scikit-image {version('scikit-image')}); "
                    f"install the versions of constraints.txt"
                )
            target = folder / part / f"{crop.name}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_png(target, pixels)
        progress(index, len(source.crops), crop.name)


def _installed_hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for part in ("lr", "hr")
        for path in folder_images(folder / part, IMAGE_SUFFIXES).values()
    }


def _record_hashes(manifest: DatasetManifest, folder: Path) -> None:
    """Record the hash of every file at first use; afterwards they are what the files must be."""
    hashes = _installed_hashes(folder)
    if manifest.images and len(hashes) != 2 * manifest.images:
        raise BenchError(
            f"data set '{manifest.name}': {len(hashes)} images in {folder}, expected {2 * manifest.images}; "
            f"remove the folder and prepare it again"
        )
    write_atomically(folder / RECORDED_HASHES, msgspec.json.format(msgspec.json.encode(hashes), indent=1))


def _check_recorded_hashes(manifest: DatasetManifest, folder: Path) -> None:
    recorded = known_hashes(manifest, folder)
    hashes = _installed_hashes(folder)
    for name, sha256 in recorded.items():
        if hashes.get(name) != sha256:
            raise BenchError(
                f"{folder / name}: wrong sha256: it is not the file recorded at first use; "
                f"remove {folder} and prepare the data set again"
            )
