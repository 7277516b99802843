"""Reading and writing images. Only 8-bit RGB is accepted; other images are an error and are not converted."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ccsr_bench.errors import BenchError, first_line

LOSSLESS_SUFFIXES = (".png", ".bmp")
"""File types in which a method's outputs are scored; the score of a JPEG would include its compression."""

IMAGE_SUFFIXES = (*LOSSLESS_SUFFIXES, ".jpg", ".jpeg")
"""File types of a data set's images."""

_PNG_HEADER = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
"""First bytes of every PNG; the width and the height (4 bytes each) and the bits per channel (1 byte) follow."""
_PNG_DEPTH = len(_PNG_HEADER) + 8
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_FORMATS = {".png": "PNG", ".bmp": "BMP", ".jpg": "JPEG", ".jpeg": "JPEG"}
_MODE_NAMES = {
    "1": "black and white",
    "L": "greyscale",
    "LA": "greyscale with alpha",
    "P": "palette",
    "RGB": "RGB with a transparent colour",
    "RGBA": "RGBA",
    "I": "32-bit greyscale",
    "I;16": "16-bit greyscale",
    "CMYK": "CMYK",
}


def _open(file: BinaryIO, where: str) -> Image.Image:
    head = file.read(_PNG_DEPTH + 1)
    if not head:
        raise BenchError(f"{where}: the file is empty; restore it")
    # Pillow opens a 16-bit RGB PNG as 8-bit RGB without an error.
    if head.startswith(_PNG_HEADER) and head[_PNG_DEPTH:] == b"\x10":
        raise BenchError(f"{where}: 16 bits per channel; convert it to 8-bit RGB")
    try:
        image = Image.open(file, formats=("PNG", "BMP", "JPEG"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BenchError(f"{where}: not a readable PNG, BMP or JPEG image") from error
    if _FORMATS[Path(where).suffix.lower()] != image.format:
        raise BenchError(f"{where}: its content is {image.format}; rename the file to the suffix of its content")
    if image.mode != "RGB" or "transparency" in image.info:
        name = _MODE_NAMES.get(image.mode, image.mode)
        raise BenchError(f"{where}: {name} image; convert it to 8-bit RGB")
    if image.format == "PNG":
        _check_end(file, where)
    return image


def _check_end(file: BinaryIO, where: str) -> None:
    """Raise a `BenchError` where a PNG's last chunk is missing; the whole file is read only if it does not end so."""
    file.seek(-len(_PNG_END), os.SEEK_END)
    if file.read() == _PNG_END:
        return
    file.seek(0)
    if _PNG_END not in file.read():  # some programs write more bytes after it
        raise BenchError(f"{where}: the PNG is truncated; restore it")


def _check_sums(file: BinaryIO, where: str) -> None:
    """Raise a `BenchError` where a PNG's checksums are wrong, which Pillow does not check when it decodes."""
    try:
        with Image.open(file, formats=("PNG",)) as image:
            image.verify()
    except Exception as error:  # damaged files raise many types of errors
        raise BenchError(f"{where}: the image is corrupt ({first_line(error)}); restore it") from error


def image_size(path: Path) -> tuple[int, int]:
    """Return (height, width) after checking that the file is a complete 8-bit RGB image; no pixel is decoded.

    Raises:
        BenchError: The file is missing, truncated, or not an 8-bit RGB image.
    """
    with _reading(path), path.open("rb") as file:
        width, height = _open(file, str(path)).size
    return height, width


def decode(data: bytes, where: str) -> np.ndarray:
    """Decode an encoded image.

    Args:
        data: The bytes of a PNG, BMP or JPEG file.
        where: Name of the file, which gives its type and is named in errors.

    Returns:
        The pixels, (h, w, 3) uint8 RGB.

    Raises:
        BenchError: The data are truncated, corrupt, or not an 8-bit RGB image.
    """
    image = _open(io.BytesIO(data), where)
    if image.format == "PNG":
        _check_sums(io.BytesIO(data), where)
    try:
        return np.asarray(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise BenchError(f"{where}: the image is truncated or corrupt ({error}); restore it") from error


def read_image(path: Path) -> np.ndarray:
    """Read an image file as (h, w, 3) uint8 RGB.

    Raises:
        BenchError: The file is missing, truncated, or not an 8-bit RGB image.
    """
    return decode(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        BenchError: The file is missing or cannot be read.
    """
    with _reading(path):
        return path.read_bytes()


def read_recorded(path: Path, sha256: str) -> bytes:
    """Return the bytes of an output that a ledger records.

    Args:
        path: File of the output.
        sha256: Recorded sha256 of the file.

    Raises:
        BenchError: The file is missing or was changed.
    """
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BenchError(f"{path}: wrong sha256: the file was changed after it was recorded; restore it")
    return data


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise BenchError(f"{path}: no such image") from None
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror or error})") from error


def write_png(path: Path, pixels: np.ndarray) -> str:
    """Write (h, w, 3) uint8 RGB as a PNG, under a temporary name that is then renamed.

    Returns:
        The sha256 of the file.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    data = buffer.getvalue()
    write_atomically(path, data)
    return hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is either complete or absent, even if the machine stops.

    Raises:
        OSError: The disk is full or the file cannot be written; `filename` of the error is the file.
    """
    try:
        _write_and_rename(path, data)
    except OSError as error:  # replaces the name of the temporary file, which means nothing to the user
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write_and_rename(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable in a power failure, on systems that support it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def pixels_sha256(pixels: np.ndarray) -> str:
    """Return a hash of the pixels and their shape, which does not depend on the file format."""
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def folder_images(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Return a folder's images by file stem, in name order; hidden files are left out.

    Raises:
        BenchError: The folder does not exist, or two of its images have the same stem.
    """
    if not folder.is_dir():
        raise BenchError(f"{folder}: no such folder")
    by_stem: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        if not path.name.isprintable():
            raise BenchError(f"{folder}: the file name {path.name!a} cannot be written in a table; rename it")
        if path.stem in by_stem:
            raise BenchError(f"{folder}: {by_stem[path.stem].name} and {path.name} have the same stem; keep one")
        by_stem[path.stem] = path
    return by_stem
