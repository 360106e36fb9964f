"""Orders are counted by their days; nothing that writes orders can forget to count them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from orders.domain import invariants, listing
from orders.domain.criteria import Criteria
from orders.enums import OrderStatus
from orders.models import DayTally, Order
from tests.factories import (
    MerchantFactory,
    cancelled_order,
    pending_order,
    shipped_order,
    unshipped_order,
)
from tests.orders.test_place_order import GATEWAY
from tests.races import racers

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHECK = "LIST-16 days are tallied as their orders are"


def counted(merchant, from_at, to_at):
    found = listing.counts(Criteria(merchant.pk, from_at=from_at, to_at=to_at), at=NOON)
    return {status.value: found[status.value] for status in OrderStatus}


def by_rows(merchant, from_at, to_at):
    orders = Order.objects.for_merchant(merchant)
    if from_at is not None:
        orders = orders.filter(purchased_at__gte=from_at)
    if to_at is not None:
        orders = orders.filter(purchased_at__lt=to_at)
    return {status.value: orders.filter(status=status).count() for status in OrderStatus}


@pytest.fixture
def days(shop):
    """Orders of five days, some on the very second a day begins or ends; another shop's beside."""
    midnight = NOON.replace(hour=0)
    with clock.stopped(NOON + timedelta(days=3)):
        for days_before in range(5):
            day = midnight - timedelta(days=days_before)
            unshipped_order(shop, purchased_at=day)
            shipped_order(shop, purchased_at=day + timedelta(hours=23, minutes=59, seconds=59))
            pending_order(shop, purchased_at=day + 7 * HOUR)
        cancelled_order(shop, purchased_at=NOON)
        unshipped_order(MerchantFactory(), purchased_at=NOON)
    return shop


instants = st.none() | st.integers(-6 * 48, 2 * 48).map(lambda half: NOON + half * HOUR / 2)


@pytest.mark.req("LIST-06", "LIST-07", "LIST-11", "LIST-16", "IMPL-18")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(from_at=instants, to_at=instants)
def test_a_count_by_days_is_the_count_by_rows(days, from_at, to_at):
    assert counted(days, from_at, to_at) == by_rows(days, from_at, to_at)


@pytest.mark.req("LIST-16")
def test_the_days_are_proved_again_on_the_data(days):
    assert invariants.verify()[CHECK] == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_daytally SET orders = orders + 1 WHERE status_rank = 4")
    (found,) = invariants.verify()[CHECK]
    assert (found.merchant_id, found.what) == (days.pk, "2026-03-10: 2 for 1")


@pytest.mark.req("LIST-16")
def test_what_is_rolled_back_is_not_counted(days):
    before = list(DayTally.objects.order_by("pk").values_list("pk", "orders"))
    with transaction.atomic():
        unshipped_order(days)
        transaction.set_rollback(True)
    assert list(DayTally.objects.order_by("pk").values_list("pk", "orders")) == before


@pytest.mark.race
@pytest.mark.req("LIST-16", "INV-04")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_batches_of_the_same_days_at_once_lose_no_count(shop):
    """Verified and refused, each batch of both days in the other one's order."""
    from orders.domain import verification
    from payments.gateways import Verification, VerificationOutcome

    def settle(orders, outcome):
        answers = {order.pk: Verification(outcome) for order in orders}
        return lambda: verification.settle_verifications(answers, by=GATEWAY)

    with racers(2) as race:
        for _round in range(10):
            orders = [
                pending_order(shop, purchased_at=NOON - (n % 2) * 24 * HOUR) for n in range(8)
            ]
            answers = race(
                settle(orders[:4], VerificationOutcome.VERIFIED),
                settle(reversed(orders[4:]), VerificationOutcome.DECLINED),
            )
            assert answers == [None, None]
    assert invariants.verify()[CHECK] == []
    assert counted(shop, None, None)["unshipped"] == 40
