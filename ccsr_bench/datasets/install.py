"""Installing a data set from single files, from an archive, or from a local copy of either."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from ccsr_bench.datasets.manifest import ArchiveSource, DatasetManifest, FilesSource, FolderSource
from ccsr_bench.errors import BenchError
from ccsr_bench.images import IMAGE_SUFFIXES, folder_images, write_atomically
from ccsr_bench.install.files import Progress, copy_file, install_file, installing, silent
from ccsr_bench.install.hashing import file_sha256
from ccsr_bench.install.records import read_record, record_files
from ccsr_bench.install.sources import PublishedFile, fetch
from ccsr_bench.places import dataset_home, home

DOWNLOADS_AT_ONCE = 8
COPIES_AT_ONCE = 2


def prepare_dataset(manifest: DatasetManifest, *, local: Path | None = None, progress: Progress = silent) -> Path:
    """Install a data set under `ccsr_bench.places.home` and verify it.

    Verified files are kept, so the next call resumes an interrupted one; every file is either complete or absent.

    Args:
        manifest: Manifest of the data set.
        local: Folder to take the files from instead of the network. It holds the folders ``lr`` and ``hr``, or the
            names that the source gives them.
        progress: Function that is called after every file.

    Returns:
        The folder of the installed data set.

    Raises:
        BenchError: A file is not available, or is not the one that the manifest names.
    """
    if isinstance(manifest.source, FolderSource):
        raise BenchError(f"data set '{manifest.name}' is already on this machine; there is nothing to prepare")
    folder = dataset_home(manifest.name)
    with installing(manifest.name, folder):
        if isinstance(manifest.source, FilesSource):
            _install_files(manifest, manifest.source, folder, local, progress)
        elif read_record(folder):
            _check_recorded(folder)
        else:
            if local is not None:
                _copy_folders(manifest.source, local, folder, progress)
            else:
                _install_archive(manifest.source, folder, progress)
            _record(manifest, folder)
    return folder


def _install_files(
    manifest: DatasetManifest, source: FilesSource, folder: Path, local: Path | None, progress: Progress
) -> None:
    places = {part: _local_folder(local, [part, source.folders[part]]) if local else None for part in manifest.files}
    for part in ("lr", "hr"):
        if local is not None and part in manifest.files and places[part] is None:
            raise BenchError(f"{local}: holds neither '{part}' nor '{source.folders[part]}'; give the folder that does")
    wanted = [
        (part, PublishedFile(file, source.of_part(part), sha256))
        for part, files in manifest.files.items()
        for file, sha256 in files.items()
        if local is None or places[part] is not None
    ]

    def install(item: tuple[str, PublishedFile]) -> str:
        part, file = item
        place = places[part]
        install_file(
            folder,
            file,
            name=f"{part}/{file.path}",
            local=place / file.path if place is not None else None,
            show_bytes=False,
        )
        return f"{part}/{file.path}"

    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE if local is None else COPIES_AT_ONCE) as pool:
        for index, name in enumerate(pool.map(install, wanted), start=1):
            progress(index, len(wanted), name)


def _local_folder(local: Path, names: Iterable[str]) -> Path | None:
    return next((local / name for name in names if (local / name).is_dir()), None)


def _install_archive(source: ArchiveSource, folder: Path, progress: Progress) -> None:
    archive = fetch(
        PublishedFile(source.file, [source.hub]),
        home() / "downloads" / source.repository,
        otherwise="unpack it by hand and give the folder as `local`",
    )
    try:
        _extract(archive, source, folder, progress)
    except zipfile.BadZipFile as error:
        archive.unlink()
        raise BenchError(f"{archive}: not a complete zip archive ({error}); it was removed, prepare again") from error
    archive.unlink()


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
                raise BenchError(f"{archive}: holds none of {', '.join(candidates)}; give another copy as `local`")
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
        copy_file(path, target)
        progress(index, len(wanted), target.name)


def _installed_images(folder: Path) -> dict[str, Path]:
    """Return the images of an installed data set, by ``folder/file``."""
    return {
        path.relative_to(folder).as_posix(): path
        for part in ("lr", "hr")
        for path in folder_images(folder / part, IMAGE_SUFFIXES).values()
    }


def _record(manifest: DatasetManifest, folder: Path) -> None:
    """Record the hash of every file at the first installation; later, the files must have these hashes."""
    images = _installed_images(folder)
    if manifest.images and len(images) != 2 * manifest.images:
        raise BenchError(
            f"data set '{manifest.name}': {len(images)} images in {folder}, expected {2 * manifest.images}; "
            f"remove the folder and prepare it again"
        )
    record_files(folder, {name: (path, file_sha256(path)) for name, path in images.items()})


def _check_recorded(folder: Path) -> None:
    images = _installed_images(folder)
    for name, recorded in read_record(folder).items():
        if name not in images or file_sha256(images[name]) != recorded.sha256:
            raise BenchError(
                f"{folder / name}: wrong sha256: it is not the file recorded at the first installation; "
                f"remove {folder} and prepare the data set again"
            )
