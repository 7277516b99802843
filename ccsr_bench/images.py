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
_PNG_END = b"IEND\xaeB`\x82"
_HEAD = 33
"""Bytes up to the end of a PNG's first chunk, which holds the size and the bit depth."""

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


def _check_png(head: bytes, tail: bytes, where: str) -> None:
    if len(head) < _HEAD or _PNG_END not in tail:
        raise BenchError(f"{where}: the PNG is truncated; restore it")
    # Pillow opens a 16-bit RGB PNG as 8-bit RGB without a word, so the header is read here.
    if head[24] == 16:
        raise BenchError(f"{where}: 16 bits per channel; convert it to 8-bit RGB")


def _check_chunks(data: bytes, where: str) -> None:
    # Pillow does not compare the checksums of the pixel data: a flipped bit would change pixels without a word.
    start = len(_PNG_SIGNATURE)
    while start < len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        body, end = start + 4, start + 8 + length
        if zlib.crc32(data[body:end]) != int.from_bytes(data[end : end + 4], "big"):
            raise BenchError(f"{where}: the image is corrupt (a PNG checksum is wrong); restore it")
        if data[body : body + 4] == b"IEND":
            return
        start = end + 4


def _open(file: BinaryIO, where: str) -> Image.Image:
    head = file.read(_HEAD)
    if not head:
        raise BenchError(f"{where}: the file is empty; restore it")
    if head.startswith(_PNG_SIGNATURE):
        file.seek(max(-64, -file.seek(0, os.SEEK_END)), os.SEEK_END)
        _check_png(head, file.read(), where)
    try:
        image = Image.open(file, formats=("PNG", "BMP", "JPEG"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BenchError(f"{where}: not a readable PNG, BMP or JPEG image") from error
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
        where: What to call the image in an error.

    Returns:
        (h, w, 3) uint8 RGB.

    Raises:
        BenchError: The data are truncated, corrupt, or not an 8-bit RGB image.
    """
    image = _open(io.BytesIO(data), where)
    if data.startswith(_PNG_SIGNATURE):
        _check_chunks(data, where)
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
        OSError: The disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
        if path.stem in found:
            raise BenchError(f"{folder}: {found[path.stem].name} and {path.name} have the same stem; keep one")
        found[path.stem] = path
    return found
