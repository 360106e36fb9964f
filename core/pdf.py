"""From HTML to PDF by WeasyPrint, which opens nothing: no address, no file (reliability 2.5).

Pictures come with the documents, under names that mean nothing anywhere else.

Runs in a process of its own (``core.bounded``) and therefore knows neither settings nor models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def make(documents: Sequence[str], style: str, title: str, pictures: Mapping[str, bytes]) -> bytes:
    """Return one PDF of HTML documents, each rendered alone, so that page n of m counts its pages.

    pictures: PNG files by the whole address that the documents give them, like ``picture:logo``.
    Raises OSError where the libraries are missing.
    """
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fetcher, fonts = _only(pictures), FontConfiguration()
    sheet = CSS(string=style, font_config=fonts, url_fetcher=fetcher)
    laid_out = [
        HTML(string=html, url_fetcher=fetcher, base_url="about:blank").render(
            stylesheets=[sheet], font_config=fonts
        )
        for html in documents
    ]
    whole = laid_out[0]
    if len(laid_out) > 1:  # the fonts are embedded once for all of them
        whole.metadata.title = title
        whole = whole.copy([page for one in laid_out for page in one.pages])
    pdf: bytes = whole.write_pdf()
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
