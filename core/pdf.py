"""From HTML to PDF by WeasyPrint, which opens nothing: no address, no file (reliability 2.5).

Pictures come with the documents, under names that mean nothing anywhere else.

Runs in a process of its own (``core.bounded``) and therefore knows neither settings nor models.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from pypdf import PdfReader, PdfWriter


def make(documents: Sequence[str], style: str, title: str, pictures: Mapping[str, bytes]) -> bytes:
    """Return one PDF of HTML documents, each rendered alone, so that page n of m counts its pages.

    pictures: PNG files by the whole address that the documents give them, like ``picture:logo``.
    Raises OSError where the libraries are missing.
    """
    fetcher = _only(pictures)
    files = [_file(html, style, fetcher) for html in documents]
    if len(files) == 1:
        return files[0]
    whole = PdfWriter()
    for file in files:
        whole.append(PdfReader(io.BytesIO(file)))
    whole.add_metadata({"/Title": title})
    out = io.BytesIO()
    whole.write(out)
    return out.getvalue()


def _file(html: str, style: str, fetcher: Any) -> bytes:
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    sheet = CSS(string=style, font_config=fonts, url_fetcher=fetcher)
    document = HTML(string=html, url_fetcher=fetcher, base_url="about:blank")
    pdf: bytes = document.write_pdf(stylesheets=[sheet], font_config=fonts)
    return pdf


def _only(pictures: Mapping[str, bytes]) -> Any:
    """Return a fetcher that hands out these, whatever else a name or a title asks for."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Only(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if (picture := pictures.get(url)) is None:
                raise ValueError("A document loads nothing.")
            return URLFetcherResponse(url, picture, {"Content-Type": "image/png"})

    return Only(allow_redirects=False)
