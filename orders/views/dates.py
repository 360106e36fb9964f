"""Revise dates: what the buyer is told about shipping and arrival (DETAIL-15)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.domain import calendar
from accounts.permissions import Function, Level
from core.http import MerchantRequest
from core.refusal import Refused
from orders.access import order_needs
from orders.domain import revisions
from orders.enums import Act
from orders.forms import DatesForm
from orders.models import Order
from orders.views import acting, acts

TEMPLATE = "orders/revise_dates.html"


@require_http_methods(["GET", "HEAD", "POST"])
@order_needs(Function.MANAGE_ORDERS, Level.EDIT)
def revise_dates(request: MerchantRequest, order: Order) -> HttpResponse:
    at = calendar.now_for(order.merchant)
    today = order.marketplace.local_date(at)
    if request.method != "POST":
        if (why := acts.refusal(order, Act.REVISE_DATES, request.actor, at=at)) is not None:
            return acting.impossible(request, order, why)
        return acting.page(request, TEMPLATE, order, DatesForm(None, order=order, today=today))

    try:
        if acting.earlier_answer(request, revisions.ACTION, order) is not None:
            return _done(request, order)
    except Refused as no:
        return acting.impossible(request, order, no.refusal)
    form = DatesForm(request.POST, order=order, today=today)
    refusal = None
    if form.is_valid():
        try:
            revisions.revise_dates(
                order_id=order.pk,
                wanted=_wanted(form),
                by=request.actor,
                seen=form.cleaned_data["seen"],
                once=acting.once_of(request, revisions.ACTION, order),
            )
        except Refused as no:
            order, refusal = acting.refused(request, order, form, no.refusal)
        else:
            return _done(request, order)
    else:
        seen = form.cleaned_data.get("seen")
        refusal = acts.refusal(order, Act.REVISE_DATES, request.actor, at=at, seen=seen)
    if refusal is not None and refusal.code != "STALE_ORDER":
        return acting.impossible(request, order, refusal)
    form.order = order
    again = DatesForm(form.posted_again(), order=order, today=today)
    if form.errors and refusal is None:
        again.take_errors_of(form)
    return acting.page(request, TEMPLATE, order, again, refusal)


def _wanted(form: DatesForm) -> revisions.Dates:
    given = form.cleaned_data
    return revisions.Dates(given.get("ship"), given["deliver_from"], given["deliver_to"])


def _done(request: MerchantRequest, order: Order) -> HttpResponse:
    told = _("Dates of order %s revised. The buyer is told by e-mail.")
    messages.success(request, told % order.number)
    return redirect(order.get_absolute_url())
