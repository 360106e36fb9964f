"""Business days, ship-by moments and clocks of a marketplace."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta

from accounts.models import Holiday, Marketplace, Merchant
from core import clock


def now_for(merchant: Merchant) -> datetime:
    """Return the present instant of a merchant: the clock, ahead of it only in a sandbox."""
    return clock.now() + merchant.clock_ahead


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
