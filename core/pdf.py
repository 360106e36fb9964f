"""From HTML to PDF by WeasyPrint, which opens nothing: no address, no file (reliability 2.5).

Runs in a process of its own (``core.bounded``) and therefore knows neither settings nor models.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pypdf import PdfReader, PdfWriter


def make(documents: Sequence[str], style: str, title: str) -> bytes:
    """Return one PDF of HTML documents, each rendered alone, so that page n of m counts its pages.

    Raises OSError where the libraries are missing.
    """
    files = [_file(html, style) for html in documents]
    if len(files) == 1:
        return files[0]
    whole = PdfWriter()
    for file in files:
        whole.append(PdfReader(io.BytesIO(file)))
    whole.add_metadata({"/Title": title})
    out = io.BytesIO()
    whole.write(out)
    return out.getvalue()


def _file(html: str, style: str) -> bytes:
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    sheet = CSS(string=style, font_config=fonts, url_fetcher=_refuse())
    document = HTML(string=html, url_fetcher=_refuse(), base_url="about:blank")
    pdf: bytes = document.write_pdf(stylesheets=[sheet], font_config=fonts)
    return pdf


@lru_cache(maxsize=1)
def _refuse() -> Any:
    """Return a fetcher that opens nothing, whatever a name or a title asks for."""
    from weasyprint.urls import URLFetcher

    class Refusing(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            raise ValueError("A packing slip loads nothing.")

    return Refusing(allow_redirects=False)
