"""What the demo shops tell their buyers: a logo drawn here, and short policies."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image, ImageDraw

POLICIES_BRITISH: Mapping[str, str] = {
    "about": (
        "We make and choose things for the home, in a former sail loft on Falmouth harbour.\n\n"
        "<strong>Everything is packed by the people who made it.</strong>"
    ),
    "returns": (
        "Send items back within 30 days for a refund. Put this slip into the parcel.\n\n"
        "<ul>\n<li>Unused goods: the price and the delivery to you.</li>\n"
        "<li>Arrived broken: send us a photograph; you keep the pieces.</li>\n</ul>"
    ),
    "shipping": "Orders leave within two business days, by Royal Mail or Parcelforce.",
    "gift_services": "We wrap in recycled paper and enclose your message, without prices.",
    "privacy": "We use your address to send your order, and for nothing else.",
    "faq": (
        "<h3>Can the mugs go into a dishwasher?</h3>\n\nYes, and into a microwave.\n\n"
        "<h3>Do you ship abroad?</h3>\n\nNot yet."
    ),
}
POLICIES_JAPANESE: Mapping[str, str] = {
    "about": "札幌の小さな店から、日々の暮らしの道具をお届けします。",
    "returns": "商品到着後 8 日以内にご連絡ください。未使用の商品に限り返品をお受けします。",
    "shipping": "ご入金の確認後、2 営業日以内に発送します。",
    "privacy": "お客様の情報は、ご注文の発送のためにのみ使用します。",
    "faq": "<h3>のし紙は付けられますか</h3>\n\nはい。ご注文時にお知らせください。",
}

_SIDE, _FINE = 200, 4  # pixels; drawn four times as large, so that edges come out smooth


def british_logo() -> bytes:
    """A house by the sea: a gable with a flame in it, over two waves."""
    picture, draw = _canvas()
    draw.ellipse(_at(4, 4, 196, 196), fill="#0f4c5c")
    draw.polygon(_at(100, 36, 152, 84, 152, 122, 48, 122, 48, 84), fill="#f6f1e7")
    draw.ellipse(_at(82, 74, 118, 118), fill="#d9622b")
    draw.polygon(_at(100, 52, 84, 92, 116, 92), fill="#d9622b")
    draw.ellipse(_at(92, 92, 108, 116), fill="#f3b23c")
    for top in (134, 156):
        for left in range(40, 160, 40):
            draw.arc(_at(left, top - 8, left + 20, top + 12), 180, 360, fill="#f6f1e7", width=20)
            draw.arc(_at(left + 20, top - 8, left + 40, top + 12), 0, 180, fill="#f6f1e7", width=20)
    return _png(picture)


def japanese_logo() -> bytes:
    """A red sun behind a mountain with snow on it."""
    picture, draw = _canvas()
    draw.ellipse(_at(56, 20, 144, 108), fill="#c73e3a")
    draw.polygon(_at(100, 52, 186, 176, 14, 176), fill="#223a5e")
    draw.polygon(_at(100, 52, 131, 97, 114, 108, 100, 94, 86, 108, 69, 97), fill="#ffffff")
    return _png(picture)


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    side = _SIDE * _FINE
    picture = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    return picture, ImageDraw.Draw(picture)


def _at(*places: int) -> list[float]:
    return [float(place * _FINE) for place in places]


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()
