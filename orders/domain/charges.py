"""What a capture earns: a ledger line per item and component, and the commission on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from core.money import round_half_up
from orders.domain import lifecycle
from orders.enums import COMPONENTS
from orders.models import Order
from orders.models.order import sign_of
from payments.domain import ledger


def commission_on(order: Order) -> Decimal:
    """Return the platform's commission on an order's paid total, half up (MONEY-14)."""
    percent = order.marketplace.commission_percent
    return round_half_up(order.total * percent / 100, order.currency)


def post(orders: Sequence[Order]) -> None:
    """Post the charge of whole orders, in the transaction that makes them paid (SHIP-09, -12)."""
    if not orders:
        return
    items = lifecycle.items_of(orders)
    postings = []
    for order in orders:
        postings += [
            ledger.Posting(
                merchant_id=order.merchant_id,
                order_id=order.pk,
                item_id=item.pk,
                kind=ledger.Kind.CHARGE,
                component=component,
                amount=sign_of(component) * item.paid(component),
                currency=order.currency,
                at=_paid_at(order),
            )
            for item in items[order.pk]
            for component in COMPONENTS
        ]
        postings.append(
            ledger.Posting(
                merchant_id=order.merchant_id,
                order_id=order.pk,
                item_id=None,
                kind=ledger.Kind.COMMISSION,
                component="commission",
                amount=-commission_on(order),
                currency=order.currency,
                at=_paid_at(order),
            )
        )
    ledger.post(postings)


def _paid_at(order: Order) -> datetime:
    assert order.paid_at is not None, "what is posted was paid"
    return order.paid_at
