"""Order Reports and Unshipped Orders: asking for reports, and the list of what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from accounts.permissions import Function, Level
from core import clock, throttle
from core.forms import describe
from core.http import MerchantRequest
from core.refusal import Refused
from core.views import errors
from reports.access import report_needs
from reports.domain import requests, scheduling, settings
from reports.enums import STATUS_COLUMN, Failure, ReportKind
from reports.forms import RequestForm
from reports.models import Report

ROWS = 25
REQUESTS_AN_HOUR = 60  # of one merchant (SD-10)


@dataclass(frozen=True, slots=True)
class Row:
    """A report as a line of the list. first, last: the days of its range, as they are shown."""

    report: Report
    first: date | None
    last: date

    @property
    def why_failed(self) -> str:
        return str(Failure(self.report.failure).label)


@require_safe
@needs(Function.ORDER_REPORTS)
def order_reports(request: MerchantRequest) -> HttpResponse:
    return _order_reports(request, RequestForm())


@require_safe
@needs(Function.ORDER_REPORTS)
def unshipped_orders(request: MerchantRequest) -> HttpResponse:
    context = {"may_edit": _may_edit(request), **_list(request, kind=ReportKind.UNSHIPPED)}
    return render(request, "reports/unshipped_orders.html", context)


@require_POST
@needs(Function.ORDER_REPORTS, Level.EDIT)
def request_report(request: MerchantRequest) -> HttpResponse:
    """Ask for a report: of unshipped orders when no number of days belongs to it."""
    merchant = request.member.merchant
    wait = throttle.use(
        "report-request", str(merchant.pk), limit=REQUESTS_AN_HOUR, seconds=3600, at=clock.now()
    )
    if wait:
        text = _("At most %d reports an hour are made for one account. Try again later.")
        return errors.too_often(request, text % REQUESTS_AN_HOUR, wait)
    if request.POST.get("kind") == ReportKind.UNSHIPPED:
        return _ask_for(request, ReportKind.UNSHIPPED, "reports:unshipped")
    form = RequestForm(request.POST)
    if not form.is_valid():
        return _order_reports(request, form, status=422)
    try:
        return _ask_for(request, ReportKind.ORDERS, "reports:orders", **form.cleaned_data)
    except Refused as refused:
        form.add_error(refused.refusal.field or None, str(refused))
        return _order_reports(request, form, status=refused.refusal.status)


@require_POST
@report_needs(Level.EDIT)
def request_again(request: MerchantRequest, report: Report) -> HttpResponse:
    """Try a failed report anew."""
    try:
        requests.request_again(report=report, by=request.actor)
    except Refused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("Your request is being processed"))
    return redirect("reports:orders")


def _ask_for(
    request: MerchantRequest,
    kind: ReportKind,
    back: str,
    *,
    days: int | None = None,
    include_cancelled: bool = False,
) -> HttpResponse:
    try:
        requests.request_report(
            merchant=request.member.merchant,
            kind=kind,
            days=days,
            include_cancelled=include_cancelled,
            by=request.actor,
        )
    except Refused as refused:
        if refused.code != "ALREADY_KNOWN":
            raise
        messages.warning(request, str(refused))  # a second click (REPORT-23)
    else:
        messages.success(request, _("Your request is being processed"))
    return redirect(back)


def _order_reports(request: MerchantRequest, form: RequestForm, status: int = 200) -> HttpResponse:
    describe(form)
    merchant_id = request.member.merchant_id
    schedules = scheduling.schedules_of(merchant_id)
    context = {
        "form": form,
        "schedules": [one for one in schedules.values() if one.period],
        "with_status": STATUS_COLUMN in settings.of(merchant_id).extra_columns,
        "may_edit": _may_edit(request),
        **_list(request),
    }
    return render(request, "reports/order_reports.html", context, status=status)


def _list(request: MerchantRequest, kind: ReportKind | None = None) -> dict[str, object]:
    """Return a page of the merchant's reports, newest first, by keyset (REPORT-06)."""
    merchant = request.member.merchant
    reports = Report.objects.for_merchant(merchant).order_by("-pk")
    if kind is not None:
        reports = reports.filter(kind=kind)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        reports = reports.filter(pk__lt=int(before))
    found = list(reports[: ROWS + 1])
    rows = [_row(report, request) for report in found[:ROWS]]
    return {
        "rows": rows,
        "older": rows[-1].report.pk if len(found) > ROWS else None,
        "later": bool(before),
        "follows": any(row.report.is_open for row in rows),
    }


def _row(report: Report, request: MerchantRequest) -> Row:
    local = request.member.merchant.marketplace.local_date
    first = local(report.from_at) if report.from_at else None
    return Row(report, first, local(report.to_at))


def _may_edit(request: MerchantRequest) -> bool:
    return request.actor.may_edit(Function.ORDER_REPORTS)
