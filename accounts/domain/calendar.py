"""Business days, ship-by moments and clocks of a marketplace."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from accounts.models import Holiday, Marketplace, Merchant
from core import clock


def now_for(merchant: Merchant) -> datetime:
    """Return the present instant of a merchant: the clock, ahead of it only in a sandbox."""
    return clock.now() + merchant.clock_ahead


@dataclass(frozen=True, slots=True)
class Clock:
    """An instant that counts for one merchant, or for all with ``merchant_id`` None."""

    at: datetime
    merchant_id: int | None = None


def clocks() -> list[Clock]:
    """Return every clock there is: the platform's, then those of sandboxes that run ahead of it.

    What is due by the platform's is due for everyone: no clock is behind it.
    """
    now = clock.now()
    ahead = Merchant.objects.filter(clock_ahead__gt=timedelta(0)).order_by("pk")
    return [
        Clock(now),
        *(Clock(now + by, pk) for pk, by in ahead.values_list("pk", "clock_ahead")),
    ]


def holidays_of(marketplace: Marketplace) -> frozenset[date]:
    """Return the days of a marketplace's editable list of holidays."""
    days = Holiday.objects.filter(marketplace=marketplace).values_list("date", flat=True)
    return frozenset(days)


def add_business_days(
    start: date, days: int, *, marketplace: Marketplace, holidays: Container[date]
) -> date:
    """Return the day that lies ``days`` business days after ``start``."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        if day.weekday() in marketplace.business_weekdays and day not in holidays:
            days -= 1
    return day


def end_of_day(day: date, marketplace: Marketplace) -> datetime:
    """Return the last second of a local calendar day, in UTC."""
    return datetime.combine(day, time(23, 59, 59), marketplace.zone).astimezone(UTC)
