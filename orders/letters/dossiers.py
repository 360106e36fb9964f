"""What a letter is written from: the row, its line of history, the order and all that hangs on it.

Read for a whole batch at once, so that a hundred letters cost the queries of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from audit.models import Entry
from core import clock
from notifications.domain import recipients
from notifications.models import Outbox
from orders.domain import contacts
from orders.models import Cancellation, Item, Order, Refund, Shipment, ShipmentLine
from payments.models import LedgerLine


@dataclass(frozen=True, slots=True)
class Dossier:
    """All about one row. at: now, by the merchant's clock."""

    row: Outbox
    order: Order
    buyer: contacts.Addressee
    merchant_addresses: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    event: str
    at: datetime

    @property
    def language(self) -> str:
        """The language of the marketplace, as far as letters are written in it (NOTIF-08)."""
        return "ja" if self.order.marketplace.language.startswith("ja") else "en"

    @property
    def items(self) -> list[Item]:
        return sorted(self.order.items.all(), key=lambda item: item.line)

    @property
    def shipment(self) -> Shipment:
        """The package it is about."""
        number = self.after["shipment"]
        return next(each for each in self.order.shipments.all() if each.number == number)

    @property
    def refund(self) -> Refund:
        """The refund it is about."""
        number = self.after["refund"]
        return next(each for each in self.order.refunds.all() if each.number == number)

    @property
    def cancellation(self) -> Cancellation:
        return self.order.cancellation

    @property
    def request(self) -> Any:
        """The cancellation request it is about; None while orders have none."""
        asked = self.row.payload.get("request")
        requests = getattr(self.order, "requests", None)
        known = requests.all() if requests else []
        return next((each for each in known if each.pk == asked), None)

    @property
    def payment_number(self) -> str:
        """What the buyer names at the convenience store (N30 alone: PENDING-11)."""
        return str(getattr(self.order.payment, "number", ""))


def collect(rows: Sequence[Outbox]) -> dict[int, Dossier]:
    """Return the dossier of each row, by row."""
    orders = _orders([row.order_id for row in rows if row.order_id is not None])
    entries = _entries(rows, orders)
    buyers = contacts.for_buyer_letters(orders.values())
    merchants = {order.merchant_id: order.merchant for order in orders.values()}
    addresses = recipients.of_merchants(merchants.values())
    now = clock.now()
    dossiers = {}
    for row in rows:
        assert row.order_id is not None
        order = orders[row.order_id]
        entry = entries.get((order.merchant_id, row.payload.get("history", 0)))
        dossiers[row.pk] = Dossier(
            row=row,
            order=order,
            buyer=buyers[order.pk],
            merchant_addresses=addresses[order.merchant_id].of(row.kind),
            before=entry.before if entry else {},
            after=entry.after if entry else {},
            event=entry.event if entry else "",
            at=now + order.merchant.clock_ahead,
        )
    return dossiers


def _orders(order_ids: Sequence[int]) -> dict[int, Order]:
    lines = Prefetch("lines", ShipmentLine.objects.select_related("item").order_by("item__line"))
    given = Prefetch(
        "lines",
        LedgerLine.objects.filter(kind=LedgerLine.Kind.REFUND).select_related("item"),
    )
    orders = Order.objects.filter(pk__in=set(order_ids))
    orders = orders.select_related("merchant", "marketplace", "cancellation", "payment")
    orders = orders.prefetch_related(
        "items",
        Prefetch("shipments", Shipment.objects.prefetch_related(lines)),
        Prefetch("refunds", Refund.objects.prefetch_related(given)),
        *(["requests"] if hasattr(Order, "requests") else []),
        Prefetch("messages_owed", Outbox.objects.filter(kind="N02"), to_attr="sold_mails"),
    )
    return {order.pk: order for order in orders}


def _entries(rows: Sequence[Outbox], orders: Mapping[int, Order]) -> dict[tuple[int, int], Entry]:
    numbers = {row.payload.get("history", 0) for row in rows}
    found = Entry.objects.filter(order__in=list(orders), number__in=numbers)
    return {(entry.merchant_id, entry.number): entry for entry in found}
