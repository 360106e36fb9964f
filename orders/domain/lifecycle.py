"""The order state machine: the only writer of ``Order.status``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Marketplace, Merchant
from audit.domain import history
from audit.models import Entry
from core import clock
from core.actor import Actor
from core.bulk import update_rows
from notifications.domain import outbox
from orders.domain import moves
from orders.effects import due_messages
from orders.enums import LEAVES_AS_IT_IS, Act, OrderEvent, OrderStatus
from orders.models import Item, Order

S = OrderStatus

# What may change on an order after it was placed; ``record`` writes them all.
_MUTABLE = (
    "status",
    "payment_state",
    "version",
    "verified_at",
    "charged_at",
    "advance_paid_at",
    "cancelled_at",
    "delivered_at",
    "refunded_total",
    "quantity_confirmed",
)


def status_for(*, verified: bool, cancelled: bool, purchased: int, confirmed: int) -> OrderStatus:
    """Derive an order's status from the facts; quantities are units over the whole order."""
    if cancelled:
        return S.CANCELLED
    if not verified:
        return S.PENDING
    if confirmed == purchased:
        return S.SHIPPED
    return S.PARTIALLY_SHIPPED if confirmed else S.UNSHIPPED


def pretend_status(order: Order) -> None:
    """Let an order's status follow from facts that were changed in memory only, by a dry run."""
    order.status = status_for(
        verified=order.verified_at is not None,
        cancelled=order.cancelled_at is not None,
        purchased=order.quantity_purchased,
        confirmed=order.quantity_confirmed,
    )


def lock(order_ids: Iterable[int]) -> dict[int, Order]:
    """Lock orders in key order, read them anew, and return them by key with what guards need."""
    rows = Order.objects.filter(pk__in=set(order_ids)).locked()
    # Never the cancellation: a row that was waited for is read anew, what is joined to it is not.
    rows = rows.select_related("merchant", "marketplace")
    return {order.pk: order for order in rows}


def lock_free(order_ids: Sequence[int]) -> dict[int, Order]:
    """Lock those of many orders that nobody else holds, as ``lock`` does, without waiting.

    Merchants and marketplaces are few: they are read once and shared.
    """
    rows = Order.objects.filter(pk__in=order_ids).locked(skip_locked=True)
    orders = {order.pk: order for order in rows}
    share_merchants(orders.values())
    return orders


def share_merchants(orders: Collection[Order]) -> None:
    """Give orders their merchants and marketplaces, each read once."""
    merchants = Merchant.objects.in_bulk({order.merchant_id for order in orders})
    places = {order.marketplace_id for order in orders}
    places |= {merchant.marketplace_id for merchant in merchants.values()}
    marketplaces = Marketplace.objects.in_bulk(places)
    for merchant in merchants.values():
        merchant.marketplace = marketplaces[merchant.marketplace_id]
    for order in orders:
        order.merchant = merchants[order.merchant_id]
        order.marketplace = marketplaces[order.marketplace_id]


def each_once(order_ids: Iterable[int]) -> None:
    """Insist that a batch names each order once: facts are read once and written once."""
    met = list(order_ids)
    if len(met) != len(set(met)):
        raise ValueError("Each order stands once in a batch.")


def items_of(orders: Iterable[Order]) -> dict[int, list[Item]]:
    """Return the items of locked orders by order, in the order of their lines."""
    items: dict[int, list[Item]] = defaultdict(list)
    for item in Item.objects.of_orders([order.pk for order in orders]):
        items[item.order_id].append(item)
    return items


class Instants:
    """When each order of a batch changes: now, read once after the lock, or as it was recorded.

    recorded: instants by order, for replays of the past; None reads the clock.
    """

    def __init__(self, recorded: Mapping[int, datetime] | None) -> None:
        self._recorded = recorded
        self._now: datetime | None = None

    def of(self, order: Order) -> datetime:
        """Return the order's instant; a sandbox merchant's clock may run ahead."""
        if self._recorded is not None:
            return self._recorded[order.pk]
        if self._now is None:
            self._now = clock.now()
        return self._now + order.merchant.clock_ahead

    def last_of(self, orders: Iterable[Order]) -> datetime:
        """Return the latest instant of a batch that is not empty."""
        return max(self.of(order) for order in orders)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to a locked order whose facts were set in memory.

    act: the act that moves it; None when its status stays as it is.
    after: what the history keeps beside the status; plain values without personal data.
    about: ids that the messages of the event need beside their line of the history.
    """

    order: Order
    event: OrderEvent
    by: Actor
    at: datetime
    act: Act | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    about: Mapping[str, object] = field(default_factory=dict)


def record(changes: Sequence[Change]) -> list[Entry]:
    """Derive each status, then write orders, one line of the history each and the messages owed.

    Runs as the last step of the caller's transaction. Raises ValueError when table 4.2 has no such
    move: the guards let nothing of the kind come here.
    """
    lines = []
    for change in changes:
        order, source = change.order, S(change.order.status)
        target = status_for(
            verified=order.verified_at is not None,
            cancelled=order.cancelled_at is not None,
            purchased=order.quantity_purchased,
            confirmed=order.quantity_confirmed,
        )
        before, after = dict(change.before), dict(change.after)
        if change.act is not None:
            move = moves.move_for(change.act, source, target)
            if move is None:
                raise ValueError(f"{change.act} cannot move an order from {source} to {target}")
            after["move"] = move.name
        if target != source:
            if change.act is None:
                raise ValueError(f"{change.event} moves an order from {source} to {target}")
            before["status"], after["status"] = source.value, target.value
        order.status = target
        order.version += 1
        lines.append(
            history.Line(
                merchant_id=order.merchant_id,
                event=change.event,
                at=change.at,
                by=change.by,
                order_id=order.pk,
                before=before,
                after=after,
            )
        )
    rows = {c.order.pk: [getattr(c.order, name) for name in _MUTABLE] for c in changes}
    update_rows(Order, _MUTABLE, rows)
    return _tell(changes, lines)


def remember(changes: Sequence[Change]) -> list[Entry]:
    """Write lines of the history, and the messages they owe, for orders that themselves stay.

    Raises ValueError for an event that changes an order: ``record`` writes those.
    """
    for change in changes:
        if change.event not in LEAVES_AS_IT_IS and change.order.version > 1:
            raise ValueError(f"{change.event} changes an order")
    lines = [
        history.Line(
            merchant_id=change.order.merchant_id,
            event=change.event,
            at=change.at,
            by=change.by,
            order_id=change.order.pk,
            before=change.before,
            after=change.after,
        )
        for change in changes
    ]
    return _tell(changes, lines)


def _tell(changes: Sequence[Change], lines: Sequence[history.Line]) -> list[Entry]:
    entries = history.append(lines)
    outbox.owe(
        [
            outbox.Owed(
                merchant_id=entry.merchant_id,
                order_id=entry.order_id,
                kind=message.kind,
                key=f"history-{entry.merchant_id}-{entry.number}",
                at=change.at,
                available_at=message.available_at,
                payload={"history": entry.number, **change.about},
            )
            for change, entry in zip(changes, entries, strict=True)
            for message in due_messages(change.event, change.order, at=change.at)
        ]
    )
    return entries
