"""The record of an installed folder: the hash, the size and the time of each file at its installation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from ccsr_bench.errors import BenchError
from ccsr_bench.images import write_atomically
from ccsr_bench.install.hashing import content_sha256

RECORD = "installed.json"
"""File name of the record, in the installed folder."""

OLD_RECORD = "sha256.json"
"""File name of the record of a data set that version 0.1 installed, which holds file -> sha256 only."""


class InstalledFile(msgspec.Struct, frozen=True):
    """The state of a file at its installation."""

    sha256: str
    size: int = -1
    """Size in bytes; -1 where it was not recorded."""
    modified_ns: int = -1
    """Time of the last change in nanoseconds; -1 where it was not recorded."""

    def current_sha256(self, path: Path) -> str:
        """Return the current sha256 of the file, which is hashed only where its size or time of change differs."""
        status = path.stat()
        unchanged = (status.st_size, status.st_mtime_ns) == (self.size, self.modified_ns)
        return self.sha256 if unchanged else content_sha256(path, self.sha256)


def read_record(folder: Path) -> dict[str, InstalledFile]:
    """Return the record of a folder as file -> its state at installation; empty where there is no record.

    Raises:
        BenchError: The record is damaged or cannot be read.
    """
    for name in (RECORD, OLD_RECORD):
        path = folder / name
        try:
            if name == RECORD:
                return msgspec.json.decode(path.read_bytes(), type=dict[str, InstalledFile])
            hashes = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
            return {file: InstalledFile(sha256) for file, sha256 in hashes.items()}
        except FileNotFoundError:
            continue
        except OSError as error:
            raise BenchError(
                f"{path}: cannot be read ({error.strerror}); make it readable, or set CCSR_BENCH_HOME"
            ) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BenchError(f"{path}: damaged; remove it and prepare again ({error})") from error
    return {}


def record_files(folder: Path, hashes: Mapping[str, tuple[Path, str]]) -> None:
    """Add installed files to a folder's record.

    Args:
        folder: Installed folder.
        hashes: Name of a file in the manifest -> its path, which may have another suffix, and its sha256.
    """
    record = read_record(folder)
    for file, (path, sha256) in hashes.items():
        status = path.stat()
        record[file] = InstalledFile(sha256, status.st_size, status.st_mtime_ns)
    write_atomically(folder / RECORD, msgspec.json.format(msgspec.json.encode(record), indent=1))
