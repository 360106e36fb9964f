"""Pictures are drawn anew: bounded, upright, without anything the file said besides."""

from __future__ import annotations

import pytest
from PIL import Image, PngImagePlugin

from core.images import MOST_SIDE, Picture, Unfit, redraw
from tests.pictures import bomb, jpg, of_format, png, read

pytestmark = pytest.mark.req("SETTINGS-13", "INV-20")

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("width", "height", "drawn"),
    [(600, 200, (600, 200)), (1200, 200, (600, 100)), (40, 2000, (4, 200)), (9, 9, (9, 9)), (1, 1, (1, 1)), (MOST_SIDE, 1, (600, 1))],
)  # fmt: skip
def test_a_picture_fits_its_frame_and_is_never_made_larger(width, height, drawn):
    for data in (png(width, height), jpg(width, height)):
        picture = redraw(data, 600, 200)
        assert isinstance(picture, Picture)
        assert (picture.width, picture.height) == drawn
        again = read(picture.png)
        assert (again.format, again.size) == ("PNG", drawn)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_kind_of_jpg_is_read(mode):
    assert isinstance(redraw(jpg(mode=mode), 600, 200), Picture)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode, tmp_path):
    Image.new(mode, (20, 10)).save(tmp_path / "x.png")
    picture = redraw((tmp_path / "x.png").read_bytes(), 600, 200)
    assert isinstance(picture, Picture)
    assert read(picture.png).mode == ("RGBA" if "A" in mode else "RGB")


def test_where_it_was_taken_and_what_was_written_in_it_are_dropped():
    exif = Image.Exif()
    exif[0x010E] = "a secret description"
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "a secret comment")
    for data in (
        jpg(exif=exif, comment=b"a secret comment"),
        png(pnginfo=told, exif=exif, icc_profile=b"a secret profile"),
    ):
        assert b"secret" in data
        picture = redraw(data, 600, 200)
        assert isinstance(picture, Picture)
        assert b"secret" not in picture.png
        assert read(picture.png).info == {}


def test_a_picture_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = redraw(jpg(100, 40, exif=exif), 600, 200)
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height) == (40, 100)


@pytest.mark.parametrize(
    "data",
    [b"", b"x", SVG, b"GIF89a", png()[:200], jpg()[:200], b"%PDF-1.7", bomb(100, 100), bomb(0, 5),
     *(of_format(name) for name in ("GIF", "WEBP", "TIFF", "BMP", "PDF"))],
)  # fmt: skip
def test_what_is_no_png_or_jpg_is_unreadable_whatever_its_name(data):
    assert redraw(data, 600, 200) is Unfit.UNREADABLE


@pytest.mark.parametrize(
    ("width", "height"), [(20_000, 20_000), (MOST_SIDE + 1, 1), (9_000, 9_000)]
)
def test_more_pixels_than_a_logo_needs_are_not_even_read(width, height):
    assert redraw(bomb(width, height), 600, 200) is Unfit.TOO_LARGE
