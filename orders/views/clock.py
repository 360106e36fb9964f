"""The clock of a sandbox: move it forward, and see what the jobs then do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.access import needs
from accounts.domain import calendar, sandbox
from accounts.forms.clock import ClockForm
from accounts.models import Merchant
from accounts.permissions import Function, Level
from audit.domain.submissions import Once, earlier_answer, fingerprint_of
from audit.models import Entry
from core.http import MerchantRequest
from core.refusal import Refusal, Refused
from orders.domain import upcoming
from orders.domain.words import day_and_time
from orders.enums import OrderEvent

_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_WHAT_COMES: Mapping[str, Any] = {
    "page_warning": gettext_lazy("Warning on the pages"),
    "email_warning": gettext_lazy("Warning by e-mail"),
    "deadline": gettext_lazy("Deadline: the order is cancelled"),
}
_FOLLOWED = timedelta(minutes=1)  # so long the page looks again by itself
_LATEST = 50  # lines of the history looked at for what happened since the clock was moved


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Function.ACCOUNT_INFO, Level.EDIT)
def sandbox_clock(request: MerchantRequest) -> HttpResponse:
    merchant = request.member.merchant
    if not merchant.is_sandbox:
        raise Http404
    if request.method != "POST":
        return _page(request, ClockForm())
    form = ClockForm(request.POST)
    if form.is_valid():
        try:
            moved = _move(request, merchant, form.cleaned_data)
        except Refused as no:
            return _page(request, ClockForm(), no.refusal)
        now = day_and_time(calendar.now_for(moved), merchant.marketplace)
        messages.success(request, _("The clock is now at %s") % now)
        return redirect("sandbox_clock")
    return _page(request, form)


def _move(request: MerchantRequest, merchant: Merchant, asked: Mapping[str, str]) -> Merchant:
    step, action = asked["move"], sandbox.ACTION
    once = Once(asked["token"], fingerprint_of({"action": action, "move": step}))
    if earlier_answer(once, merchant_id=merchant.pk, action=action, by=request.actor) is not None:
        return Merchant.objects.get(pk=merchant.pk)
    return sandbox.move_clock(
        merchant_id=merchant.pk,
        by=request.actor,
        forward=_STEPS.get(step, timedelta(0)),
        to=None if step in _STEPS else upcoming.instant_of(step, merchant),
        once=once,
    )


def _page(
    request: MerchantRequest, form: ClockForm, refusal: Refusal | None = None
) -> HttpResponse:
    merchant = request.member.merchant
    at = calendar.now_for(merchant)
    coming = upcoming.upcoming(merchant, at=at)
    happened, since = _happened(merchant)
    context = {
        "form": form,
        "refusal": refusal,
        "at": at,
        "real": at - merchant.clock_ahead,
        "coming": [(label, coming[event]) for event, label in _WHAT_COMES.items()],
        "warning_comes": coming["page_warning"] or coming["email_warning"],
        "deadline_comes": coming["deadline"],
        "sees_orders": request.actor.may_view(Function.MANAGE_ORDERS),
        "moved": merchant.clock_ahead > timedelta(0),
        "happened": happened,
        "follows": since is not None and at - since < _FOLLOWED,
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return render(request, "account/clock.html", context, status=status)


def _happened(merchant: Merchant) -> tuple[list[dict[str, Any]], datetime | None]:
    """Return what happened to orders since the clock was moved last, and when that was.

    The latest comes first; None when the move lies too far back to be looked for.
    """
    told: list[dict[str, Any]] = []
    latest = Entry.objects.filter(merchant=merchant).select_related("order").order_by("-number")
    for entry in latest[:_LATEST]:
        if entry.event == sandbox.MOVED:
            return told, entry.happened_at
        if entry.order is not None and entry.event in OrderEvent.values:
            what, at = OrderEvent(entry.event).label, entry.happened_at
            told.append({"what": what, "order": entry.order, "by": entry.actor, "at": at})
    return told, None
