"""Reading TOML manifests into typed records, with errors that name the file and the field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from ccsr_bench.errors import BenchError

T = TypeVar("T")

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z")]
"""A name that is also used as the name of a folder."""

FileName = Annotated[str, msgspec.Meta(pattern=r"^[^/\\]*[^/\\.][^/\\]*\Z")]
"""The name of a file, without a folder."""

Part = Annotated[str, msgspec.Meta(pattern=r"^(lr|hr|outputs/[A-Za-z0-9][A-Za-z0-9._-]*)\Z")]
"""A folder in a data set: its LR images, its HR images, or outputs that are published with it."""

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


def read_toml(path: Path, kind: type[T]) -> T:
    """Read a TOML file into a record.

    Args:
        path: The manifest to read.
        kind: The `msgspec.Struct` that declares the fields.

    Raises:
        BenchError: The file is missing, is not TOML, or a field is unknown, missing or of the wrong type.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise BenchError(f"{path}: no such manifest") from None
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror})") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BenchError(f"{path}: {error}; correct the manifest") from error
