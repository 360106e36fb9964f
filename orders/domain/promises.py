"""What an order is promised when it is placed: ship-by, deadline, delivery (SHIP-18, AUTO-01)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from accounts.domain import calendar
from accounts.models import Marketplace, Merchant
from orders.enums import ServiceLevel

# Business days in transit after the ship-by day, first and last (SETTINGS-07's defaults).
_TRANSIT: Mapping[str, tuple[int, int]] = {
    ServiceLevel.STANDARD: (2, 5),
    ServiceLevel.EXPEDITED: (1, 2),
    ServiceLevel.SECOND_DAY: (1, 2),
    ServiceLevel.PRIORITY: (1, 1),
}


@dataclass(frozen=True, slots=True)
class Promise:
    """Instants in UTC, delivery in days of the marketplace."""

    ship_by_at: datetime
    deadline_at: datetime
    deliver_from: date
    deliver_to: date


def promise_of(
    purchased_at: datetime,
    *,
    merchant: Merchant,
    own_days: Sequence[int | None],
    service_level: str,
    holidays: Collection[date],
) -> Promise:
    """Work out what an order depends on from now on; it is stored, policies may change (AUTO-15).

    own_days: handling time of each listing in business days; None: the account's or the policy's.
    """
    marketplace = merchant.marketplace
    account_days = merchant.handling_business_days
    if account_days is None:
        account_days = marketplace.handling_business_days
    handling = max(account_days if days is None else days for days in own_days)

    def later(day: date, days: int) -> date:
        return calendar.add_business_days(day, days, marketplace=marketplace, holidays=holidays)

    ship_by = later(marketplace.local_date(purchased_at), handling)
    ship_by_at = calendar.end_of_day(ship_by, marketplace)
    basis = (
        purchased_at
        if marketplace.deadline_basis == Marketplace.DeadlineBasis.PURCHASE
        else ship_by_at
    )
    first, last = _TRANSIT[service_level]
    return Promise(
        ship_by_at=ship_by_at,
        deadline_at=basis + timedelta(days=marketplace.deadline_days),
        deliver_from=later(ship_by, first),
        deliver_to=later(ship_by, last),
    )
