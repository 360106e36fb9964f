"""The cancellation rate of a month, and what one more would make of it (CANCEL-07, PERF-02)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import models

from accounts.models import Merchant
from orders.models import Cancellation, Order


@dataclass(frozen=True, slots=True)
class Rate:
    """cancelled: orders whose cancellation counts; verified: orders verified in the month."""

    cancelled: int
    verified: int
    threshold: Decimal

    @property
    def percent(self) -> Decimal | None:
        """In percent with two decimals; None while no order was verified."""
        return _percent(self.cancelled, self.verified)

    @property
    def percent_with_one_more(self) -> Decimal | None:
        return _percent(self.cancelled + 1, self.verified)

    @property
    def is_too_high(self) -> bool:
        return self.percent is not None and self.percent > self.threshold

    @property
    def would_be_too_high(self) -> bool:
        after = self.percent_with_one_more
        return after is not None and after > self.threshold


def of_month(merchant: Merchant, *, at: datetime) -> Rate:
    """Return the rate of the calendar month in which an instant lies, in the marketplace's zone."""
    cancelled = _cancelled(merchant, at).count()
    verified = _verified(merchant, at).count()
    return Rate(cancelled, verified, merchant.marketplace.cancel_rate_threshold)


def too_high(merchant: Merchant, *, at: datetime) -> Rate | None:
    """Return the rate of the month if it is above the threshold, else None (HOME-04, PERF-03).

    Verified orders are counted only as far as they could keep the rate up: nine cancellations are
    too many among less than 180 orders, so the 181st answers the question.
    """
    threshold = merchant.marketplace.cancel_rate_threshold
    cancelled = _cancelled(merchant, at).count()
    if not cancelled or not threshold:
        return None
    enough = int(100 * cancelled / threshold) + 1
    rate = Rate(cancelled, _verified(merchant, at)[:enough].count(), threshold)
    return rate if rate.is_too_high else None


def _cancelled(merchant: Merchant, at: datetime) -> models.QuerySet[Cancellation]:
    return Cancellation.objects.filter(
        merchant=merchant,
        cancelled_at__gte=_month_began(merchant, at),
        cancelled_at__lte=at,
        counts=True,
    )


def _verified(merchant: Merchant, at: datetime) -> models.QuerySet[Order]:
    return Order.objects.for_merchant(merchant).filter(
        verified_at__gte=_month_began(merchant, at), verified_at__lte=at, is_test=False
    )


def _month_began(merchant: Merchant, at: datetime) -> datetime:
    local = at.astimezone(merchant.marketplace.zone)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _percent(part: int, whole: int) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(100) * part / whole).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
