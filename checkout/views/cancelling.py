"""Ending an order: directly while that is possible, later by asking."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain.signing_in import wait_words
from checkout.access import BUYER, HOUR, Visit, again, once_of, page, refused, signed_link
from checkout.forms import CancelForm, RequestForm
from checkout.views.order import offers
from core import clock, throttle
from core.refusal import Refusal, Refused
from orders.domain import cancellations, guards, requests
from orders.enums import Act, RequestReason
from orders.forms import ActForm

REQUESTS = 5  # per order and hour (TH-32)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_link
def cancel_order(request: HttpRequest, visit: Visit) -> HttpResponse:
    if request.method == "POST":
        asks = request.POST.get("act") == "request"
        return _ask(request, visit) if asks else _cancel(request, visit)
    if visit.asked is not None:
        return _page(request, visit, None)
    possible = offers(visit)
    if possible.cancel:
        return _page(request, visit, CancelForm(None, order=visit.order))
    if possible.request:
        return _page(request, visit, RequestForm(None, order=visit.order))
    return refused(request, visit, _why_not(visit))


@require_POST
@signed_link
def pass_on(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Pass a request that nobody answered to customer service (BUYERCANCEL-05)."""
    try:
        requests.escalate(order_id=visit.order.pk, by=BUYER)
    except Refused as no:
        return refused(request, again(visit), no.refusal)
    messages.success(request, _("Customer service has your request now."))
    return redirect("checkout:order", visit.signed)


def _cancel(request: HttpRequest, visit: Visit) -> HttpResponse:
    form = CancelForm(request.POST, order=visit.order)
    if not form.is_valid():
        return _page(request, visit, form)
    once = once_of(request, cancellations.ACTION, visit)
    try:
        cancellations.cancel_for_buyer(order_id=visit.order.pk, by=BUYER, once=once)
    except Refused as no:
        visit = again(visit)
        if offers(visit).request:  # the window has closed meanwhile: the other way is right here
            return _page(request, visit, RequestForm(None, order=visit.order), no.refusal)
        return refused(request, visit, no.refusal)
    messages.success(request, _("Your order is cancelled."))
    return redirect("checkout:order", visit.signed)


def _ask(request: HttpRequest, visit: Visit) -> HttpResponse:
    form = RequestForm(request.POST, order=visit.order)
    if not form.is_valid():
        return _page(request, visit, form)
    wait = throttle.use(
        "buyer-request", visit.order.number, limit=REQUESTS, seconds=HOUR, at=clock.now()
    )
    if wait:
        form.add_error(None, wait_words(wait))
        return _page(request, visit, form, status=429)
    try:
        requests.file_request(
            order_id=visit.order.pk,
            reason=RequestReason(form.cleaned_data["reason"]),
            by=BUYER,
            once=once_of(request, requests.FILE, visit),
        )
    except Refused as no:
        return refused(request, again(visit), no.refusal)
    messages.success(request, _("Your request is sent."))
    return redirect("checkout:order", visit.signed)


def _why_not(visit: Visit) -> Refusal:
    """Say why an order can neither be cancelled nor its cancellation be asked for."""
    order, confirming = visit.order, bool(getattr(visit.order, "confirmation_open", False))
    facts = guards.Facts(order, BUYER, visit.at, confirming, request=visit.asked)
    why = guards.ask(Act.FILE_REQUEST, facts)
    assert why is not None, "the page offers it otherwise"
    return why


def _page(
    request: HttpRequest,
    visit: Visit,
    form: ActForm | None,
    refusal: Refusal | None = None,
    status: int = 0,
) -> HttpResponse:
    if form is not None and form.errors:
        form.describe_errors()
        status = status or 422
    context = {
        "form": form,
        "asks": isinstance(form, RequestForm),
        "reasons": RequestReason.choices,
        "refusal": refusal,
        "signed": visit.signed,
        "asked": visit.asked,
        "offers": offers(visit),
    }
    status = status or (refusal.status if refusal else 200)
    return page(request, "checkout/cancel.html", context, order=visit.order, status=status)
