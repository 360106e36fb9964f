"""Cancel Order Confirmation."""

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
from orders.domain import cancellations, rates, requests
from orders.enums import Act, CancelReason
from orders.forms import CancelForm
from orders.models import Item, Order
from orders.views import acting, acts

TEMPLATE = "orders/cancel_order.html"


@require_http_methods(["GET", "HEAD", "POST"])
@order_needs(Function.CANCEL_ORDERS, Level.EDIT)
def cancel_order(request: MerchantRequest, order: Order) -> HttpResponse:
    at = calendar.now_for(order.merchant)
    if request.method != "POST":
        if (why := acts.refusal(order, Act.CANCEL, request.actor, at=at)) is not None:
            return acting.impossible(request, order, why)
        form = CancelForm(None, order=order, initial={"zero_out": True})
        return _page(request, order, form)

    try:
        if acting.earlier_answer(request, cancellations.ACTION, order) is not None:
            return _done(request, order)
    except Refused as no:
        return acting.impossible(request, order, no.refusal)
    form = CancelForm(request.POST, order=order)
    if form.is_valid():
        wanted = cancellations.CancelRequest(
            order_id=order.pk,
            reason=CancelReason(form.cleaned_data["reason"]),
            zero_out=form.cleaned_data["zero_out"],
            seen=form.cleaned_data["seen"],
            once=acting.once_of(request, cancellations.ACTION, order),
        )
        try:
            cancellations.cancel_order(wanted=wanted, by=request.actor)
        except Refused as no:
            if no.code != "STALE_ORDER":
                order, _none = acting.refused(request, order, None, no.refusal)
                return acting.impossible(request, order, no.refusal)
            order, refusal = acting.refused(request, order, None, no.refusal)
            form.order = order
            return _page(request, order, CancelForm(form.posted_again(), order=order), refusal)
        return _done(request, order)
    if (why := acts.refusal(order, Act.CANCEL, request.actor, at=at)) is not None:
        return acting.impossible(request, order, why)
    return _page(request, order, form)


def _done(request: MerchantRequest, order: Order) -> HttpResponse:
    paid = order.advance_paid_at is not None
    told = (
        _("Order %s is cancelled. The buyer is told by e-mail and gets everything back.")
        if paid
        else _("Order %s is cancelled. The buyer is told by e-mail and is not charged.")
    )
    messages.success(request, told % order.number)
    return redirect(acting.origin(request, order))


def _page(
    request: MerchantRequest, order: Order, form: CancelForm, refusal: object = None
) -> HttpResponse:
    at = calendar.now_for(order.merchant)
    asked = bool(requests.were_filed([order.pk]))
    return acting.page(
        request,
        TEMPLATE,
        order,
        form,
        refusal,  # type: ignore[arg-type]
        items=list(Item.objects.of_orders([order.pk])),
        reasons=[(reason, _counts(reason, asked)) for reason in CancelReason],
        asked=asked,
        rate=rates.of_month(order.merchant, at=at),
    )


def _counts(reason: CancelReason, asked: bool) -> bool:
    """Whether cancelling for a reason counts in the rate; asked: the buyer did, officially."""
    return not (asked and reason == CancelReason.BUYER_CANCELLED)
