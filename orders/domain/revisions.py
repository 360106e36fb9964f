"""Revised promises: the estimated dates an order is told to ship and to arrive on (DETAIL-15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from audit.domain import submissions
from audit.domain.submissions import Once
from core import clock
from core.actor import Actor
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.domain import guards, lifecycle, packages
from orders.enums import Act, OrderEvent, OrderStatus
from orders.models import Order
from payments.domain import operations

ACTION = "revise_dates"
FURTHEST = timedelta(days=366)  # ahead of today


@dataclass(frozen=True, slots=True)
class Dates:
    """Days of the marketplace. ship: None for an order that has shipped; its estimate stays."""

    ship: date | None
    deliver_from: date
    deliver_to: date


@unit_of_work
def revise_dates(
    *, order_id: int, wanted: Dates, by: Actor, seen: int | None = None, once: Once | None = None
) -> Order:
    """Revise the estimated dates, later or earlier; the buyer is told old and new ones (N18).

    The ship-by moment, by which an order is late, stays as it was promised first.
    Raises Refused: INVALID_INPUT (with field), STALE_ORDER, ORDER_PENDING, ORDER_CANCELLED,
        PLATFORM_FULFILLED, CONFIRMATION_IN_PROGRESS, PERMISSION_DENIED, TOKEN_REUSED.
    Source: DETAIL-15.
    """
    order = lifecycle.lock([order_id]).get(order_id)
    if order is None:
        raise Refused(packages.no_such_order())
    at = clock.now() + order.merchant.clock_ahead
    first = submissions.claim(once, merchant_id=order.merchant_id, action=ACTION, by=by, at=at)
    if first is not None:
        return order
    is_open = order.pk in operations.open_captures([order.pk])
    facts = guards.Facts(order, by, at, is_open, seen)
    refusal = guards.ask(Act.REVISE_DATES, facts) or _problem(order, wanted, at)
    if refusal is not None:
        raise Refused(refusal)
    before = _told(order)
    order.revised_ship_date = wanted.ship or order.estimated_ship_date
    order.revised_deliver_from_date = wanted.deliver_from
    order.revised_deliver_to_date = wanted.deliver_to
    order.save(
        update_fields=[
            "revised_ship_date", "revised_deliver_from_date", "revised_deliver_to_date"
        ]
    )  # fmt: skip
    submissions.conclude(once, merchant_id=order.merchant_id, result={"revised": order.number})
    after = _told(order)
    change = lifecycle.Change(order, OrderEvent.DATES_REVISED, by, at, before=before, after=after)
    lifecycle.record([change])
    return order


def _told(order: Order) -> dict[str, str]:
    """What history and letter say of the estimates, as days in ISO form."""
    return {
        "ship_date": order.estimated_ship_date.isoformat(),
        "deliver_from": order.estimated_deliver_from_date.isoformat(),
        "deliver_to": order.estimated_deliver_to_date.isoformat(),
    }


def _problem(order: Order, wanted: Dates, at: datetime) -> Refusal | None:
    today = order.marketplace.local_date(at)
    if order.status != OrderStatus.SHIPPED and wanted.ship is None:
        return _wrong("ship", _("Enter a date, like 8 Dec 2026"))
    if order.status == OrderStatus.SHIPPED and wanted.ship is not None:
        return _wrong("ship", _("The order has shipped."))
    days = {"ship": wanted.ship, "deliver_from": wanted.deliver_from}
    days["deliver_to"] = wanted.deliver_to
    for name, day in days.items():
        if day is not None and day < today:
            return _wrong(name, _("The date must be today or later"))
        if day is not None and day > today + FURTHEST:
            return _wrong(name, _("The date must lie within a year"))
    if wanted.ship is not None and wanted.deliver_from < wanted.ship:
        return _wrong("deliver_from", _("Delivery must not begin before shipping"))
    if wanted.deliver_to < wanted.deliver_from:
        return _wrong("deliver_to", _("The last day must not lie before the first"))
    ship = wanted.ship or order.estimated_ship_date
    present = (order.estimated_deliver_from_date, order.estimated_deliver_to_date)
    if (ship, wanted.deliver_from, wanted.deliver_to) == (order.estimated_ship_date, *present):
        return _wrong("deliver_to", _("These are the dates the order has already"))
    return None


def _wrong(field: str, message: str) -> Refusal:
    return Refusal("INVALID_INPUT", message, field=field)
