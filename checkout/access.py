"""The only way to a buyer's page: the signed link of one order, and nothing else (BUYER-01, TH-12).

Nobody signs in here and nobody becomes a member of anything: whoever holds the link sees that
order's page, until half a year after its delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language_from_request

from accounts.domain import calendar
from accounts.domain.signing_in import wait_words
from audit.domain.submissions import Once, fingerprint_of
from core import clock, security, throttle
from core.actor import Actor
from core.refusal import Refusal
from core.security import Event
from orders.domain import buyer_links, requests
from orders.models import BuyerRequest, Order

BUYER = Actor("buyer", "the buyer")
GOOD_FOR = timedelta(days=180)  # a link, after the delivery
LOOKS, ACTS, MINUTE, HOUR = 120, 30, 60, 3600  # per address and minute; per order and hour
_NOT_ASKED = frozenset({"csrfmiddlewaretoken", "token"})

View = Callable[..., HttpResponse]
Read = Callable[[str], str | None]  # a token to the Order ID it is good for


@dataclass(frozen=True, slots=True)
class Visit:
    """A buyer on the page of their order.

    signed: the part of the address that opened it. at: the instant, by the merchant's clock.
    asked: the open cancellation request, if there is one.
    """

    order: Order
    signed: str
    at: datetime
    asked: BuyerRequest | None

    @property
    def opens_order(self) -> bool:
        """Whether the link is the buyer's own, and not that of a receipt alone."""
        return buyer_links.read(self.signed) is not None


@dataclass(frozen=True, slots=True)
class SignedLink:
    """What such a view declares instead of a permission: it opens to the holder of the link."""


def signed_link(view: View) -> View:
    """Hand the view the visit that its link opens; altered links lead nowhere, old ones say so.

    Limited per network address, and for changes per order (TH-32). Answers are for nobody's cache
    or index, and no address of theirs goes to another site.
    """

    return _opens(view, buyer_links.read)


def receipt_link(view: View) -> View:
    """As ``signed_link``, for the receipt: also to the link that opens nothing else (BUYER-04)."""
    return _opens(view, buyer_links.read_for_receipt)


def _opens(view: View, read: Read) -> View:
    @wraps(view)
    def opened(request: HttpRequest, signed: str) -> HttpResponse:
        response = _opened(view, read, request, signed)
        patch_cache_control(response, no_store=True)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    opened.access = SignedLink()  # type: ignore[attr-defined]
    return opened


def _opened(view: View, read: Read, request: HttpRequest, signed: str) -> HttpResponse:
    now = clock.now()
    address = get_adapter(request).address(request)
    wait = throttle.use("buyer", address, limit=LOOKS, seconds=MINUTE, at=now)
    number = None if wait else read(signed)
    order = _read(number) if number else None
    if order is None:
        if not wait:
            security.note(Event.LINK_REFUSED, "buyer")
        told = get_language_from_request(request)
        with translation.override("ja" if told.startswith("ja") else "en-gb"):
            return too_many(request, wait) if wait else _nowhere(request)
    with translation.override(order.marketplace.language):
        if request.method == "POST":
            wait = throttle.use("buyer-act", order.number, limit=ACTS, seconds=HOUR, at=now)
            if wait:
                return too_many(request, wait)
        at = calendar.now_for(order.merchant)
        if at >= link_ends(order):
            return page(request, "checkout/expired.html", {}, order=order, status=410)
        asked = requests.open_of([order.pk]).get(order.pk)
        return view(request, Visit(order, signed, at, asked))


def link_ends(order: Order) -> datetime:
    """Return when an order's link ends: half a year after the latest day it should arrive."""
    delivered = calendar.end_of_day(order.estimated_deliver_to_date, order.marketplace)
    return delivered + GOOD_FOR


def again(visit: Visit) -> Visit:
    """Read the order anew: what was refused may have another reason than the page knew."""
    order = _read(visit.order.number)
    assert order is not None, "orders are never deleted"
    asked = requests.open_of([order.pk]).get(order.pk)
    return Visit(order, visit.signed, calendar.now_for(order.merchant), asked)


def once_of(request: HttpRequest, action: str, visit: Visit) -> Once:
    """Return the one-use key of a posted form; a buyer's keys are of this order alone."""
    typed = {k: request.POST.getlist(k) for k in request.POST if k not in _NOT_ASKED}
    return Once(
        token=request.POST.get("token", "")[:64],
        fingerprint=fingerprint_of({"action": action, **typed}),
        scope=f"buyer-{visit.order.pk}",
    )


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    order: Order,
    status: int = 200,
) -> HttpResponse:
    """Answer with a page in the language of the order's marketplace."""
    common = {
        "order": order,
        "marketplace": order.marketplace,
        "language": order.marketplace.language,
        "seller": order.merchant,
    }
    return render(request, template, common | context, status=status)


def refused(request: HttpRequest, visit: Visit, refusal: Refusal) -> HttpResponse:
    """Say why something is not possible, and lead back to the order."""
    context = {"refusal": refusal, "signed": visit.signed, "opens_order": visit.opens_order}
    return page(request, "checkout/refused.html", context, order=visit.order, status=refusal.status)


def _read(number: str) -> Order | None:
    rows = Order.objects.with_facts().select_related("merchant", "marketplace", "cancellation")
    return rows.filter(number=number).first()


def _nowhere(request: HttpRequest) -> HttpResponse:
    context = {"language": translation.get_language()}
    return render(request, "checkout/nowhere.html", context, status=404)


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """Ask to wait so many seconds."""
    context = {"language": translation.get_language(), "wait": wait_words(wait)}
    response = render(request, "checkout/too_many.html", context, status=429)
    response["Retry-After"] = str(wait)
    return response
