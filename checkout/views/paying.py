"""How to pay in advance: shown to the buyer alone, and sent again on demand (BUYER-05)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.domain.signing_in import wait_words
from checkout.access import BUYER, HOUR, Visit, page, refused, signed_link
from core import clock, throttle
from core.refusal import Refused
from orders.domain import instructions as verbs

SENDINGS = 5  # per order and hour


@require_http_methods(["GET", "HEAD", "POST"])
@signed_link
def instructions(request: HttpRequest, visit: Visit) -> HttpResponse:
    if (why := verbs.refusal(visit.order)) is not None:
        return refused(request, visit, why)
    wait = 0
    if request.method == "POST":
        number, now = visit.order.number, clock.now()
        wait = throttle.use("buyer-instructions", number, limit=SENDINGS, seconds=HOUR, at=now)
        if not wait:
            try:
                verbs.send_again(order_id=visit.order.pk, by=BUYER)
            except Refused as no:
                return refused(request, visit, no.refusal)
            messages.success(request, _("The payment instructions are on their way by e-mail."))
            return redirect("checkout:order", visit.signed)
    context = {
        "signed": visit.signed,
        "payment": verbs.of_order(visit.order),
        "wait": wait_words(wait) if wait else "",
    }
    status = 429 if wait else 200
    return page(request, "checkout/payment.html", context, order=visit.order, status=status)
