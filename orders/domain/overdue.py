"""Auto-cancel: orders that nobody confirmed until their deadline (AUTO-01 to AUTO-05, AUTO-10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.actor import Actor
from orders.domain import by_sets, cancellations, requests
from orders.domain.sweeps import Outcome, Sweep
from orders.enums import Act
from orders.models import Order
from orders.querysets import OrderQuerySet


def _due(at: datetime) -> OrderQuerySet:
    return Order.objects.overdue(at=at).order_by("deadline_at", "pk")


def _verb(order_ids: Sequence[int], by: Actor) -> Sequence[Outcome]:
    return cancellations.cancel_overdue(order_ids=order_ids, by=by)


def _simple(orders: Sequence[Order]) -> list[Order]:
    """Leave to the verb what ends with more than a void: money given back, a request closed."""
    asked = requests.open_of(order.pk for order in orders)
    return [order for order in orders if order.advance_paid_at is None and order.pk not in asked]


SWEEP = Sweep(Act.AUTO_CANCEL, _due, by_sets.cancel_overdue, _verb, fits=_simple)
