"""Posting to the ledger: rows are added; a correction is a row of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from payments.models import LedgerLine

Kind = LedgerLine.Kind


@dataclass(frozen=True, slots=True)
class Posting:
    """One signed amount, seen from the merchant, in the order's currency."""

    merchant_id: int
    order_id: int
    item_id: int | None
    kind: LedgerLine.Kind
    component: str
    amount: Decimal
    currency: str
    at: datetime
    refund_id: int | None = None


def post(postings: Sequence[Posting]) -> None:
    """Add rows in the caller's transaction; amounts of zero have none."""
    LedgerLine.objects.bulk_create(
        (
            LedgerLine(
                merchant_id=posting.merchant_id,
                order_id=posting.order_id,
                item_id=posting.item_id,
                refund_id=posting.refund_id,
                kind=posting.kind,
                component=posting.component,
                amount=posting.amount,
                currency=posting.currency,
                posted_at=posting.at,
            )
            for posting in postings
            if posting.amount
        ),
        batch_size=2000,
    )


def commission_of(order_id: int) -> tuple[Decimal, Decimal]:
    """Return the commission taken on an order and how much of it was credited back."""
    sums = dict(
        LedgerLine.objects.filter(
            order_id=order_id, kind__in=[Kind.COMMISSION, Kind.COMMISSION_CREDIT]
        )
        .values_list("kind")
        .annotate(sum=Sum("amount"))
    )
    taken = -sums.get(Kind.COMMISSION, Decimal(0))
    return taken, sums.get(Kind.COMMISSION_CREDIT, Decimal(0))
