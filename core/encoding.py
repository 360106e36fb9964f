"""Requests are read as UTF-8, whatever they say that they are written in (reliability 4).

The framework would read addresses and forms in the encoding that a request names, already while the
request is made: checks of what a field can hold would look at other text than the pages, and names
like ``base64`` would end in a fault that no page can answer.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable
from typing import Any

from django.utils.http import parse_header_parameters

OTHER_ENCODING = "sellercentral.other_encoding"  # set in a request that names another than UTF-8

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Utf8Only:
    """Take the encoding out of a request's content type; mark the request if it is not UTF-8."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        kind, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        if (name := parameters.pop("charset", None)) is not None:
            rest = (f'{key}="{value}"' for key, value in parameters.items())
            environ["CONTENT_TYPE"] = "; ".join([kind, *rest])
            environ[OTHER_ENCODING] = not _is_utf8(name)
        return self.application(environ, start_response)


def _is_utf8(name: str) -> bool:
    try:
        return codecs.lookup(name).name == "utf-8"
    except (LookupError, ValueError):  # no such encoding, no name at all
        return False
