"""The merchant's answer to a buyer's cancellation request."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.domain import calendar
from accounts.permissions import Function, Level
from core.http import MerchantRequest
from core.refusal import Refusal, Refused
from orders.access import order_needs
from orders.domain import cancellations, requests
from orders.enums import Act
from orders.forms import AnswerForm
from orders.models import BuyerRequest, Item, Order
from orders.views import acting, acts

TEMPLATE = "orders/cancellation_request.html"


@require_http_methods(["GET", "HEAD", "POST"])
@order_needs(Function.CANCEL_ORDERS, Level.EDIT)
def answer_request(request: MerchantRequest, order: Order) -> HttpResponse:
    if request.method == "POST":
        try:
            earlier = _earlier_answer(request, order)
        except Refused as no:
            return acting.impossible(request, order, no.refusal)
        if earlier is not None:
            return _done(request, order, accepted=earlier)
    at = calendar.now_for(order.merchant)
    asked = requests.open_of([order.pk]).get(order.pk)
    why = acts.refusal(order, Act.DECLINE_REQUEST, request.actor, at=at, request=asked)
    if why is not None or asked is None:
        assert why is not None, "without a request the guards refuse"
        return acting.impossible(request, order, why)
    if request.method != "POST":
        return _page(request, order, AnswerForm(None, order=order), asked)

    form = AnswerForm(request.POST, order=order)
    if not form.is_valid():
        return _page(request, order, form, asked)
    accepted = form.cleaned_data["answer"] == AnswerForm.ACCEPT
    try:
        _answer(request, order, form, accepted=accepted)
    except Refused as no:
        order, _none = acting.refused(request, order, None, no.refusal)
        if no.code != "STALE_ORDER":
            return acting.impossible(request, order, no.refusal)
        form.order = order
        again = AnswerForm(form.posted_again(), order=order)
        return _page(request, order, again, asked, no.refusal)
    return _done(request, order, accepted=accepted)


def _answer(request: MerchantRequest, order: Order, form: AnswerForm, *, accepted: bool) -> None:
    seen, text = form.cleaned_data["seen"], form.cleaned_data["text"]
    if accepted:
        once = acting.once_of(request, cancellations.ACTION, order)
        cancellations.accept_request(order_id=order.pk, by=request.actor, seen=seen, once=once)
    else:
        once = acting.once_of(request, requests.DECLINE, order)
        requests.decline(order_id=order.pk, answer=text, by=request.actor, seen=seen, once=once)


def _earlier_answer(request: MerchantRequest, order: Order) -> bool | None:
    """Return how the same form was answered when it was sent before: accepted, declined, never."""
    accepts = request.POST.get("answer") == AnswerForm.ACCEPT
    action = cancellations.ACTION if accepts else requests.DECLINE
    known = acting.earlier_answer(request, action, order)
    return None if known is None else accepts


def _done(request: MerchantRequest, order: Order, *, accepted: bool) -> HttpResponse:
    told = (
        _("Order %s is cancelled at the buyer’s request. It does not count in your rate.")
        if accepted
        else _("The request for order %s is declined. The buyer gets your text by e-mail.")
    )
    messages.success(request, told % order.number)
    return redirect(acting.origin(request, order))


def _page(
    request: MerchantRequest,
    order: Order,
    form: AnswerForm,
    asked: BuyerRequest,
    refusal: Refusal | None = None,
) -> HttpResponse:
    return acting.page(
        request,
        TEMPLATE,
        order,
        form,
        refusal,
        asked=asked,
        items=list(Item.objects.of_orders([order.pk])),
    )
