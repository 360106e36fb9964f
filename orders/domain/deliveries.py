"""Delivery complete: said by staff or the carrier, or assumed some days after it was due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.models import Marketplace
from audit.domain import submissions
from audit.domain.submissions import Once
from core.actor import Actor
from core.refusal import Refused
from core.transactions import unit_of_work
from orders.domain import guards, lifecycle, packages
from orders.domain.sweeps import Outcome, Sweep
from orders.enums import Act, OrderEvent
from orders.models import Order
from orders.querysets import OrderQuerySet

ACTION = "deliver"
ASSUMED_AFTER = timedelta(days=3)  # days of the marketplace after the latest estimated delivery


@unit_of_work
def mark_delivered(
    *, order_id: int, by: Actor, seen: int | None = None, once: Once | None = None
) -> Order:
    """Note that everything of an order has arrived; it ends the phone relay.

    seen: the version the caller was shown; None when no page was shown.
    Raises Refused: those of ``guards`` for Act.DELIVER; NOT_FOUND, TOKEN_REUSED.
    Source: DETAIL-17, DETAIL-09.
    """
    order = lifecycle.lock([order_id]).get(order_id)
    if order is None:
        raise Refused(packages.no_such_order())
    at = lifecycle.Instants(None).of(order)
    merchant_id = order.merchant_id
    if submissions.claim(once, merchant_id=merchant_id, action=ACTION, by=by, at=at) is not None:
        return order
    refusal = guards.ask(Act.DELIVER, guards.Facts(order, by, at, seen=seen))
    if refusal is not None:
        raise Refused(refusal)
    submissions.conclude(once, merchant_id=merchant_id, result={"delivered": order.number})
    _deliver([order], {order.pk: at}, by)
    return order


@unit_of_work
def assume_delivered(*, order_ids: Sequence[int], by: Actor) -> list[Outcome]:
    """Assume that orders have arrived; each is answered in its place, by the guards."""
    orders = lifecycle.lock(order_ids)
    instants = lifecycle.Instants(None)
    outcomes: dict[int, Outcome] = {
        pk: guards.ask(Act.DELIVER, guards.Facts(order, by, instants.of(order))) or order
        for pk, order in orders.items()
    }
    arrived = [outcome for outcome in outcomes.values() if isinstance(outcome, Order)]
    _assume(arrived, {order.pk: instants.of(order) for order in arrived}, by)
    return [outcomes.get(pk) or packages.no_such_order() for pk in order_ids]


def _assume(orders: Sequence[Order], instants: Mapping[int, datetime], by: Actor) -> None:
    _deliver(orders, instants, by, after={"assumed": True})


def _deliver(
    orders: Sequence[Order],
    instants: Mapping[int, datetime],
    by: Actor,
    *,
    after: Mapping[str, object] | None = None,
) -> None:
    for order in orders:
        order.delivered_at = instants[order.pk]
    lifecycle.record(
        [
            lifecycle.Change(order, OrderEvent.DELIVERED, by, instants[order.pk], after=after or {})
            for order in orders
        ]
    )


def _due(at: datetime) -> OrderQuerySet:
    arrived = Q(pk__in=())
    for marketplace in Marketplace.objects.all():
        last = marketplace.local_date(at) - ASSUMED_AFTER
        told = Q(revised_deliver_to_date__lte=last) | Q(
            revised_deliver_to_date=None, deliver_to_date__lte=last
        )
        arrived |= Q(told, marketplace=marketplace)
    return Order.objects.to_be_delivered().filter(arrived).order_by("deliver_to_date", "pk")


def _verb(order_ids: Sequence[int], by: Actor) -> Sequence[Outcome]:
    return assume_delivered(order_ids=order_ids, by=by)


SWEEP = Sweep(Act.DELIVER, _due, _assume, _verb)
