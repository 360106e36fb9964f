"""The receipt, on screen and as PDF (BUYER-04)."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from checkout import documents
from checkout.access import HOUR, Visit, page, receipt_link, refused, too_many
from core import clock, throttle
from core.bounded import Unfinished
from core.refusal import Refusal
from orders.documents import PdfUnavailable, TooLong

FILES = 30  # per order and hour
log = logging.getLogger(__name__)


@require_safe
@receipt_link
def receipt(request: HttpRequest, visit: Visit) -> HttpResponse:
    if (why := documents.why_none(visit.order)) is not None:
        return refused(request, visit, why)
    context = {
        "signed": visit.signed,
        "opens_order": visit.opens_order,
        "receipt": documents.receipt_of(visit.order),
    }
    return page(request, "checkout/receipt.html", context, order=visit.order)


@require_safe
@receipt_link
def receipt_pdf(request: HttpRequest, visit: Visit) -> HttpResponse:
    order = visit.order
    if (why := documents.why_none(order)) is not None:
        return refused(request, visit, why)
    wait = throttle.use("buyer-receipt", order.number, limit=FILES, seconds=HOUR, at=clock.now())
    if wait:
        return too_many(request, wait)
    try:
        file = documents.render_pdf(documents.receipt_of(order))
    except (PdfUnavailable, TooLong, Unfinished) as problem:
        log.warning("receipt.unfinished", extra={"code": type(problem).__name__})
        told = _("The file could not be made. Print the page instead, or try again later.")
        return refused(request, visit, Refusal("GATEWAY_UNAVAILABLE", told))
    response = HttpResponse(file, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="receipt-{order.number}.pdf"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
