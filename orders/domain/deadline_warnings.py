"""Warning merchants by mail, once, that an order will be cancelled (AUTO-06, AUTO-07, AUTO-10).

The warning is a line of the history, which the mail (N07) and the timeline tell. It cannot be
written twice: the key ``told_of_an_order_once`` stands on the history itself, from which nothing is
ever taken away, and the mail's own key is made of that line's number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from audit.domain import history
from core.actor import Actor
from core.transactions import unit_of_work
from orders.domain import by_sets, guards, lifecycle, packages
from orders.domain.sweeps import Outcome, Sweep
from orders.enums import Act, OrderEvent
from orders.models import Order
from orders.querysets import OrderQuerySet
from payments.domain import operations


@unit_of_work
def warn(
    *, order_ids: Sequence[int], by: Actor, at: Mapping[int, datetime] | None = None
) -> list[Outcome]:
    """Warn of the deadlines of orders; each is answered in its place.

    at: instants by order, for replays of the past; None reads the clock.
    Refusals: those of ``guards`` for Act.WARN; NOT_FOUND.
    Source: AUTO-06, AUTO-07, AUTO-10, INV-07.
    """
    lifecycle.each_once(order_ids)
    orders = lifecycle.lock(order_ids)
    open_captures = operations.open_captures(orders)
    warned = history.happened_to(orders, OrderEvent.CONFIRMATION_WARNED)
    instants = lifecycle.Instants(at)
    outcomes: dict[int, Outcome] = {}
    for pk, order in orders.items():
        facts = guards.Facts(
            order, by, instants.of(order), pk in open_captures, warned=pk in warned
        )
        outcomes[pk] = guards.ask(Act.WARN, facts) or order
    lifecycle.remember(
        [
            lifecycle.Change(outcome, OrderEvent.CONFIRMATION_WARNED, by, instants.of(outcome))
            for outcome in outcomes.values()
            if isinstance(outcome, Order)
        ]
    )
    return [outcomes.get(pk) or packages.no_such_order() for pk in order_ids]


def _due(at: datetime) -> OrderQuerySet:
    return Order.objects.to_warn_of(at=at).order_by("email_warning_at", "pk")


def _verb(order_ids: Sequence[int], by: Actor) -> Sequence[Outcome]:
    return warn(order_ids=order_ids, by=by)


SWEEP = Sweep(Act.WARN, _due, by_sets.warn, _verb)
