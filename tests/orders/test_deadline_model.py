"""Random purchases, zones, gaps of the timetable and late confirmations beside a ten-line model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from accounts.models import Marketplace, Merchant
from core import clock
from core.actor import Actor
from core.refusal import Refusal
from orders.domain import deadline_warnings, overdue, placing, shipments, sweeps, verification
from orders.domain.packages import Package
from orders.models import Order
from payments.gateways import Verification, VerificationOutcome
from tests.factories import GATEWAY, SHOP, STAFF, MerchantFactory, draft, marketplace
from tests.races import racers

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
ZONES = (
    "Europe/London",
    "Asia/Tokyo",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "UTC",
)
# Bought so that the deadline, the warning or the purchase meets a night that is no usual one.
NIGHTS = (
    datetime(2024, 3, 1, 1, 30, tzinfo=UTC),  # London loses an hour before the deadline
    datetime(2024, 9, 27, 0, 30, tzinfo=UTC),  # and the deadline falls into the hour it has twice
    datetime(2026, 2, 6, 6, 30, tzinfo=UTC),  # New York
    datetime(2025, 9, 5, 15, 30, tzinfo=UTC),  # Lord Howe moves by half an hour
    datetime(2028, 1, 30, 0, 0, tzinfo=UTC),  # 29 February
    datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC),
)


@dataclass
class Life:
    """What is planned for an order, and by which policy it was bought."""

    order: Order
    verified_at: datetime
    confirm_at: datetime | None
    days: int
    lead: int


def expected(life: Life, basis: datetime, runs: Sequence[datetime]) -> tuple[object, ...]:
    """Say when an order is warned of, cancelled and confirmed: None for never."""
    deadline = basis + life.days * DAY
    warned = cancelled = confirmed = None
    happens = [(at, "job") for at in runs]
    if life.confirm_at is not None:
        happens.append((life.confirm_at, "confirm"))
    for at, what in sorted(happens):
        if at < life.verified_at or cancelled or confirmed:
            continue
        if what == "confirm":
            confirmed = at if at < deadline else None
        elif at >= deadline:
            cancelled = at
        elif at >= deadline - life.lead * DAY:
            warned = warned or at
    return warned, cancelled, confirmed


def shops() -> list[Merchant]:
    made = []
    for number, zone in enumerate(ZONES):
        place = marketplace("JP_2022" if number % 3 == 2 else "UK_CHECKOUT")
        place.pk, place.code, place.time_zone = None, f"Z{number}", zone
        place.country, place.currency = "GB", "GBP"
        place.save()
        made.append(MerchantFactory(marketplace=place))
    return made


def bought(shop: Merchant, at: datetime, dice: random.Random) -> Life:
    with clock.stopped(at):
        asked = draft(shop, age=timedelta(0))
        order = placing.place_order(merchant_id=shop.pk, draft=asked, by=SHOP)
    slow = dice.choice([timedelta(minutes=15), DAY, 24 * DAY, 26 * DAY])
    confirm_at = None
    if dice.random() < 0.6:
        offset = dice.choice([-9 * DAY, -SECOND, timedelta(0), SECOND, DAY])
        confirm_at = order.deadline_at + offset
    place = shop.marketplace
    return Life(order, at + slow, confirm_at, place.deadline_days, place.email_warning_lead_days)


def moments_of(life: Life, dice: random.Random) -> list[datetime]:
    """When the timetable runs: around what matters, or days off."""
    order = life.order
    at, moments = order.purchased_at + dice.random() * DAY, []
    while at < order.deadline_at + 9 * DAY:
        moments.append(at)
        at += dice.random() * 9 * DAY
    edges = (order.deadline_at, order.email_warning_at)
    near = [edge + dice.choice([-SECOND, timedelta(0), SECOND]) for edge in edges]
    return dice.sample(moments, 2) + near + [order.deadline_at + 10 * DAY]


def run_jobs(at: datetime) -> None:
    by = Actor("job", "test")
    with clock.stopped(at):
        for sweep in random.sample([overdue.SWEEP, deadline_warnings.SWEEP], 2):
            assert sweeps.run(sweep, by=by).failed == 0


def verify(life: Life) -> None:
    answer = {life.order.pk: Verification(VerificationOutcome.VERIFIED)}
    with clock.stopped(life.verified_at):
        verification.settle_verifications(answer, by=GATEWAY)


def confirm(life: Life) -> None:
    assert life.confirm_at is not None
    with clock.stopped(life.confirm_at):
        package = Package(life.order.marketplace.local_date(life.confirm_at), "Royal Mail")
        wanted = shipments.Confirmation(life.order.pk, package)
        (outcome,) = shipments.confirm_shipments(wanted=[wanted], by=STAFF)
    late = {"CONFIRMATION_PERIOD_ENDED", "ORDER_CANCELLED", "ORDER_PENDING"}
    assert not isinstance(outcome, Refusal) or outcome.code in late


def what_happened(order: Order) -> tuple[object, ...]:
    order = Order.objects.get(pk=order.pk)
    lines = list(order.history.values_list("event", "happened_at"))

    def when(event: str) -> datetime | None:
        instants = [at for name, at in lines if name == event]
        assert len(instants) <= 1, event
        return instants[0] if instants else None

    warned, cancelled = when("order.confirmation_warned"), when("order.auto_cancelled")
    told = list(order.messages_owed.values_list("kind", flat=True))
    assert (told.count("N07"), told.count("N08")) == (int(bool(warned)), int(bool(cancelled)))
    assert order.cancelled_at == cancelled
    return warned, cancelled, when("order.shipment_confirmed")


@pytest.mark.req("INV-07", "AUTO-02", "AUTO-06", "AUTO-07", "AUTO-10", "AUTO-15", "SHIP-24")
@pytest.mark.req("FT-15", "FT-25", "FT-26", "FT-27", "FT-29", "F07")
def test_orders_are_warned_and_cancelled_as_a_small_model_says():
    dice = random.Random(20260131)
    lives = []
    for number, shop in enumerate(shops()):
        ten_years = dice.random() * 3650 * DAY
        lives.append(bought(shop, datetime(2023, 1, 1, tzinfo=UTC) + ten_years, dice))
        if number % 2:  # the policy changes in between
            place = shop.marketplace
            place.deadline_days, place.email_warning_lead_days = 12, 3
            place.page_warning_lead_days = 4
            Marketplace.objects.filter(pk=place.pk).update(
                deadline_days=12, email_warning_lead_days=3, page_warning_lead_days=4
            )
        lives.append(bought(shop, NIGHTS[number], dice))
    runs = sorted({at for life in lives for at in moments_of(life, dice)})
    happens = [(at, 2, None) for at in runs]
    happens += [(life.verified_at, 0, life) for life in lives]
    happens += [(life.confirm_at, 1, life) for life in lives if life.confirm_at]
    # The model's order for one instant: "confirm" before "job".
    happens.sort(key=lambda one: one[:2])

    with racers(3) as together:
        for at, kind, life in happens:
            if kind == 2:
                together(*[partial(run_jobs, at)] * 3)
            else:
                (verify, confirm)[kind](life)

    for life in lives:
        by_ship_date = life.order.marketplace.deadline_basis == "expected_ship_date"
        basis = life.order.ship_by_at if by_ship_date else life.order.purchased_at
        told = (life.order.marketplace.time_zone, life)
        assert (told, what_happened(life.order)) == (told, expected(life, basis, runs))
    ends = [what_happened(life.order) for life in lives]
    assert all(any(end[place] for end in ends) for place in range(3))
