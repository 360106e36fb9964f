"""What a merchant's day looks like at one instant: bounded figures, the nearest deadlines.

Each figure is read from an index of its own and stops at ``listing.MOST_COUNTED``, so that home
costs the same at any number of orders (performance 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection

from accounts.domain import calendar
from accounts.models import Merchant
from orders.domain import listing
from orders.domain.criteria import Criteria, Pressing, Sql, all_of, conditions
from orders.enums import STATUS_RANK, OrderStatus
from orders.models import Order

S = OrderStatus
DAY = timedelta(days=1)
MOST_SORTED = 1000  # orders at risk among which the nearest deadlines are looked for


@dataclass(frozen=True, slots=True)
class Glance:
    """Figures of one instant, each up to ``listing.MOST_COUNTED`` + 1.

    numbers: "today", "late" and "at_risk" of open orders; of the last 24 hours "unshipped" and
        "pending" by purchase, "confirmed", "cancelled" and "refunded" by when it happened.
    has_confirmed: whether the merchant ever confirmed a shipment (HOME-07).
    """

    numbers: Mapping[str, int]
    has_confirmed: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A local day and how many orders were placed on it, up to ``listing.MOST_COUNTED`` + 1."""

    date: date
    orders: int


def glance_at(merchant: Merchant, *, at: datetime) -> Glance:
    """Count what home shows, in one statement. Source: HOME-01, HOME-02, HOME-06, HOME-07."""
    now = Pressing(
        at,
        (),
        calendar.end_of_day(merchant.marketplace.local_date(at), merchant.marketplace),
    )
    parts = {
        reason: listing.count_pressing(reason, merchant.pk, now)
        for reason in ("today", "late", "at_risk")
    }
    since = Criteria(merchant.pk, from_at=at - DAY)
    for status in (S.UNSHIPPED, S.PENDING):
        where = all_of(conditions(since, ranks=(STATUS_RANK[status],)))
        parts[status.value] = listing.capped(where)
    for what in ("confirmed", "cancelled", "refunded"):
        parts[what] = listing.count_happened(Criteria(merchant.pk, from_at=at - DAY, by=what))
    ever = (  # ordered, so that the index answers also for a merchant who has none
        "(SELECT count(*) FROM (SELECT 1 FROM orders_shipment WHERE merchant_id = %s"
        " ORDER BY confirmed_at LIMIT 1) AS ever)"
    )
    parts["ever"] = Sql(ever, [merchant.pk])
    numbers = listing.counted(parts)
    return Glance(numbers, has_confirmed=bool(numbers.pop("ever")))


def nearest_deadlines(merchant: Merchant, *, at: datetime, most: int = 5) -> list[Order]:
    """Return the orders at risk that will be cancelled first (HOME-02)."""
    soonest = Order.objects.for_merchant(merchant).at_risk(at=at).order_by("page_warning_at")
    keys = soonest.values("pk")[:MOST_SORTED]
    found = Order.objects.for_merchant(merchant).filter(pk__in=keys)
    return list(found.order_by("deadline_at", "number")[:most])


def orders_by_day(merchant: Merchant, *, at: datetime, days: int = 14) -> list[Day]:
    """Count the orders placed on each of the last local days, today the last."""
    today, zone = merchant.marketplace.local_date(at), merchant.marketplace.zone
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    starts = [
        datetime.combine(day, time(0), zone).astimezone(UTC)
        for day in [*dates, today + timedelta(days=1)]
    ]
    day = listing.capped(
        Sql("o.merchant_id = %s AND o.purchased_at >= d.began AND o.purchased_at < d.ended")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {day.text} FROM unnest(%s::timestamptz[], %s::timestamptz[])"
            " WITH ORDINALITY AS d(began, ended, place) ORDER BY d.place",
            [merchant.pk, *day.values, starts[:-1], starts[1:]],
        )
        return [Day(date, row[0]) for date, row in zip(dates, cursor.fetchall(), strict=True)]
