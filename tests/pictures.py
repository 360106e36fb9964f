"""Pictures as people send them, and worse."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image


def png(width: int = 300, height: int = 100, colour: str = "#0f4c5c", **options: Any) -> bytes:
    return _saved(Image.new("RGB", (width, height), colour), "PNG", **options)


def jpg(width: int = 300, height: int = 100, mode: str = "RGB", **options: Any) -> bytes:
    return _saved(Image.new(mode, (width, height)), "JPEG", **options)


def of_format(name: str) -> bytes:
    return _saved(Image.new("RGB", (30, 30)), name)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes whose head promises so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND")


def read(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _saved(image: Image.Image, name: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()
