"""Printing is remembered, because it hands out personal data (SLIP-11, IMPL-04)."""

from __future__ import annotations

from collections.abc import Sequence

from audit.models import Entry
from core.actor import Actor
from core.transactions import unit_of_work
from orders.domain import lifecycle
from orders.enums import OrderEvent
from orders.models import Order


@unit_of_work
def remember_print(*, order_ids: Sequence[int], by: Actor) -> None:
    """Write one line of history for each order whose slip was printed."""
    orders = Order.objects.filter(pk__in=order_ids).select_related("merchant").order_by("pk")
    instants = lifecycle.Instants(None)
    lifecycle.remember(
        [
            lifecycle.Change(order, OrderEvent.SLIP_PRINTED, by, instants.of(order))
            for order in orders
        ]
    )


def last_print(order: Order) -> Entry | None:
    """Return the line of history of the last print, or None."""
    prints = Entry.objects.filter(order=order, event=OrderEvent.SLIP_PRINTED)
    return prints.order_by("-number").first()
