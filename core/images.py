"""Pictures that people send, drawn anew: small, of one format, nothing of the file kept.

``redraw`` runs in a process of its own (``core.bounded``), for a picture of a few bytes can be made
to take minutes or gigabytes; it therefore knows neither settings nor models.
"""

from __future__ import annotations

import enum
import io
from dataclasses import dataclass

from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG")
MOST_SIDE = 4000  # pixels of what is read


class Unfit(enum.Enum):
    """Why a picture is not taken."""

    UNREADABLE = "unreadable"  # another format, or damaged
    TOO_LARGE = "too large"  # more pixels than MOST_SIDE on a side


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG and its size in pixels."""

    png: bytes
    width: int
    height: int


def redraw(data: bytes, width: int, height: int) -> Picture | Unfit:
    """Return a picture as PNG of at most ``width`` by ``height`` pixels, or why it is unfit.

    Only pixels are carried over: no position where it was taken, no comment, no second picture.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if max(image.size) > MOST_SIDE:  # known from its head, before any pixel is read
                return Unfit.TOO_LARGE
            upright = ImageOps.exif_transpose(image)
            drawn = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except Image.DecompressionBombError:
        return Unfit.TOO_LARGE
    except MemoryError:
        raise
    except Exception:  # what readers of damaged files raise is anybody's guess
        return Unfit.UNREADABLE
    drawn.thumbnail((width, height), Image.Resampling.LANCZOS)
    drawn.info.clear()
    out = io.BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return Picture(out.getvalue(), *drawn.size)
