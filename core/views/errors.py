"""Error pages in the product's frame, without technical detail (IMPL-26)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.template import loader
from django.utils.translation import gettext as _

from core.logs import new_id, request_id
from core.refusal import Refusal
from core.security import Event, note

log = logging.getLogger(__name__)

# PostgreSQL's classes of errors that pass: no connection, no resources, an operator at work.
_PASSING = ("08", "53", "57")
_WAITED = frozenset({"55P03", "57014", "40P01", "40001"})  # a lock or a statement took too long
_TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
_SECRET = ("password", "secret", "csrfmiddlewaretoken")
MEGABYTE = 1024 * 1024
_MOST_KEPT = 200  # fields of a form that a busy page hands back


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, _TOO_MUCH):
        return too_large(request)
    return _page(
        request,
        400,
        _("This address cannot be read"),
        _("It holds characters that no page understands. Nothing was changed."),
    )


def other_encoding(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        415,
        _("This request cannot be read"),
        _("It is written in another encoding than UTF-8. Nothing was changed."),
    )


def too_large(request: HttpRequest) -> HttpResponse:
    """Say what one request may hold; the page comes before what it carries is looked at (SD-11)."""
    told = {
        "form": f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE / MEGABYTE:.1f}",
        "file": settings.FILE_MAX_BYTES // MEGABYTE,
        "fields": f"{settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,}",
    }
    text = _(
        "A form may have %(form)s MB and %(fields)s fields, a file %(file)s MB."
        " Nothing was changed."
    )
    return _page(request, 413, _("That is too much at once"), text % told)


def headers_too_large(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        431,
        _("This request cannot be read"),
        _("Its headers are too long. Delete this site's cookies and try again."),
    )


def no_length(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        411,
        _("This request cannot be read"),
        _("It must say how long it is (Content-Length). Nothing was changed."),
    )


def broken_off(request: HttpRequest) -> HttpResponse:
    """Answer a request that was not sent to its end, if anybody is still there."""
    return _page(
        request,
        408,
        _("Your request did not arrive"),
        _("It broke off on its way, or took too long. Nothing was changed. Try again."),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refused(request, _("Ask the account owner for access."))


def refused(request: HttpRequest, text: str) -> HttpResponse:
    """Say what is missing; not by an exception, whose words would go into the log."""
    return _page(request, 403, _("You have no access to this page"), text)


def unfinished(request: HttpRequest, text: str) -> HttpResponse:
    """Say that something asked for could not be made this time; nothing was changed (FT-37)."""
    return _page(request, 503, _("This could not be made"), text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        404,
        _("Page not found"),
        _(
            "There is no page at this address, or the order belongs to another account."
            " Check that you have all 17 digits of the Order ID."
        ),
    )


def wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    response = _page(
        request,
        405,
        _("This page cannot do that"),
        _("It was asked in a way it does not know. Nothing was changed."),
    )
    response["Allow"] = allowed
    return response


def too_often(request: HttpRequest, text: str, wait: int) -> HttpResponse:
    """Say that it was asked too often, and when it may be asked again. wait: seconds (SD-10)."""
    response = _page(request, 429, _("That was asked too often"), text)
    response["Retry-After"] = str(wait)
    return response


def conflict(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a refusal that has no page of its own."""
    return _page(request, refusal.status, refusal.message, refusal.remedy)


def switched(request: HttpRequest) -> HttpResponse:
    """Refuse a form that was made for another of one's accounts (TH-16)."""
    return _page(
        request,
        409,
        _("You switched account"),
        _(
            "This form was opened for another account than the one you work for now."
            " Nothing was saved. Switch back and repeat."
        ),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    exception = sys.exc_info()[1]
    if isinstance(exception, DatabaseError) and (trouble := trouble_of(exception)):
        return busy(request, trouble)
    reference = request_id.get() or new_id()
    log.error("server.error", extra={"reference": reference})
    return _page(
        request,
        500,
        _("Something went wrong"),
        _(
            "Nothing more was saved than you were told. Try again; if it stays, give the reference"
            " %s to support."
        )
        % reference,
    )


def trouble_of(exception: DatabaseError) -> str:
    """Return what keeps the database from answering for now; nothing if it is another fault."""
    code = getattr(exception.__cause__, "pgcode", None) or ""
    if code in _WAITED:
        return str(code)
    away = type(exception).__name__ in ("OperationalError", "InterfaceError")
    if str(code)[:2] in _PASSING or (away and not code):
        return str(code) or "away"
    return ""


def busy(request: HttpRequest, trouble: str) -> HttpResponse:
    """Say that it was not done; a posted form can be sent again as it was (FT-16, FT-19)."""
    waited = trouble in _WAITED
    response = _page(
        request,
        503,
        _("The system is busy"),
        _("Nothing was changed. Try again in a moment.")
        if waited
        else _(
            "Your request could not be finished. Try again in a moment:"
            " sent twice, it is done once."
        ),
        again=_posted(request),
    )
    response["Retry-After"] = "5"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    note(Event.CSRF_REFUSED, user=request.user.pk)
    return _page(
        request,
        403,
        _("This form cannot be accepted"),
        _("It was open too long or came from another place. Open the page again and repeat."),
    )


def _posted(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what a form held, to be sent again; of passwords and files nothing is kept."""
    if request.method != "POST":
        return []
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if isinstance(value, str) and not any(word in name.lower() for word in _SECRET)
    ]
    secret = any("password" in name.lower() for name in request.POST)
    return [] if secret or request.FILES or len(fields) > _MOST_KEPT else fields


def _page(
    request: HttpRequest,
    status: int,
    title: str,
    text: str,
    again: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    if request.path.startswith("/api/"):
        code = _CODES.get(status, "ERROR")
        body = {"code": code, "message": title, "field": "", "facts": {}, "remedy": text}
        return JsonResponse(body, status=status)
    context = {"title": title, "text": text, "again": again, "path": request.get_full_path()}
    # In the member's own frame, unless it could not be made: then nothing but the page itself,
    # for an error page must come even when the database is away.
    with_frame = status < 500 and getattr(request, "member", None) is not None
    if with_frame:
        page: str = loader.render_to_string("error.html", context | {"frame": "base.html"}, request)
    else:
        context |= {"frame": "bare.html", "site_name": settings.SITE_NAME}
        context["csrf_token"] = get_token(request) if again else ""
        page = loader.get_template("error.html").render(context, None)
    response = HttpResponse(page, status=status)
    response["Cache-Control"] = "no-store"
    return response


_CODES = {
    400: "BAD_REQUEST",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "BROKEN_OFF",
    411: "LENGTH_REQUIRED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    431: "HEADERS_TOO_LARGE",
    500: "SERVER_ERROR",
    503: "BUSY",
}
