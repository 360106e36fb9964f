"""Sweeps: what falls due for many orders at once, by the clock.

The orders are found without locks, then taken a chunk at a time: locked in key order, those that
somebody holds left out, judged once more by the guards, written together. A chunk that fails is
repeated order by order by the ordinary verb, so that one bad order stops no other (AUTO-11). What
was left out or failed is still due: the next run finds it again. Twice, late, in several processes
or not for days makes no difference but the moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.domain import calendar
from audit.domain import history
from core.actor import Actor
from core.jobs import OutOfTime
from core.refusal import Refusal
from core.transactions import insist_on_the_database, unit_of_work
from orders.domain import guards, lifecycle
from orders.enums import Act, OrderEvent
from orders.models import Order
from orders.querysets import OrderQuerySet
from payments.domain import operations

CHUNK = 1000  # orders in one transaction
LIMIT = 10_000  # orders looked for at once

Outcome = Order | Refusal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """One kind of thing that falls due.

    due: the orders it may be time for at an instant, the longest due first.
    by_sets: writes it for locked orders that the guards let through, at instants by order.
    fits: of which of the orders ``by_sets`` knows how; the verb writes the others.
    verb: the ordinary verb, which locks and judges by itself.
    """

    act: Act
    due: Callable[[datetime], OrderQuerySet]
    by_sets: Callable[[Sequence[Order], Mapping[int, datetime], Actor], None]
    verb: Callable[[Sequence[int], Actor], Sequence[Outcome]]
    fits: Callable[[Sequence[Order]], Sequence[Order]] = lambda orders: orders


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did, in orders.

    skipped: refused by the guards, or held by somebody else. failed: logged, and due again.
    more: whether it is worth looking again at once.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    more: bool = False


def run(sweep: Sweep, *, by: Actor, limit: int = LIMIT, chunk: int = CHUNK) -> Swept:
    """Do what is due for so many orders, each chunk of them a transaction."""
    order_ids = due(sweep, limit=limit)
    done = failed = 0
    for start in range(0, len(order_ids), chunk):
        taken = order_ids[start : start + chunk]
        try:
            done += _chunk(sweep, taken, by)
        except OutOfTime:
            raise
        except Exception:
            log.exception("sweep.chunk_failed", extra={"job": by.name, "count": len(taken)})
            insist_on_the_database()
            succeeded, broken = _one_by_one(sweep, taken, by)
            done += succeeded
            failed += broken
    return Swept(
        done,
        skipped=len(order_ids) - done - failed,
        failed=failed,
        more=done > 0 and len(order_ids) == limit,
    )


def due(sweep: Sweep, *, limit: int | None = None) -> list[int]:
    """Return keys of orders it may be time for, each by its merchant's clock; nothing is locked."""
    found: dict[int, None] = {}
    for clock in calendar.clocks():
        rows = sweep.due(clock.at)
        if clock.merchant_id is not None:
            rows = rows.for_merchant(clock.merchant_id)
        found |= dict.fromkeys(rows.values_list("pk", flat=True)[:limit])
    return list(found)[:limit]


def judged(sweep: Sweep, *, by: Actor) -> Iterator[tuple[Order, Refusal | None]]:
    """Say of each order that is due what would become of it now: None, or the refusal (AUTO-13)."""
    order_ids = due(sweep)
    for start in range(0, len(order_ids), CHUNK):
        rows = Order.objects.filter(pk__in=order_ids[start : start + CHUNK]).order_by("pk")
        orders = {order.pk: order for order in rows}
        lifecycle.share_merchants(orders.values())
        instants = lifecycle.Instants(None)
        refusals = _refusals(sweep.act, orders, by, instants)
        yield from ((order, refusals.get(pk)) for pk, order in orders.items())


def _chunk(sweep: Sweep, order_ids: Sequence[int], by: Actor) -> int:
    done, others = _together(sweep, order_ids, by)
    if others:
        done += sum(isinstance(outcome, Order) for outcome in sweep.verb(others, by))
    return done


@unit_of_work
def _together(sweep: Sweep, order_ids: Sequence[int], by: Actor) -> tuple[int, list[int]]:
    """Write what fits by sets; return how many, and the keys of those left to the verb."""
    orders = lifecycle.lock_free(order_ids)
    instants = lifecycle.Instants(None)
    refusals = _refusals(sweep.act, orders, by, instants)
    accepted = [order for pk, order in orders.items() if pk not in refusals]
    fitting = sweep.fits(accepted)
    known = {order.pk for order in fitting}
    if fitting:
        sweep.by_sets(fitting, {order.pk: instants.of(order) for order in fitting}, by)
    return len(fitting), [order.pk for order in accepted if order.pk not in known]


def _refusals(
    act: Act, orders: Mapping[int, Order], by: Actor, instants: lifecycle.Instants
) -> dict[int, Refusal]:
    """Ask the guards about orders; return the refusals by order."""
    open_captures = operations.open_captures(orders)
    warned = set[int]()
    if act == Act.WARN:
        warned = history.happened_to(orders, OrderEvent.CONFIRMATION_WARNED)
    refusals = {}
    for pk, order in orders.items():
        facts = guards.Facts(
            order, by, instants.of(order), pk in open_captures, warned=pk in warned
        )
        if (refusal := guards.ask(act, facts)) is not None:
            refusals[pk] = refusal
    return refusals


def _one_by_one(sweep: Sweep, order_ids: Sequence[int], by: Actor) -> tuple[int, int]:
    """Do each order by the verb, alone; return how many were done, and how many failed."""
    done = failed = 0
    for pk in order_ids:
        try:
            (outcome,) = sweep.verb([pk], by)
        except OutOfTime:
            raise
        except Exception:
            log.exception("sweep.order_failed", extra={"job": by.name, "order": pk})
            insist_on_the_database()
            failed += 1
        else:
            done += isinstance(outcome, Order)
    return done, failed
