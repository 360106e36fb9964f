"""A report's file: downloaded, or looked at page by page."""

from __future__ import annotations

import logging
from typing import cast

from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.permissions import Level
from core.http import MerchantRequest
from core.refusal import Refusal
from core.runbook import runbook
from core.stored_files import Damaged
from core.views import errors
from orders.domain import numbers
from reports.access import report_needs
from reports.domain import reading
from reports.models import Report

log = logging.getLogger(__name__)


@require_safe
@report_needs(Level.VIEW)
def download(request: MerchantRequest, report: Report) -> HttpResponse:
    """Send the file as it is kept (REPORT-07)."""
    if report.kept is None:
        return _none(request, report)
    try:
        file = reading.download(report=report, by=request.actor)
    except Damaged:
        return _damaged(request, report)
    response = FileResponse(
        file, content_type="text/tab-separated-values; charset=utf-8", filename=_name(report),
        as_attachment=True,
    )  # fmt: skip
    response["Content-Length"] = str(report.size)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return cast(HttpResponse, response)


@require_safe
@report_needs(Level.VIEW)
def report_view(request: MerchantRequest, report: Report) -> HttpResponse:
    """Show a page of the file; ``order`` leads to the page where that order begins (REPORT-14)."""
    if report.kept is None:
        return _none(request, report)
    typed, at = request.GET.get("order", "").strip(), request.GET.get("at", "")
    wanted = numbers.normalised(typed)
    try:
        found = reading.find(report=report, order_number=wanted) if wanted else None
        place = found if found is not None else _place(at)
        page = reading.view(report=report, place=place, by=request.actor)
    except reading.NoPlace as no_place:
        raise Http404 from no_place
    except Damaged:
        return _damaged(request, report)
    number = page.columns.index("order-id")
    context = {
        "report": report,
        "page": page,
        "rows": [(row, bool(wanted) and row[number] == wanted) for row in page.rows],
        "typed": typed[:40],
        "missing": bool(typed) and found is None,
    }
    return render(request, "reports/report.html", context)


def _place(at: str) -> int | None:
    return int(at) if at.isascii() and at.isdigit() and len(at) < 19 else None


def _name(report: Report) -> str:
    local = report.merchant.marketplace.local_date
    to = local(report.to_at).isoformat()
    if report.from_at is None:
        return f"unshipped-orders-{to}-{report.pk}.txt"
    return f"orders-{local(report.from_at).isoformat()}-{to}-{report.pk}.txt"


def _none(request: MerchantRequest, report: Report) -> HttpResponse:
    if report.is_open:
        return _gone(request, _("This report is not ready yet."), _("Wait a moment, then refresh."))
    text = _("There is no file of this report.")
    return _gone(request, text, _("Files are kept for 90 days. Request the report again."))


def _damaged(request: MerchantRequest, report: Report) -> HttpResponse:
    log.error(
        "report.damaged",
        extra={"merchant": report.merchant_id, "alert": runbook("reports-late")},
    )
    text = _("The file of this report is damaged.")
    return _gone(request, text, _("Request the report again."))


def _gone(request: MerchantRequest, text: str, remedy: str) -> HttpResponse:
    return errors.conflict(request, Refusal("INVALID_TRANSITION", text, remedy=remedy))
