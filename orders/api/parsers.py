"""JSON as programs should send it: no NaN, no key twice, not without end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class TooLarge(APIException):
    """The body is larger than any order."""

    status_code = 413
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """Refuse what two readers could understand in two ways (BI-URL)."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge(f"The body has more than {most:,} bytes.")
        try:
            text = body.decode("utf-8")
            read = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)
            json.dumps(read, ensure_ascii=False).encode("utf-8")  # half a character is no text
            return read
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body cannot be read as JSON: {str(error)[:100]}") from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")
