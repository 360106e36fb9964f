"""Your order: what its buyer sees of it (BUYER-01, BUYER-02)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from checkout import words
from checkout.access import BUYER, Visit, page, signed_link
from checkout.documents import totals_of
from orders import carriers
from orders.domain import guards
from orders.enums import Act, RefundState
from orders.models import BuyerRequest, Item, Order, Refund, Shipment, ShipmentLine


@dataclass(frozen=True, slots=True)
class Offers:
    """What a buyer can do now (BUYER-03). until: while it can be done directly, if it can."""

    change: bool
    cancel: bool
    request: bool
    pass_on: bool
    until: datetime | None


@require_safe
@signed_link
def your_order(request: HttpRequest, visit: Visit) -> HttpResponse:
    order = visit.order
    items = list(Item.objects.of_orders([order.pk]))
    context = {
        "signed": visit.signed,
        "at": visit.at,
        "items": items,
        "totals": totals_of(items),
        "shipments": _shipments(order),
        "refunds": list(
            Refund.objects.filter(order=order).exclude(state=RefundState.FAILED).order_by("number")
        ),
        "offers": offers(visit),
        "now": words.standing(order),
        "asked": visit.asked,
        "wish": visit.asked or _last_request(order),
    }
    return page(request, "checkout/order.html", context, order=order)


def offers(visit: Visit) -> Offers:
    """Ask the guards what the page may offer."""
    order, confirming = visit.order, bool(getattr(visit.order, "confirmation_open", False))
    facts = guards.Facts(order, BUYER, visit.at, confirming, request=visit.asked)

    def possible(act: Act) -> bool:
        return guards.ask(act, facts) is None

    ends = guards.window_ends(order)
    return Offers(
        change=possible(Act.BUYER_EDIT),
        cancel=possible(Act.BUYER_CANCEL),
        request=possible(Act.FILE_REQUEST),
        pass_on=possible(Act.ESCALATE_REQUEST),
        until=ends if visit.at < ends else None,
    )


def _last_request(order: Order) -> BuyerRequest | None:
    return BuyerRequest.objects.filter(order=order).order_by("-pk").first()


def _shipments(order: Order) -> list[tuple[Shipment, str]]:
    """Return the packages with where each can be followed."""
    lines = Prefetch("lines", ShipmentLine.objects.select_related("item").order_by("item__line"))
    rows = Shipment.objects.filter(order=order).order_by("number").prefetch_related(lines)
    return [(row, carriers.tracking_url(row.carrier, row.tracking_id)) for row in rows]
