"""Limited mark-up in texts that people write for others (SETTINGS-13).

A text is kept as it was typed and made harmless whenever it is shown: a stricter rule then counts
for what is stored already, too.
"""

from __future__ import annotations

import re
from html import unescape

import nh3
from django.utils.safestring import SafeString

TAGS = frozenset({"a", "b", "br", "em", "h3", "i", "li", "ol", "p", "strong", "ul"})

_GAP = re.compile(r"\n[ \t]*\n")
_OPENS_BLOCK = re.compile(r"</?(?:h3|li|ol|p|ul)\b", re.IGNORECASE)
_ENDS_BLOCK = re.compile(r"</?(?:h3|li|ol|p|ul)>$", re.IGNORECASE)
_LEADS_AWAY = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_INLINE = re.compile(r"</?(?:a|b|em|i|strong)\b[^>]*>")  # within a word or before a full stop


def as_html(text: str) -> SafeString:
    """Return a text as HTML of ``TAGS`` alone: blank lines part paragraphs, others break lines.

    Scripts and styles go with what they hold; of other tags the words stay. Links lead away from
    here, by http, mail or telephone, and vouch for nothing.
    """
    parts = _GAP.split(text.replace("\r\n", "\n"))
    html = "".join(_paragraph(part.strip()) for part in parts if part.strip())
    clean = nh3.clean(
        html,
        tags=set(TAGS),
        attributes={"a": {"href"}},
        attribute_filter=_only_away,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="nofollow noopener noreferrer",
    )
    return SafeString(clean)


def as_line(text: str, most: int) -> str:
    """Return the words of a text on one line, cut at a blank before ``most`` characters."""
    words = _TAG.sub(" ", _INLINE.sub("", as_html(text)))
    line = " ".join(unescape(words).split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[most // 2 :] else cut}…"


def _paragraph(text: str) -> str:
    html = ""
    for line in text.split("\n"):
        if html:
            between_blocks = _ENDS_BLOCK.search(html[-6:]) or _OPENS_BLOCK.match(line.lstrip())
            html += "\n" if between_blocks else "<br>"
        html += line.strip()
    return html if _OPENS_BLOCK.match(html) else f"<p>{html}</p>"


def _only_away(tag: str, attribute: str, value: str) -> str | None:
    return value if attribute != "href" or _LEADS_AWAY.match(value) else None
