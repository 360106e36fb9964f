"""What every request passes: an id, plain input only, a calm answer when the database is busy."""

from __future__ import annotations

import logging
import unicodedata
import uuid
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from core.logs import request_id
from core.views import errors

Answer = Callable[[HttpRequest], HttpResponse]
log = logging.getLogger(__name__)

_BUSY = frozenset({"55P03", "57014", "40P01", "40001"})  # lock or statement took too long


class RequestId:
    """Give each request an id of ours; log lines and the answer carry it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_id.set(uuid.uuid4().hex[:16])
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            response["Cross-Origin-Resource-Policy"] = "same-origin"
            response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
            return response
        finally:
            request_id.reset(token)


class PlainInput:
    """Refuse what no field can hold: control characters and broken UTF-8 (reliability 4)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not (_plain(request.path) and _readable(request.META.get("QUERY_STRING", ""))):
            return errors.bad_request(request)
        return self.get_response(request)


class BusyDatabase:
    """Answer 503 with a sentence when the database is away or a row stays locked."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DatabaseError):
            return None
        code = getattr(exception.__cause__, "pgcode", None)
        if code in _BUSY or (isinstance(exception, OperationalError) and code is None):
            log.warning("database.busy", extra={"code": code})
            return errors.busy(request)
        return None


def _readable(query: str) -> bool:
    try:
        text = unquote_to_bytes(query.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _plain(text)


def _plain(text: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\r\n" for c in text)


class ApiNeedsHttps:
    """Refuse the API over plain HTTP instead of sending it on (reliability SD-02).

    A key that came without encryption is known to others; a redirect would hide that it happened.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/") and not request.is_secure():
            refusal = {
                "code": "HTTPS_REQUIRED",
                "message": _("The API answers over HTTPS only."),
                "field": "",
                "facts": {},
                "remedy": _("Use https, and make a new key: the one sent may have been read."),
            }
            return JsonResponse(refusal, status=403)
        return self.get_response(request)
