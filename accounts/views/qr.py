"""A QR code as one path of squares, for a page that loads no picture from anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from qrcode import QRCode

QUIET = 4  # squares of empty edge that readers need


@dataclass(frozen=True, slots=True)
class Squares:
    """path: of an SVG whose sides are ``size`` long, one unit a square."""

    size: int
    path: str


def squares(text: str) -> Squares:
    code = QRCode(border=QUIET)
    code.add_data(text)
    matrix = code.get_matrix()
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, on in enumerate(row) if on)
    return Squares(len(matrix), "".join(dark))
