"""What a buyer needs to pay at a convenience store; no merchant ever sees it (PENDING-10, -11)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from payments.models import Payment


@dataclass(frozen=True, slots=True)
class Instructions:
    """number: what to name at the store. pay_by_at: when the term ends, in UTC."""

    number: str
    pay_by_at: datetime


def of_order(order_id: int) -> Instructions | None:
    """Return how the buyer of an order pays in advance; None with other methods."""
    payment = Payment.objects.get(pk=order_id)
    if not payment.number or payment.pay_by_at is None:
        return None
    return Instructions(payment.number, payment.pay_by_at)


def draw_number() -> str:
    """Return a fresh payment number, 4-4-4 digits; its unique key settles the rare second draw."""
    digits = f"{secrets.randbelow(10**12):012d}"
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"
