"""Sources of published files: the Hugging Face Hub, Google Drive, the web, packages, or a download by hand.

Each kind of source is a class, below or in `packages`. A manifest names it by its `kind`; it downloads its files.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from ccsr_bench.errors import BenchError, some
from ccsr_bench.install.hashing import TENSORS, content_sha256
from ccsr_bench.install.packages import Package
from ccsr_bench.weights.formats import accepted_names

_TIMEOUT_SECONDS = 60.0
_RETRIES = 3
_LONGEST_REASON = 300


@dataclass(frozen=True)
class PublishedFile:
    """One file that can be downloaded."""

    path: str
    """Path below each source."""
    sources: Sequence[Source]
    """Places to try, in this order."""
    sha256: str = ""
    """Expected sha256 of the file or, after ``tensors:``, of its tensors; empty where it is not known."""
    folder: str = ""
    """The authors' name of the folder that holds the file; a shared folder may contain that folder."""
    converted: str = ""
    """Expected hash of the tensors, after ``tensors:``, in a file that a source converts; empty if none does."""
    size: int = 0
    """Size in bytes; 0 where it is not known."""

    def described(self, target: Path) -> str:
        """Return one line for a person who gets the file by hand: what it is, its place and its addresses.

        Args:
            target: Path at which it is installed.
        """
        digits = self.sha256.removeprefix(TENSORS)
        what = "sha256 of its tensors" if self.sha256.startswith(TENSORS) else "sha256"
        facts = [f"{self.size:,} bytes"] if self.size else []
        facts.append(f"{what} {digits}" if digits else "its hash is not published")
        addresses = " or ".join(source.locate(self.path) for source in self.sources)
        return f"{self.path} ({', '.join(facts)}): goes to {target.parent}, from {addresses}"

    def is_right(self, path: Path) -> bool:
        """Return whether a file is the expected one, or was converted from it."""
        expected = [sha256 for sha256 in (self.sha256, self.converted) if sha256]
        return not expected or any(content_sha256(path, sha256) == sha256 for sha256 in expected)


class HuggingFace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="hugging-face", tag_field="kind"):
    """A repository on the Hugging Face Hub."""

    repository: str
    revision: str = "main"
    type: Literal["model", "dataset"] = "model"

    def __str__(self) -> str:
        return f"Hugging Face {self.repository}"

    def locate(self, path: str) -> str:
        """Return the address of a file, for a browser."""
        kind = "datasets/" if self.type == "dataset" else ""
        return f"https://huggingface.co/{kind}{self.repository}/resolve/{self.revision}/{path}"

    def fetch(self, file: PublishedFile, staging: Path, *, show_bytes: bool) -> Path:
        """Download a file; an interrupted download is resumed. See `fetch`."""
        # huggingface_hub takes half a second to import.
        from huggingface_hub import hf_hub_download
        from huggingface_hub.utils.tqdm import disable_progress_bars

        logging.getLogger("huggingface_hub").setLevel(
            logging.ERROR
        )  # hides its retries; our own error gives the reason
        if not show_bytes:
            disable_progress_bars()
        return Path(
            hf_hub_download(self.repository, file.path, repo_type=self.type, revision=self.revision, local_dir=staging)
        )


class GoogleDrive(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="google-drive", tag_field="kind"):
    """A shared folder on Google Drive."""

    folder: str
    """Identifier of the folder."""

    def __str__(self) -> str:
        return f"https://drive.google.com/drive/folders/{self.folder}"

    def locate(self, path: str) -> str:  # noqa: ARG002 (files on Google Drive have no address that tells their name)
        """Return the address of the shared folder that holds a file, for a browser."""
        return str(self)

    def fetch(self, file: PublishedFile, staging: Path, *, show_bytes: bool) -> Path:
        """Download a file after looking it up in the shared folder. See `fetch`."""
        try:
            import gdown
        except ImportError as error:
            raise BenchError("needs `pip install 'ccsr-bench[ccsr]'`") from error

        with contextlib.redirect_stdout(io.StringIO()):
            listed = gdown.download_folder(
                id=self.folder,
                skip_download=True,
                quiet=True,
                use_cookies=False,
                timeout=_TIMEOUT_SECONDS,
                retries=_RETRIES,
            )
        path, file_id = _in_listing({Path(item.path): item.id for item in listed}, file)
        target = (staging / file.path).with_name(path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        gdown.download(
            id=file_id,
            output=str(target),
            quiet=not show_bytes,
            use_cookies=False,
            resume=True,
            timeout=_TIMEOUT_SECONDS,
            retries=_RETRIES,
        )
        return target


class Url(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="url", tag_field="kind"):
    """A folder on the web, such as a release on GitHub."""

    address: Annotated[str, msgspec.Meta(pattern=r"^https://[^\s?#]+[^\s?#/]\Z")]
    """Address of the folder, to which a slash and the file's path are added."""

    def __str__(self) -> str:
        return self.address

    def locate(self, path: str) -> str:
        """Return the address of a file, for a browser."""
        return f"{self.address}/{path}"

    def fetch(self, file: PublishedFile, staging: Path, *, show_bytes: bool) -> Path:
        """Download a file, unless the staging folder has it completely. See `fetch`."""
        import pooch  # takes a third of a second to import

        pooch.get_logger().setLevel(logging.ERROR)
        target = staging / file.path
        downloader = pooch.HTTPDownloader(progressbar=show_bytes, timeout=_TIMEOUT_SECONDS)
        pooch.retrieve(
            f"{self.address}/{file.path}", None, fname=target.name, path=target.parent, downloader=downloader
        )
        return target


class ByHand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="by-hand", tag_field="kind"):
    """A page that needs a browser; `prepare` installs the downloaded file from a local folder."""

    page: str

    def __str__(self) -> str:
        return self.page

    def locate(self, path: str) -> str:  # noqa: ARG002 (the page says which of its links is the file)
        """Return the address of the page, for a browser."""
        return self.page


Source = HuggingFace | GoogleDrive | Url | Package | ByHand


def fetch(file: PublishedFile, staging: Path, *, otherwise: str, show_bytes: bool = True) -> Path:
    """Download a file from the first source that has it, and verify it.

    Args:
        file: File to download.
        staging: Folder for downloads, where an interrupted download is kept.
        otherwise: Advice for the user where no source has the file.
        show_bytes: Whether a bar shows the bytes of the download on a terminal.

    Returns:
        The downloaded file, which has another name where it has another accepted format.

    Raises:
        BenchError: No source has the file; the message gives the reason for every source.
    """
    reasons: list[str] = []
    for source in file.sources:
        if isinstance(source, ByHand):
            reasons.append(f"{source} (only with a browser)")
            continue
        try:
            fetched = source.fetch(file, staging, show_bytes=show_bytes and sys.stderr.isatty())
        except Exception as error:  # each library has its own types of errors
            reasons.append(f"{source} ({_reason(error)})")
            continue
        if file.is_right(fetched):
            return fetched
        fetched.unlink()
        reasons.append(f"{source} (wrong sha256)")
    size = f" ({file.size:,} bytes)" if file.size else ""
    raise BenchError(f"cannot download {file.path}{size}: tried {'; '.join(reasons)}; or {otherwise}")


def _reason(error: Exception) -> str:
    if isinstance(error, BenchError):
        return str(error)
    import requests  # takes a tenth of a second to import

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.ConnectionError):  # its text is not readable
        return type(error).__name__
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]


def _in_listing(listed: Mapping[Path, str], file: PublishedFile) -> tuple[Path, str]:
    """Return the path and the identifier of a file in a shared folder, which is the authors' folder or contains it."""
    for wanted in accepted_names(Path(file.path)):
        for path in (wanted, file.folder / wanted):
            if path in listed:
                return path, listed[path]
        inside = [path for path in listed if path.parts[-len(wanted.parts) :] == wanted.parts]
        if len(inside) == 1:
            return inside[0], listed[inside[0]]
    raise BenchError(f"the folder holds no {file.path}: {some(sorted(map(str, listed)))}")
