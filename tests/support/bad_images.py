"""Images that are refused."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from PIL import Image

from tests.support.pictures import picture


def png_of_depth(depth: int, colour_type: int, side: int = 8) -> bytes:
    """Return a PNG that Pillow itself cannot write, such as 16-bit RGB."""
    channels = {0: 1, 2: 3, 6: 4}[colour_type]
    rows = b"".join(b"\0" + bytes(side * channels * depth // 8) for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def bad_images(folder: Path) -> dict[str, Path]:
    """Write one image of every kind that is refused, and return them by what the error must say."""
    good = Image.fromarray(picture(0, 32))
    files = {
        name: folder / f"{name.split()[0]}.png" for name in ("greyscale", "RGBA", "palette", "16 bits", "truncated")
    }
    good.convert("L").save(files["greyscale"])
    good.convert("RGBA").save(files["RGBA"])
    good.quantize(8).save(files["palette"])
    files["16 bits"].write_bytes(png_of_depth(16, 2))
    good.save(files["truncated"])
    files["truncated"].write_bytes(files["truncated"].read_bytes()[:-200])
    files["empty"] = folder / "empty.png"
    files["empty"].write_bytes(b"")
    files["not a readable"] = folder / "text.png"
    files["not a readable"].write_text("hello")
    return files
