"""Error pages in the product's frame, without technical detail (IMPL-26)."""

from __future__ import annotations

import logging
import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _

from core.refusal import Refusal

log = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        400,
        _("This address cannot be read"),
        _("It holds characters that no page understands. Nothing was changed."),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        403,
        _("You have no access to this page"),
        str(exception or "") or _("Ask the account owner for access."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        404,
        _("Page not found"),
        _("The address may be mistyped, or what stood here belongs to another account."),
    )


def conflict(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a refusal that has no page of its own."""
    return _page(request, refusal.status, refusal.message, refusal.remedy)


def server_error(request: HttpRequest) -> HttpResponse:
    reference = uuid.uuid4().hex[:10]
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


def busy(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        503,
        _("The system is busy"),
        _("Nothing was changed. Try again in a moment."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        403,
        _("This form cannot be accepted"),
        _("It was open too long or came from another place. Open the page again and repeat."),
    )


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse(
            {"code": _CODES.get(status, "ERROR"), "message": title, "remedy": text}, status=status
        )
    # Without context processors: an error page must come even when the database is away.
    page = loader.get_template("error.html").render(
        {"status": status, "title": title, "text": text, "site_name": settings.SITE_NAME}, None
    )
    response = HttpResponse(page, status=status)
    response["Cache-Control"] = "no-store"
    return response


_CODES = {
    400: "BAD_REQUEST",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    500: "SERVER_ERROR",
    503: "BUSY",
}
