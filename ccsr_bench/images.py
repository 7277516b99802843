"""Reading and writing images: 8-bit RGB only, and an error instead of a silent conversion."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ccsr_bench.errors import BenchError

LOSSLESS_SUFFIXES = (".png", ".bmp")
"""File types in which a method's outputs are scored; a JPEG would score its own compression."""

IMAGE_SUFFIXES = (*LOSSLESS_SUFFIXES, ".jpg", ".jpeg")
"""File types of a data set's images."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FORMATS = {".png": "PNG", ".bmp": "BMP", ".jpg": "JPEG", ".jpeg": "JPEG"}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The passes of an interlaced PNG: first column, first row, column step, row step."""

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


def _png_chunks(file: BinaryIO, where: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the data, length of the data) of every chunk; raise unless the last one is IEND."""
    start = len(_PNG_SIGNATURE)
    end = file.seek(0, os.SEEK_END)
    while start + 12 <= end:
        file.seek(start)
        head = file.read(8)
        length = int.from_bytes(head[:4], "big")
        if start + 12 + length > end:
            break
        yield head[4:], start + 8, length
        if head[4:] == b"IEND":
            return
        start += 12 + length
    raise BenchError(f"{where}: the PNG is truncated; restore it")


def _check_png_header(file: BinaryIO, where: str) -> None:
    chunks = list(_png_chunks(file, where))
    kind, start, length = chunks[0]
    file.seek(start)
    header = file.read(length)
    # Pillow opens a 16-bit RGB PNG as 8-bit RGB without a word.
    if kind == b"IHDR" and len(header) == 13 and header[8] == 16:
        raise BenchError(f"{where}: 16 bits per channel; convert it to 8-bit RGB")


def _check_png_data(data: bytes, where: str) -> None:
    # Pillow neither compares the checksums of the pixel data nor minds missing rows: both would change pixels silently.
    packed = []
    for kind, start, length in _png_chunks(io.BytesIO(data), where):
        body = data[start - 4 : start + length]
        if zlib.crc32(body) != int.from_bytes(data[start + length : start + length + 4], "big"):
            raise BenchError(f"{where}: the image is corrupt (a PNG checksum is wrong); restore it")
        if kind == b"IHDR":
            width, height, interlaced = (int.from_bytes(body[i:k], "big") for i, k in ((4, 8), (8, 12), (16, 17)))
        elif kind == b"IDAT":
            packed.append(body[4:])
    try:
        size = len(zlib.decompress(b"".join(packed)))
    except zlib.error as error:
        raise BenchError(f"{where}: the image is corrupt ({error}); restore it") from error
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    if size != sum(tall * (1 + 3 * wide) for wide, tall in rows if wide > 0 and tall > 0):
        raise BenchError(f"{where}: the image is truncated (rows are missing); restore it")


def _open(file: BinaryIO, where: str) -> Image.Image:
    signature = file.read(len(_PNG_SIGNATURE))
    if not signature:
        raise BenchError(f"{where}: the file is empty; restore it")
    if signature == _PNG_SIGNATURE:
        _check_png_header(file, where)
    try:
        image = Image.open(file, formats=("PNG", "BMP", "JPEG"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BenchError(f"{where}: not a readable PNG, BMP or JPEG image") from error
    if _FORMATS[Path(where).suffix.lower()] != image.format:
        raise BenchError(f"{where}: a {image.format} file by its content; give it the suffix of what it is")
    if image.mode != "RGB" or "transparency" in image.info:
        name = _MODE_NAMES.get(image.mode, image.mode)
        raise BenchError(f"{where}: {name} image; convert it to 8-bit RGB")
    return image


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
        where: The file's name, for its type and for an error.

    Returns:
        (h, w, 3) uint8 RGB.

    Raises:
        BenchError: The data are truncated, corrupt, or not an 8-bit RGB image.
    """
    image = _open(io.BytesIO(data), where)
    if image.format == "PNG":
        _check_png_data(data, where)
    try:
        return np.asarray(image)
    except (OSError, ValueError, SyntaxError) as error:
        raise BenchError(f"{where}: the image is truncated or corrupt ({error})") from error


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
    """Return the bytes of an output that a ledger holds.

    Args:
        path: The output's file.
        sha256: Of the file as recorded.

    Raises:
        BenchError: The file is missing or was changed.
    """
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BenchError(f"{path}: wrong sha256: it was changed after it was recorded; restore it")
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
        OSError: The disk is full or the file cannot be written; its `filename` is that of the file.
    """
    try:
        _write_and_rename(path, data)
    except OSError as error:  # of the temporary file, whose name would tell the user nothing
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
    """Make a rename outlast a power failure, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def pixels_sha256(pixels: np.ndarray) -> str:
    """Return a hash of the picture itself: its shape and its bytes, whatever file held it."""
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
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or path.name.startswith("."):
            continue
        if not path.name.isprintable():
            raise BenchError(f"{folder}: the file name {path.name!a} cannot be written in a table; rename it")
        if path.stem in found:
            raise BenchError(f"{folder}: {found[path.stem].name} and {path.name} have the same stem; keep one")
        found[path.stem] = path
    return found
