"""The cancellation rate of a month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from core import clock
from core.actor import Actor
from orders.domain import cancellations, rates, verification
from orders.enums import CancelReason
from tests.factories import GATEWAY, STAFF, pending_order, unshipped_order

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def verified(shop, count):
    return [unshipped_order(shop) for _ in range(count)]


def cancel(order, reason=CancelReason.PRICING_ERROR):
    cancellations.cancel_order(wanted=cancellations.CancelRequest(order.pk, reason), by=STAFF)


@pytest.mark.req("PERF-02", "PERF-03", "CANCEL-07")
def test_six_of_a_hundred_is_too_high_and_five_is_not(shop):
    with clock.stopped(NOON):
        orders = verified(shop, 20)
        cancel(orders[0])
        five = rates.of_month(shop, at=NOON)
        assert (five.percent, five.percent_with_one_more) == (Decimal("5.00"), Decimal("10.00"))
        assert five.would_be_too_high is True
        assert rates.Rate(4, 100, Decimal("5.00")).would_be_too_high is False
        assert rates.Rate(5, 100, Decimal("5.00")).would_be_too_high is True


@pytest.mark.req("PERF-02")
def test_a_month_without_verified_orders_has_no_rate(shop):
    assert rates.of_month(shop, at=NOON).percent is None


@pytest.mark.req("PERF-04", "PENDING-07", "BUYERCANCEL-08")
def test_what_counts_and_what_does_not(shop):
    with clock.stopped(NOON):
        orders = verified(shop, 4)
        declined = pending_order(shop)
        outcome = verification.Outcome.DECLINED
        answers = {declined.pk: verification.Verification(outcome)}
        verification.settle_verifications(answers, by=GATEWAY)
        cancellations.cancel_for_platform(
            order_id=orders[0].pk, note="fraud", by=Actor("operator", "Olive")
        )
        assert rates.of_month(shop, at=NOON).cancelled == 0
        cancel(orders[1], CancelReason.BUYER_CANCELLED)
        assert rates.of_month(shop, at=NOON).cancelled == 1


@pytest.mark.req("PERF-02", "IMPL-05")
def test_the_month_is_the_marketplaces(shop):
    """June begins in London an hour before it does in UTC."""
    with clock.stopped(datetime(2026, 5, 31, 23, 30, tzinfo=UTC)):
        cancel(unshipped_order(shop))
    with clock.stopped(datetime(2026, 5, 31, 22, 30, tzinfo=UTC)):
        cancel(unshipped_order(shop))
    rate = rates.of_month(shop, at=NOON + timedelta(hours=1))
    assert (rate.cancelled, rate.verified) == (1, 1)
