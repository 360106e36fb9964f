"""What a line of text may hold."""

from __future__ import annotations

import pytest

from core.text import initials, is_blank, is_plain, is_straight


@pytest.mark.req("IMPL-25", "INV-20")
@pytest.mark.parametrize(
    ("text", "plain", "straight"),
    [
        ("Harbour & Hearth, 日本語 🙂", True, True),
        ('it\'s "quoted" = 1+1', True, True),
        ("a\nb", False, False),
        ("a\x00b", False, False),
        ("a\u0085b", False, False),
        ("a\ud800b", False, False),
        ("<b>", True, False),
        ("a\u202eb", True, False),
        ("a\u2066b", True, False),
        ("a\u2028b", True, False),
        ("👩\u200d🚀", True, True),
    ],
)
def test_lines(text, plain, straight):
    assert (is_plain(text), is_straight(text)) == (plain, straight)


@pytest.mark.req("IMPL-25")
@pytest.mark.parametrize(
    ("text", "blank"),
    [("", True), (" \t", True), ("\u00a0\u3000\u200b\ufeff", True), ("0", False), (" x ", False)],
)
def test_blanks(text, blank):
    assert is_blank(text) == blank


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Harbour & Hearth", "HH"), ("北の暮らし", "北の"), ("maya", "MA"), ("", ""), ("x", "X")],
)
def test_initials(name, letters):
    assert initials(name) == letters
