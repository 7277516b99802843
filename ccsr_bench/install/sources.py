"""Fetching files of weights: from the Hugging Face Hub, shared Google Drive folders, and releases on the web."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from ccsr_bench.errors import BenchError, some
from ccsr_bench.install.files import file_sha256
from ccsr_bench.methods.manifest import ByHand, GoogleDrive, HuggingFace, Url, Weights, formats

STAGING = ".downloads"
"""In the folder of weights: what is being downloaded."""

_TIMEOUT_SECONDS = 60.0
_RETRIES = 3
_LONGEST_REASON = 300


def download(folder: Path, file: str, weights: Weights, expected: str) -> tuple[Path, str]:
    """Download one file from the first source that has it.

    Args:
        folder: Of the weights.
        file: Which of their files.
        weights: What they are.
        expected: Its sha256; "" where it is not known.

    Returns:
        Where it is, and its sha256.

    Raises:
        BenchError: No source has it.
    """
    reasons: list[str] = []
    for source in weights.sources:
        if isinstance(source, ByHand):
            reasons.append(f"{source.page} (only with a browser)")
            continue
        try:
            if isinstance(source, HuggingFace):
                fetched = _from_hugging_face(source, file, folder / STAGING)
            elif isinstance(source, GoogleDrive):
                fetched = _from_google_drive(source, file, folder / STAGING, weights.folder)
            else:
                fetched = _from_url(source, file, folder / STAGING)
        except Exception as error:  # each library has its own
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            reasons.append(f"{_name(source)} ({reason[:_LONGEST_REASON]})")
            continue
        sha256 = file_sha256(fetched)
        if expected and sha256 != expected:
            fetched.unlink()
            reasons.append(f"{_name(source)} (wrong sha256)")
            continue
        target = (folder / file).with_name(fetched.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        fetched.replace(target)
        return target, sha256
    raise BenchError(
        f"cannot download {file}: tried {'; '.join(reasons)}; or get it by hand and run prepare with --from DIR, which "
        f"holds a folder '{weights.folder}'"
    )


def _from_hugging_face(source: HuggingFace, file: str, staging: Path) -> Path:
    from huggingface_hub import hf_hub_download

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its retries; the reason is in our own line
    # Goes on with what an interrupted call has left, and checks the size.
    return Path(hf_hub_download(source.repository, file, revision=source.revision, local_dir=staging))


def _from_google_drive(source: GoogleDrive, file: str, staging: Path, name: str) -> Path:
    try:
        import gdown
    except ImportError as error:
        raise BenchError("needs `pip install 'ccsr-bench[ccsr]'`") from error

    with contextlib.redirect_stdout(io.StringIO()):
        listed = gdown.download_folder(
            id=source.folder, skip_download=True, quiet=True, use_cookies=False, timeout=_TIMEOUT_SECONDS,
            retries=_RETRIES,
        )  # fmt: skip
    path, file_id = _in_listing({Path(entry.path): entry.id for entry in listed}, file, name)
    target = (staging / file).with_name(path.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    gdown.download(
        id=file_id, output=str(target), quiet=not sys.stderr.isatty(), use_cookies=False, resume=True,
        timeout=_TIMEOUT_SECONDS, retries=_RETRIES,
    )  # fmt: skip
    return target


def _from_url(source: Url, file: str, staging: Path) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    target = staging / file
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=_TIMEOUT_SECONDS)
    # It is there when it is complete; the caller knows its hash.
    pooch.retrieve(f"{source.address}/{file}", None, fname=target.name, path=target.parent, downloader=downloader)
    return target


def _in_listing(listed: Mapping[Path, str], file: str, name: str) -> tuple[Path, str]:
    """Return the path and the id of a file in a shared folder, which may hold the weights' folder or be it."""
    for wanted in formats(Path(file)):
        for path in (wanted, name / wanted):
            if path in listed:
                return path, listed[path]
        inside = [path for path in listed if path.parts[-len(wanted.parts) :] == wanted.parts]
        if len(inside) == 1:
            return inside[0], listed[inside[0]]
    raise BenchError(f"the folder holds no {file}: {some(sorted(map(str, listed)))}")


def _name(source: HuggingFace | GoogleDrive | Url) -> str:
    if isinstance(source, HuggingFace):
        return f"Hugging Face {source.repository}"
    return source.address if isinstance(source, Url) else f"https://drive.google.com/drive/folders/{source.folder}"
