"""Loading data sets, which are pairs of LR and HR images, from a manifest or from two folders of the user."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ccsr_bench import images
from ccsr_bench.datasets.manifest import DatasetManifest, FilesSource, FolderSource, manifest_paths, read_manifest
from ccsr_bench.errors import BenchError, NotInstalledError, some
from ccsr_bench.images import pixels_sha256
from ccsr_bench.install.hashing import file_sha256
from ccsr_bench.install.records import read_record
from ccsr_bench.places import check_name, dataset_home


class Pair(NamedTuple):
    """The LR image and the reference of one sample."""

    lr: np.ndarray
    """(h, w, 3) uint8 RGB."""
    hr: np.ndarray
    """(scale*h, scale*w, 3) uint8 RGB."""

    def pixels_sha256(self) -> str:
        """Return one hash of both images' pixels, which does not depend on the file format."""
        return _joint_sha256([pixels_sha256(self.lr), pixels_sha256(self.hr)])


class Inputs(NamedTuple):
    """Everything that a unit of work reads of one sample."""

    lr: np.ndarray | None
    """(h, w, 3) uint8 RGB; None for a data set without LR images."""
    hr: np.ndarray
    """(H, W, 3) uint8 RGB."""
    files_sha256: str
    """Hash of the files, as `Sample.files_sha256` returns it."""

    def pixels_sha256(self) -> str:
        """Return one hash of the images' pixels; that of `Pair.pixels_sha256` if there is an LR image."""
        return _joint_sha256([pixels_sha256(pixels) for pixels in (self.lr, self.hr) if pixels is not None])


@dataclass(frozen=True)
class Sample:
    """One image of a data set: its files, and their expected hashes."""

    name: str
    lr: Path | None
    hr: Path
    scale: int
    lr_sha256: str | None = None
    hr_sha256: str | None = None

    def read(self) -> Pair:
        """Read and check both images.

        Raises:
            BenchError: A file is missing, damaged or not 8-bit RGB, its hash is wrong, or the sizes do not match.
        """
        inputs = self.read_inputs()
        if inputs.lr is None:
            raise self.lacks_lr()
        return Pair(inputs.lr, inputs.hr)

    def read_inputs(self) -> Inputs:
        """Read and check the images as `read` does; the LR image may be missing from the data set."""
        hr, hr_sha256 = _read_checked(self.hr, self.hr_sha256)
        if self.lr is None:
            return Inputs(None, hr, _joint_sha256([hr_sha256]))
        lr, lr_sha256 = _read_checked(self.lr, self.lr_sha256)
        _check_sizes(self.lr, lr.shape[:2], self.hr, hr.shape[:2], self.scale)
        return Inputs(lr, hr, _joint_sha256([lr_sha256, hr_sha256]))

    def lacks_lr(self) -> BenchError:
        """Return the error for a sample of a data set without LR images."""
        return BenchError(
            f"{self.hr}: this data set has no LR images, so no method can restore them; choose another `dataset`"
        )

    def files_sha256(self) -> str:
        """Return one hash of the files, from the manifest's hashes where it has them and from the files otherwise."""
        known = (self.lr_sha256, self.hr_sha256)
        hashes = [
            sha256 or hashlib.sha256(images.read_bytes(path)).hexdigest()
            for sha256, path in zip(known, (self.lr, self.hr), strict=True)
            if path is not None
        ]
        return _joint_sha256(hashes)

    def read_lr(self) -> np.ndarray:
        """Read and check the LR image, (h, w, 3) uint8 RGB; raises the errors of `read`."""
        if self.lr is None:
            raise self.lacks_lr()
        return _read_checked(self.lr, self.lr_sha256)[0]

    def hr_size(self) -> tuple[int, int]:
        """Return the (height, width) of an output for this image, without reading pixels."""
        return images.image_size(self.hr)


@dataclass(frozen=True)
class Dataset:
    """A data set whose files are on this machine."""

    name: str
    title: str
    scale: int
    samples: tuple[Sample, ...]
    folder: Path | None = None
    """Folder of the installed data set; None for two folders of the user."""
    paper_name: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Known sha256 of the files, by ``folder/file``."""

    def outputs(self, who: str) -> dict[str, Path]:
        """Return the published outputs of a method for this data set, by image name; their hashes are checked.

        Raises:
            NotInstalledError: The outputs are not installed.
            BenchError: An output is missing, or is not the published file.
        """
        if self.folder is None:
            raise BenchError(f"data set '{self.name}' has no published outputs")
        folder = self.folder / "outputs" / who
        if not folder.is_dir():
            raise NotInstalledError(
                f"the published {who} outputs of {self.name} are not installed: "
                f"run `ccsr-bench prepare --dataset {self.name}`"
            )
        files = images.folder_images(folder, images.LOSSLESS_SUFFIXES)
        missing = [sample.name for sample in self.samples if sample.name not in files]
        if missing:
            raise BenchError(
                f"{folder}: {len(missing)} outputs missing, first {missing[0]}; prepare the data set again"
            )
        outputs = {sample.name: files[sample.name] for sample in self.samples}
        for path in outputs.values():
            _check_sha256(path, file_sha256(path), self.hashes.get(f"outputs/{who}/{path.name}"))
        return outputs


def _read_checked(path: Path, sha256: str | None) -> tuple[np.ndarray, str]:
    """Return the pixels of a file and the file's sha256, which must be the one that is given, if one is."""
    data = images.read_bytes(path)
    actual = hashlib.sha256(data).hexdigest()
    _check_sha256(path, actual, sha256)
    return images.decode(data, str(path)), actual


def _check_sha256(path: Path, actual: str, expected: str | None) -> None:
    if expected is not None and actual != expected:
        raise BenchError(
            f"{path}: wrong sha256: the file is not the one that the manifest names; "
            f"restore it, or prepare the data set again"
        )


def _joint_sha256(hashes: Sequence[str]) -> str:
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _check_sizes(lr: Path, lr_size: tuple[int, ...], hr: Path, hr_size: tuple[int, ...], scale: int) -> None:
    expected = tuple(scale * side for side in lr_size)
    if hr_size != expected:
        raise BenchError(
            f"{hr}: {hr_size[1]}x{hr_size[0]} pixels, but {lr.name} is {lr_size[1]}x{lr_size[0]} "
            f"and at scale {scale} its reference must be {expected[1]}x{expected[0]}; replace one of the two"
        )


def _check_all_sizes(pairs: list[tuple[Path, Path]], scale: int) -> None:
    for low, high in pairs:
        _check_sizes(low, images.image_size(low), high, images.image_size(high), scale)


def is_ready(manifest: DatasetManifest) -> bool:
    """Return whether a data set can be used without preparing it; no image is read."""
    if isinstance(manifest.source, FolderSource):
        return True
    try:
        _check_installed(manifest, dataset_home(manifest.name))
    except BenchError:
        return False
    return True


def load_dataset(name: str) -> Dataset:
    """Return an installed data set by its name, or the data set of a manifest by the manifest's path.

    Raises:
        BenchError: There is no such data set, it is not installed, or its files are not pairs of images.
    """
    manifest = read_manifest(name)
    if isinstance(manifest.source, FolderSource):
        path = manifest_paths().get(name, Path(name))
        return _from_folders_beside(path, manifest, manifest.source)
    folder = dataset_home(manifest.name)
    _check_installed(manifest, folder)
    return _from_manifest(manifest, folder, folder / "lr", folder / "hr")


def _from_folders_beside(path: Path, manifest: DatasetManifest, source: FolderSource) -> Dataset:
    root = path.resolve().parent
    folders = {"lr": root / source.lr, "hr": root / source.hr}
    for part, file in ((part, file) for part, files in manifest.files.items() for file in files):
        if not (folders.get(part, root / part) / file).is_file():
            raise BenchError(f"{path}: names a hash for {part}/{file}, which does not exist; correct the manifest")
    _check_all_sizes(_pair_by_stem(folders["lr"], folders["hr"]), manifest.scale)
    return _from_manifest(manifest, root, folders["lr"], folders["hr"])


def _check_installed(manifest: DatasetManifest, folder: Path) -> None:
    expected = [folder / part / file for part in ("lr", "hr") for file in manifest.files.get(part, {})]
    missing = [path for path in expected if not path.is_file()]
    absent = len(missing) == len(expected) if expected else not read_record(folder)
    if missing or absent:
        state = "not prepared" if absent else f"incomplete (no {missing[0]})"
        # `verify` skips a data set that is absent, but must not skip one that is damaged.
        raise (NotInstalledError if absent else BenchError)(
            f"data set '{manifest.name}' is {state}: run `ccsr-bench prepare --dataset {manifest.name}`, "
            f"or `ccsr-bench prepare --dataset {manifest.name} --from DIR` to use a local copy"
        )


def known_hashes(manifest: DatasetManifest, folder: Path) -> dict[str, str]:
    """Return the known sha256 of a data set's files, by ``folder/file``, from the manifest or the installed record."""
    if manifest.files:
        return {f"{part}/{file}": sha256 for part, files in manifest.files.items() for file, sha256 in files.items()}
    if isinstance(manifest.source, FolderSource):
        return {}
    return {file: recorded.sha256 for file, recorded in read_record(folder).items()}


def _from_manifest(manifest: DatasetManifest, folder: Path, lr: Path, hr: Path) -> Dataset:
    hashes = known_hashes(manifest, folder)
    pairs: list[tuple[Path | None, Path]]
    if isinstance(manifest.source, FilesSource) and "lr" not in manifest.files:
        pairs = [(None, hr / file) for file in sorted(manifest.files["hr"])]
    else:
        pairs = list(_pair_by_stem(lr, hr))
    samples = tuple(
        Sample(
            name=high.stem,
            lr=low,
            hr=high,
            scale=manifest.scale,
            lr_sha256=hashes.get(f"lr/{low.name}") if low else None,
            hr_sha256=hashes.get(f"hr/{high.name}"),
        )
        for low, high in pairs
    )
    if manifest.images and len(samples) != manifest.images:
        raise BenchError(
            f"data set '{manifest.name}': {len(samples)} images in {folder}, but its manifest says {manifest.images}: "
            f"remove files that do not belong to it, or prepare it again"
        )
    return Dataset(
        name=manifest.name,
        title=manifest.title,
        scale=manifest.scale,
        samples=samples,
        folder=folder,
        paper_name=manifest.paper_name,
        hashes=hashes,
    )


def _pair_by_stem(lr: Path, hr: Path) -> list[tuple[Path, Path]]:
    lows = images.folder_images(lr, images.IMAGE_SUFFIXES)
    highs = images.folder_images(hr, images.IMAGE_SUFFIXES)
    for here, there, folder in ((lows, highs, hr), (highs, lows, lr)):
        alone = [stem for stem in here if stem not in there]
        if alone:
            raise BenchError(
                f"{folder}: no image for {some(alone)} ({len(alone)} of {len(here)}); LR and HR are paired by file stem"
            )
    if not lows:
        raise BenchError(f"{lr}: holds no PNG, BMP or JPEG image; give another folder")
    return [(lows[stem], highs[stem]) for stem in sorted(lows)]


def from_folders(lr: Path, hr: Path, *, name: str = "custom", scale: int = 4) -> Dataset:
    """Return a data set of two folders, whose images are paired by file stem.

    Raises:
        BenchError: A folder is missing or empty, an image has no counterpart, or the sizes of a pair do not match.
    """
    pairs = _pair_by_stem(lr, hr)
    _check_all_sizes(pairs, scale)
    samples = tuple(Sample(name=high.stem, lr=low, hr=high, scale=scale) for low, high in pairs)
    return Dataset(name=name, title=f"{lr} and {hr}", scale=scale, samples=samples)


def choose_dataset(name: str | None = None, *, lr: Path | None = None, hr: Path | None = None) -> Dataset:
    """Return a data set by its name, by its manifest's path, or from two folders.

    Args:
        name: Name of a data set, or path of a manifest; with folders, the name of the data set that they
            form (``custom`` when None).
        lr: Folder of the user's own LR images.
        hr: Folder of the user's own HR images.

    Raises:
        BenchError: There is no such data set, only one folder is given, or the name belongs to another data set.
    """
    if (lr is None) != (hr is None):
        raise BenchError("`lr` and `hr` go together: give both folders")
    if lr is not None and hr is not None:
        name = name or "custom"
        check_name("dataset", name)
        if name in manifest_paths():
            raise BenchError(f"`dataset` {name} is the name of another data set; give your folders another name")
        return from_folders(lr, hr, name=name)
    if name is None:
        raise BenchError("give `dataset`, or both `lr` and `hr` (`ccsr-bench list datasets` names the data sets)")
    return load_dataset(name)


def choose_samples(dataset: Dataset, *, limit: int | None = None, shard: tuple[int, int] = (0, 1)) -> Sequence[Sample]:
    """Return the requested images of a data set.

    Args:
        dataset: Data set to choose from.
        limit: Number of images from the first on; all when None.
        shard: (I, N) for every N-th image, from the one with index I on.

    Raises:
        BenchError: No image remains, or a number is out of range.
    """
    index, count = shard
    if not 0 <= index < count:
        raise BenchError(f"`shard` is ({index}, {count}): the first number must be 0 or more and below the second")
    if limit is not None and limit < 1:
        raise BenchError(f"`limit` is {limit}: it must be 1 or more")
    samples = dataset.samples[:limit][index::count]
    if not samples:
        raise BenchError(f"`shard` {index}/{count} leaves none of the {len(dataset.samples)} images of {dataset.name}")
    return samples
