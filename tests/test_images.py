from __future__ import annotations

import errno
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ccsr_bench.errors import BenchError
from ccsr_bench.images import (
    IMAGE_SUFFIXES,
    LOSSLESS_SUFFIXES,
    decode,
    folder_images,
    image_size,
    pixels_sha256,
    read_image,
    write_atomically,
    write_png,
)
from tests.support.bad_images import bad_images, png_of_depth
from tests.support.pictures import picture


def test_written_image_is_read_back(tmp_path: Path) -> None:
    pixels = picture(1)
    write_png(tmp_path / "a.png", pixels)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), pixels)
    assert image_size(tmp_path / "a.png") == (64, 64)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("read", [read_image, image_size])
def test_anything_but_complete_8_bit_rgb_is_refused(tmp_path: Path, read: object) -> None:
    assert callable(read)
    for message, path in bad_images(tmp_path).items():
        with pytest.raises(BenchError, match=message) as error:
            read(path)
        assert str(path) in str(error.value)


def test_corruption_inside_is_found_when_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_png(path, picture(2))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with Image.open(path) as image:
        image.load()  # Pillow alone says nothing
    with pytest.raises(BenchError, match="corrupt"):
        read_image(path)


def test_a_wrong_checksum_of_a_chunk_is_found_when_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_png(path, picture(2, 32))
    data = bytearray(path.read_bytes())
    end = data.index(b"IEND") - 4  # of the pixel data's chunk, whose checksum comes last
    data[end - 1] ^= 0x01
    path.write_bytes(data)
    with pytest.raises(BenchError, match="bad header checksum"):
        read_image(path)


def test_a_transparent_colour_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(picture(2, 32)).save(path, transparency=(1, 2, 3))
    with pytest.raises(BenchError, match="RGB with a transparent colour image; convert it to 8-bit RGB"):
        read_image(path)


def png_with_rows(rows: int, side: int = 8, *, interlaced: bool = False, trailing: bytes = b"") -> bytes:
    """Return an RGB PNG whose header says (side, side) and whose data hold that many rows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, int(interlaced))
    data = zlib.compress(b"".join(b"\0" + bytes(3 * side) for _ in range(rows)))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks + trailing


def test_bytes_after_the_end_of_a_png_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_with_rows(8))
    assert read_image(path).shape == (8, 8, 3)
    path.write_bytes(png_with_rows(8, trailing=b"x" * 500))
    assert read_image(path).shape == (8, 8, 3)
    assert image_size(path) == (8, 8)


@pytest.mark.parametrize("cut", [1, 12, 13, 60, 900])
def test_png_that_was_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.png"
    write_png(path, picture(3))
    path.write_bytes(path.read_bytes()[:-cut])
    for read in (read_image, image_size):
        with pytest.raises(BenchError, match="truncated"):
            read(path)


def test_interlaced_png_is_read() -> None:
    """Adam7 of 8x8 RGB: passes of 1, 1, 2, 4, 8, 16 and 32 pixels in 1, 1, 1, 2, 2, 4 and 4 rows."""
    rows = [(1, 1), (1, 1), (1, 2), (2, 2), (2, 4), (4, 4), (4, 8)]
    body = zlib.compress(b"".join((b"\0" + b"\x40" * (3 * wide)) * tall for tall, wide in rows))
    start = png_with_rows(0, interlaced=True)
    whole = start[:33] + struct.pack(">I", len(body)) + b"IDAT" + body
    whole += struct.pack(">I", zlib.crc32(b"IDAT" + body)) + struct.pack(">I", 0) + b"IEND\xaeB`\x82"
    np.testing.assert_array_equal(decode(whole, "a.png"), np.full((8, 8, 3), 0x40))


def test_content_must_be_what_the_suffix_says(tmp_path: Path) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "a.png", "jpeg")
    for read in (read_image, image_size):
        with pytest.raises(BenchError, match=r"a\.png: its content is JPEG"):
            read(tmp_path / "a.png")


def test_file_name_that_cannot_be_printed(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", picture(0))
    try:
        (tmp_path / "a.png").rename(tmp_path / "x\udcff.png")
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(BenchError, match="rename it"):
        folder_images(tmp_path, LOSSLESS_SUFFIXES)


def test_pillow_alone_would_pass_16_bit_rgb(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png_of_depth(16, 2))
    with Image.open(path) as image:
        assert image.mode == "RGB"  # why the header is read


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"nowhere\.png: no such image"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(BenchError, match="no such folder"):
        folder_images(tmp_path / "nowhere", LOSSLESS_SUFFIXES)


@pytest.mark.parametrize("target", ["folder", "file/inside", "absent/inside"])
def test_file_that_cannot_be_written_is_named(tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="directory") as error:
        write_atomically(tmp_path / target, b"data")
    assert error.value.filename == str(tmp_path / target)
    assert error.value.errno in {errno.EISDIR, errno.ENOTDIR, errno.ENOENT}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"before")
    written: list[bytes] = []

    def fail(self: Path, target: Path) -> Path:
        written.append(self.read_bytes())
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="broken"):
        write_atomically(tmp_path / "file", b"after")
    assert written == [b"after"]  # complete under another name
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"before"}


def test_hidden_files_and_other_types_are_left_out(tmp_path: Path) -> None:
    for name in ("b.png", ".a.png", "a.bmp"):
        Image.fromarray(picture(0)).save(tmp_path / name)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "c.JPG").touch()
    assert folder_images(tmp_path, LOSSLESS_SUFFIXES) == {"a": tmp_path / "a.bmp", "b": tmp_path / "b.png"}
    assert list(folder_images(tmp_path, IMAGE_SUFFIXES)) == ["a", "b", "c"]


def test_two_files_of_one_stem_are_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", picture(0))
    Image.fromarray(picture(0)).save(tmp_path / "a.bmp")
    with pytest.raises(BenchError, match="same stem"):
        folder_images(tmp_path, LOSSLESS_SUFFIXES)


def test_pixel_hash_knows_the_shape() -> None:
    assert pixels_sha256(np.zeros((2, 3, 3), np.uint8)) != pixels_sha256(np.zeros((3, 2, 3), np.uint8))
