"""Limited mark-up: what is shown of what somebody wrote for others."""

from __future__ import annotations

import pytest

from core import markup

pytestmark = [pytest.mark.req("SETTINGS-13", "INV-20")]

LINK = '<a href="{}" rel="nofollow noopener noreferrer">'


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Harbour & Hearth", "<p>Harbour &amp; Hearth</p>"),
        ("One\nline\r\n\r\nTwo", "<p>One<br>line</p><p>Two</p>"),
        ("1 < 2", "<p>1 &lt; 2</p>"),
        ("<ul>\n<li>a</li>\n\n<li>b</li>\n</ul>", "<ul>\n<li>a</li><li>b</li>\n</ul>"),
        ("<h3>Why?</h3>\n\nSo.", "<h3>Why?</h3><p>So.</p>"),
        ("<b>never closed", "<p><b>never closed</b></p>"),
        ("  \n\n ", ""),
        ('<a href="https://x.example/?a=1&b=2">x</a>',
         "<p>" + LINK.format("https://x.example/?a=1&amp;b=2") + "x</a></p>"),
        ('<a href="mailto:jo@x.example">x</a>', "<p>" + LINK.format("mailto:jo@x.example") + "x</a></p>"),
    ],
)  # fmt: skip
def test_plain_text_and_the_few_tags_are_shown(typed, shown):
    assert markup.as_html(typed) == shown


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<ScRiPt>alert(1)</sCrIpT>",
        "<style>*{display:none}</style>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext></p><img src=x onerror=alert(1)>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<p onclick=alert(1) style='position:fixed' class=btn id=main>",
        "<form action=/logout/><button>x</button></form>",
        '<base href="https://evil.example/"><meta http-equiv=refresh content=0>',
        '<link rel=attachment href="file:///etc/passwd">',
    ],
)
def test_everything_else_is_taken_out(hostile):
    shown = markup.as_html(f"before {hostile} after")
    for left in ("alert", "=", "<i", "<s", "<f", "<m", "<base", "<link", "display"):
        assert left not in shown, (left, shown)
    assert "before" in shown


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", " java\tscript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x",
     "vbscript:x", "/settings/account/", "//evil.example/", "?x", "#main", "file:///etc/passwd"],
)  # fmt: skip
def test_a_link_leads_away_by_web_mail_or_telephone_or_nowhere(address):
    shown = markup.as_html(f'<a href="{address}">words</a>')
    assert "href" not in shown
    assert "words" in shown


def test_one_line_has_the_words_alone():
    assert markup.as_line("<h3>A &amp; B</h3>\n\n<ul><li>c</li><li>d</li></ul>", 40) == "A & B c d"
    assert markup.as_line("<script>x</script>", 40) == ""
    assert markup.as_line("one two three four", 12) == "one two…"
    assert markup.as_line("返品" * 30, 11) == "返品" * 5 + "…"
