"""Confirm New Shipments."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.domain import calendar
from accounts.models import Membership
from accounts.permissions import Function, Level
from core.http import MerchantRequest
from core.refusal import Refused
from orders import carriers
from orders.access import order_needs
from orders.domain import packages, shipments
from orders.enums import Act
from orders.forms import ConfirmForm
from orders.models import Item, Order, Shipment
from orders.views import acting, acts

TEMPLATE = "orders/confirm_shipment.html"


@require_http_methods(["GET", "HEAD", "POST"])
@order_needs(Function.CONFIRM_SHIPMENTS, Level.EDIT)
def confirm_shipment(request: MerchantRequest, order: Order) -> HttpResponse:
    at = calendar.now_for(order.merchant)
    items = list(Item.objects.of_orders([order.pk]))
    more: dict[str, Any] = {"items": items, "methods": carriers.METHODS}

    def form_of(data: object) -> ConfirmForm:
        last = request.member.last_carrier
        return ConfirmForm(data, order=order, items=items, at=at, last_carrier=last)  # type: ignore[arg-type]

    if request.method != "POST":
        if (why := acts.refusal(order, Act.CONFIRM, request.actor, at=at)) is not None:
            return acting.impossible(request, order, why)
        return acting.page(request, TEMPLATE, order, form_of(None), **more)

    acting.insist_on_own(items, request)
    try:
        first = acting.earlier_answer(request, shipments.ACTION, order)
    except Refused as no:
        return acting.impossible(request, order, no.refusal)
    if first is not None and "shipment" in first:
        written = Shipment.objects.get(order=order, number=first["shipment"])
        return _done(request, order, written, not_sent="not_sent" in request.POST)
    form = form_of(request.POST)
    refusal = None
    if form.is_valid():
        try:
            shipment = shipments.confirm_shipment(
                wanted=_wanted(request, order, form), by=request.actor
            )
        except Refused as no:
            order, refusal = acting.refused(request, order, form, no.refusal)
        else:
            return _done(request, order, shipment, not_sent=form.cleaned_data["not_sent"])
    else:
        # What is typed may be wrong because the order moved on: then that is the answer.
        seen = form.cleaned_data.get("seen")
        refusal = acts.refusal(order, Act.CONFIRM, request.actor, at=at, seen=seen)
    if refusal is not None and refusal.code not in ("STALE_ORDER", "PAYMENT_CAPTURE_FAILED"):
        return acting.impossible(request, order, refusal)
    again = form_of(form.posted_again())
    if form.errors and refusal is None:
        again.take_errors_of(form)
    return acting.page(request, TEMPLATE, order, again, refusal, **more)


def _wanted(request: MerchantRequest, order: Order, form: ConfirmForm) -> shipments.Confirmation:
    given = form.cleaned_data
    return shipments.Confirmation(
        order_id=order.pk,
        package=packages.Package(
            ship_date=given["ship_date"],
            carrier=given["carrier"],
            carrier_name=given["carrier_name"] if given["carrier"] == carriers.OTHER else "",
            method=given["method"],
            tracking_id=given["tracking_id"],
        ),
        quantities=given["quantities"],
        rest_not_sent=given["not_sent"],
        despite_request=given["despite_request"],
        seen=given["seen"],
        once=acting.once_of(request, shipments.ACTION, order),
    )


def _done(
    request: MerchantRequest, order: Order, shipment: Shipment, *, not_sent: bool
) -> HttpResponse:
    Membership.objects.filter(pk=request.member.pk).update(last_carrier=shipment.carrier)
    messages.success(
        request,
        _("Shipment confirmed: %(order)s, %(how)s. The buyer is told by e-mail.")
        % {"order": order.number, "how": str(shipment)},
    )
    if not_sent:
        return redirect(reverse("orders:refund", args=[order.number]) + "?tab=partial&not_sent=1")
    return redirect(acting.origin(request, order))
