"""Scheduled Reports, and the panel of further columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import needs
from accounts.permissions import Function, Level
from core.forms import describe
from core.http import MerchantRequest
from core.refusal import Refusal, Refused
from reports.domain import scheduling, settings
from reports.enums import ReportKind
from reports.forms import ColumnsForm, ScheduleForm


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Function.ORDER_REPORTS, Level.EDIT)
def scheduled_reports(request: MerchantRequest) -> HttpResponse:
    merchant_id = request.member.merchant_id
    form = ScheduleForm(request.POST or None, schedules=scheduling.schedules_of(merchant_id))
    if request.method != "POST":
        return _schedules(request, form)
    if not form.is_valid():
        return _schedules(request, form, status=422)
    kind, period = ReportKind(form.cleaned_data["kind"]), form.cleaned_data["frequency"]
    try:
        scheduling.change_schedule(
            merchant_id=merchant_id, kind=kind, period=period, seen=form.seen, by=request.actor
        )
    except Refused as refused:
        now = ScheduleForm(None, schedules=scheduling.schedules_of(merchant_id))
        typed = _seen_again(request, **{name: now.initial[name] for name in ScheduleForm.SEEN})
        again = ScheduleForm(typed, schedules=scheduling.schedules_of(merchant_id))
        return _schedules(request, again, refused.refusal.status, refused.refusal)
    messages.success(request, _("Schedule saved") if period else _("Schedule removed"))
    return redirect("reports:schedule")


def _schedules(
    request: MerchantRequest,
    form: ScheduleForm,
    status: int = 200,
    refusal: Refusal | None = None,
) -> HttpResponse:
    describe(form)
    schedules = scheduling.schedules_of(request.member.merchant_id)
    current = [schedules[kind] for kind in ReportKind if kind in schedules]
    context = {
        "form": form,
        "schedules": [schedule for schedule in current if schedule.period],
        "refusal": refusal,
    }
    return render(request, "reports/scheduled_reports.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Function.ORDER_REPORTS, Level.EDIT)
def report_columns(request: MerchantRequest) -> HttpResponse:
    merchant_id = request.member.merchant_id
    form = ColumnsForm(request.POST or None, row=settings.of(merchant_id))
    if request.method != "POST":
        return _columns(request, form)
    if not form.is_valid():
        return _columns(request, form, status=422)
    try:
        settings.choose_columns(
            merchant_id=merchant_id,
            columns=form.cleaned_data["columns"],
            seen=form.cleaned_data["seen"],
            by=request.actor,
        )
    except Refused as refused:
        now = settings.of(merchant_id)
        again = ColumnsForm(_seen_again(request, seen=now.version), row=now)
        changes = [
            {"by": one.by, "at": one.at, "rows": [(_("Report columns"), ", ".join(one.columns))]}
            for one in settings.changes_since(merchant_id, form.cleaned_data["seen"])
        ]
        return _columns(request, again, refused.refusal.status, refused.refusal, changes)
    messages.success(request, _("Report columns saved"))
    return redirect("reports:orders")


def _columns(
    request: MerchantRequest,
    form: ColumnsForm,
    status: int = 200,
    refusal: Refusal | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
) -> HttpResponse:
    chosen = form["columns"].value() or []
    context = {"form": form, "chosen": chosen, "refusal": refusal, "changes": changes}
    return render(request, "reports/report_columns.html", context, status=status)


def _seen_again(request: MerchantRequest, **versions: int) -> Mapping[str, Any]:
    """Return what was typed with the present versions, to be shown again (INV-08)."""
    typed = request.POST.copy()
    for name, version in versions.items():
        typed[name] = str(version)
    return typed
