"""The cancellation rate of a month, and what one more would make of it (CANCEL-07, PERF-02)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

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
    def would_be_too_high(self) -> bool:
        after = self.percent_with_one_more
        return after is not None and after > self.threshold


def of_month(merchant: Merchant, *, at: datetime) -> Rate:
    """Return the rate of the calendar month in which an instant lies, in the marketplace's zone."""
    local = at.astimezone(merchant.marketplace.zone)
    start = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    cancelled = Cancellation.objects.filter(
        merchant=merchant, cancelled_at__gte=start, cancelled_at__lte=at, counts=True
    ).count()
    verified = Order.objects.for_merchant(merchant).filter(
        verified_at__gte=start, verified_at__lte=at, is_test=False
    )
    return Rate(cancelled, verified.count(), merchant.marketplace.cancel_rate_threshold)


def _percent(part: int, whole: int) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(100) * part / whole).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
