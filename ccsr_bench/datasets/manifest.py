"""A data set's manifest: the sources of its images, and their expected hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from ccsr_bench.errors import BenchError, unknown_name
from ccsr_bench.install.sources import HuggingFace, Url
from ccsr_bench.manifests import FileName, Name, Part, Sha256, read_toml
from ccsr_bench.places import shipped


class FilesSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="files", tag_field="kind"):
    """Single files on a web server."""

    addresses: list[str]
    """Addresses to try, in this order; ``{address}/{folder}/{file}`` is one image."""
    folders: dict[Part, str]
    """Our folder (``lr``, ``hr``, ``outputs/osediff``) -> the folder's name at the source."""

    def of_part(self, part: str) -> list[Url]:
        """Return the sources of the images of one of our folders."""
        return [Url(f"{address}/{self.folders[part]}") for address in self.addresses]


class ArchiveSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="archive", tag_field="kind"):
    """A zip archive in a Hugging Face data set repository."""

    repository: str
    revision: str
    file: str
    folders: dict[Part, list[str]]
    """Our folder -> the folders of the archive that may hold it; the first that exists is taken."""

    @property
    def hub(self) -> HuggingFace:
        """The repository that holds the archive."""
        return HuggingFace(self.repository, self.revision, "dataset")


class FolderSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="folder", tag_field="kind"):
    """Folders that are already on this machine, relative to the manifest."""

    lr: str
    hr: str


class DatasetManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A data set's TOML file."""

    name: Name
    title: str
    citation: str
    licence: str
    scale: Annotated[int, msgspec.Meta(ge=1)]
    source: FilesSource | ArchiveSource | FolderSource
    homepage: str = ""
    images: int = 0
    """Number of images; 0 where the manifest does not say."""
    paper_name: str = ""
    """Name of the data set in the CCSR paper's tables."""
    files: dict[Part, dict[FileName, Sha256]] = {}
    """Folder -> file -> sha256, where they are known."""


def manifest_paths() -> dict[str, Path]:
    """Return the manifests that ship with ccsr-bench, by data set name."""
    return {path.stem: path for path in sorted(shipped("datasets").glob("*.toml"))}


def read_manifest(name: str) -> DatasetManifest:
    """Read a data set's manifest.

    Args:
        name: Name of a data set that ships with ccsr-bench, or path of a ``.toml`` file.

    Raises:
        BenchError: There is no such data set, or its manifest is wrong.
    """
    known = manifest_paths()
    if name.endswith(".toml"):
        manifest = read_toml(Path(name), DatasetManifest)
        if manifest.name in known:
            raise BenchError(
                f"{name}: '{manifest.name}' is a data set that ships with ccsr-bench; give yours another name"
            )
        return manifest
    if name not in known:
        raise unknown_name("data set", name, known, hint="or give `lr` and `hr`, or the path of a manifest")
    return read_toml(known[name], DatasetManifest)
