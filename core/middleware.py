"""What every request passes: an id, plain input only, calm answers when something is amiss."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
    UnreadablePostError,
)
from django.utils.translation import gettext as _

from core import counts, security
from core.bodies import BROKEN_OFF
from core.encoding import OTHER_ENCODING
from core.logs import following
from core.metrics import QUERIES
from core.security import Event
from core.transactions import note_trouble
from core.views import errors

Answer = Callable[[HttpRequest], HttpResponse]
log = logging.getLogger(__name__)

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BROKEN = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")
_UNFIT_FOR_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Asked by machines all day: among them faults of pages would not be seen.
_NO_PAGES = frozenset({"health_live", "health_ready", "metrics", "csp_report"})
_HEADERS = 16 * 1024  # bytes of all headers together; a line of them the web server bounds
_WITH_FILES = 12 * 1024 * 1024  # bytes of a form with a file; a proxy lets as much through
_NOTHING_ALLOWED = ", ".join(
    f"{power}=()"
    for power in (
        *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media"),
        *("fullscreen", "geolocation", "gyroscope", "magnetometer", "microphone", "midi"),
        *("payment", "picture-in-picture", "publickey-credentials-get", "screen-wake-lock"),
        *("usb", "xr-spatial-tracking"),
    )
)


class RequestId:
    """Give each request an id of ours, never the caller's.

    The answer carries it, each log line, and what the request leaves behind: history, messages
    owed, tasks (reliability 5).
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with following(None) as made:
            response = self.get_response(request)
            response["X-Request-ID"] = made
            response["Cross-Origin-Resource-Policy"] = "same-origin"
            response["Permissions-Policy"] = _NOTHING_ALLOWED
            return response


class Watched:
    """Count the queries of each request, and write one line about it (reliability 5)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        queries, started = 0, time.perf_counter()

        def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal queries
            queries += 1
            return execute(sql, params, many, context)

        with connection.execute_wrapper(count):
            response = self.get_response(request)
        match = request.resolver_match
        route = match.view_name or match.route if match else ""
        QUERIES.labels(route).observe(queries)
        if route not in _NO_PAGES:
            counts.add(counts.REQUESTS)
            if response.status_code >= 500:
                counts.add(counts.FAULTS)
        member = getattr(request, "member", None)
        told = {
            "path_name": route,
            "door": request.method,
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - started) * 1000),
            "count": queries,
            "user": member.user_id if member else None,
            "merchant": member.merchant_id if member else None,
        }
        log.info(
            "request", extra={name: value for name, value in told.items() if value is not None}
        )
        return response


class PlainInput:
    """Refuse what no field can hold: control characters and broken UTF-8 (reliability 4)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get(OTHER_ENCODING):
            security.note(Event.INPUT_REFUSED, "encoding")
            return errors.other_encoding(request)
        for where, plain in (("path", _plain_path(request)), ("query", _plain_query(request.META))):
            if not plain:
                security.note(Event.INPUT_REFUSED, where)
                return errors.bad_request(request)
        return self.get_response(request)


class Bounded:
    """Answer what is larger than any page or program needs, in the reader's own frame (SD-11)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = _out_of_bounds(request) or self.get_response(request)
        if request.META.get(BROKEN_OFF):
            # Perhaps all that could be seen of it is that a token is missing.
            response = errors.broken_off(request)
        return response


def _out_of_bounds(request: HttpRequest) -> HttpResponse | None:
    headers = sum(len(k) + len(v) for k, v in request.META.items() if k.startswith("HTTP_"))
    if headers > _HEADERS:
        return errors.headers_too_large(request)
    if "HTTP_TRANSFER_ENCODING" in request.META:  # the framework would take the body for empty
        return errors.no_length(request)
    has_files = request.content_type == "multipart/form-data"
    most = _WITH_FILES if has_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        return errors.too_large(request)
    return None


class CalmAnswers:
    """Answer wrong methods and a database that is busy or away with a page that says so."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return errors.wrong_method(request, response["Allow"])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, UnreadablePostError):
            return errors.broken_off(request)
        note_trouble(exception)
        if isinstance(exception, DatabaseError) and (trouble := errors.trouble_of(exception)):
            log.warning("database.busy", extra={"code": trouble})
            return errors.busy(request, trouble)
        return None


class ApiNeedsHttps:
    """Refuse the API over plain HTTP instead of sending it on (reliability SD-02).

    A key that came without encryption is known to others; a redirect would hide that it happened.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/") and not request.is_secure():
            security.note(Event.KEY_EXPOSED)
            refusal = {
                "code": "HTTPS_REQUIRED",
                "message": _("The API answers over HTTPS only."),
                "field": "",
                "facts": {},
                "remedy": _("Use https, and make a new key: the one sent may have been read."),
            }
            return JsonResponse(refusal, status=403)
        return self.get_response(request)


def _plain_path(request: HttpRequest) -> bool:
    """Tell whether a path is text; what is not, the framework has put back as ``%FF``."""
    return not (_UNFIT.search(request.path) or _BROKEN.search(request.path))


def _plain_query(environ: dict[str, Any]) -> bool:
    raw = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
    try:
        text = unquote_to_bytes(raw).decode("utf-8")  # refuses overlong forms, too
    except UnicodeDecodeError:
        return False
    return not _UNFIT_FOR_LINES.search(text)
