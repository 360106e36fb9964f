"""A pending order comes to its end: verified, refused, not paid in time, or told that it is slow."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock, jobs
from orders.domain import verification
from orders.models import Cancellation, Order
from payments.domain import instructions
from payments.gateways import Verification, VerificationOutcome
from payments.models import Operation, Payment
from tests.factories import (
    GATEWAY,
    MerchantFactory,
    cancelled_order,
    marketplace,
    pending_order,
    shipped_order,
    unshipped_order,
)
from tests.orders.offences import failing
from tests.pages import body, kinds, snapshot

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
STORE = {"payment_method": "convenience_store", "age": timedelta(0)}


def check(order: Order, after: timedelta) -> None:
    """Let the job ask the gateway so long after the purchase."""
    with clock.stopped(order.purchased_at + after):
        jobs.run("check-payments")
    order.refresh_from_db()


def store_order(shop, token: str) -> Order:
    return pending_order(shop, payment_token=f"convenience-store-{token}", **STORE)


@pytest.mark.req("PENDING-02", "T02", "PENDING-13")
def test_a_usual_payment_is_verified_after_a_quarter_of_an_hour(shop):
    order = pending_order(shop, age=timedelta(0))
    check(order, 14 * MINUTE)
    assert order.status == "pending"
    check(order, 16 * MINUTE)
    assert (order.status, order.payment_state) == ("unshipped", "authorised")
    assert order.verified_at == order.purchased_at + 16 * MINUTE
    assert "N03" not in kinds(order)
    assert Payment.objects.get(pk=order.pk).next_check_at is None


@pytest.mark.req("PENDING-15", "PENDING-05")
def test_a_slip_of_the_pen_in_a_token_is_no_sale(shop):
    order = pending_order(shop, payment_token="decilned", age=timedelta(0))
    check(order, 16 * MINUTE)
    assert (order.status, order.payment_state) == ("cancelled", "declined")


@pytest.mark.req("PENDING-03", "PENDING-02")
def test_a_slow_one_is_told_to_its_buyer_once(shop):
    order = pending_order(shop, age=timedelta(0), payment_token="ok-slow")
    for minutes, told in ((2, 0), (15, 0), (16, 1), (17, 1), (45, 1)):
        check(order, minutes * MINUTE)
        assert (order.status, kinds(order).count("N03")) == ("pending", told), minutes
    check(order, 61 * MINUTE)
    assert (order.status, kinds(order).count("N03")) == ("unshipped", 1)


@pytest.mark.req("PENDING-03", "T03", "PENDING-06")
@pytest.mark.parametrize("token", ["declined", "fraud"])
def test_a_refused_one_ends_the_order_without_a_mail_to_the_merchant(shop, token):
    order = pending_order(shop, age=timedelta(0), payment_token=token)
    check(order, 16 * MINUTE)
    assert order.status == "cancelled"
    assert kinds(order) == ["N04", "NewOrderNotification", "OrderCancelledNotification"]
    assert not Cancellation.objects.get(order=order).counts


@pytest.mark.req("PENDING-12", "T03", "PENDING-07")
@pytest.mark.parametrize(("code", "days"), [("UK_CHECKOUT", 7), ("JP_2019", 14)])
def test_what_is_never_verified_ends_at_the_timeout(settings, code, days):
    settings.SANDBOX_VERIFICATION_DELAY = 100 * DAY
    country = "JP" if code == "JP_2019" else "GB"
    shop = MerchantFactory(marketplace=marketplace(code), country=country)
    order = pending_order(shop, age=timedelta(0))
    check(order, days * DAY - MINUTE)
    assert order.status == "pending"
    check(order, days * DAY + MINUTE)
    why = Cancellation.objects.get(order=order)
    assert (order.status, why.reason, why.counts) == ("cancelled", "PaymentTimeout", False)
    assert [o.purpose for o in Operation.objects.filter(order=order)] == ["void"]
    assert "N04" in kinds(order)
    assert not {"N08", "N37"} & set(kinds(order))


@pytest.mark.req("PENDING-10", "T02")
def test_money_from_the_convenience_store_releases_the_order(japanese_shop):
    order = store_order(japanese_shop, "paid")
    assert order.payment_state == "awaiting_payment"
    assert "N30" in kinds(order)
    told = instructions.of_order(order.pk)
    assert told.pay_by_at == order.purchased_at + 6 * DAY
    check(order, 20 * MINUTE)
    assert (order.status, order.payment_state) == ("unshipped", "paid_in_advance")
    assert "N03" not in kinds(order)


@pytest.mark.req("PENDING-10", "T03", "PENDING-06")
def test_money_that_does_not_come_in_time_ends_the_order(japanese_shop):
    order = store_order(japanese_shop, "unpaid")
    check(order, 6 * DAY - MINUTE)
    assert (order.status, "N03" in kinds(order)) == ("pending", False)
    check(order, 6 * DAY)
    assert order.status == "cancelled"
    assert Cancellation.objects.get(order=order).reason == "AdvancePaymentOverdue"
    assert kinds(order) == ["N04", "N30", "NewOrderNotification", "OrderCancelledNotification"]


@pytest.mark.req("PENDING-10", "FT-35")
def test_while_the_gateway_is_silent_no_term_ends(japanese_shop, settings):
    """The money may have come: only the gateway can say that it has not."""
    order = store_order(japanese_shop, "paid")
    settings.PAYMENT_GATEWAY = "tests.silent.Silent"
    for days in (7, 20):
        check(order, days * DAY)
        assert order.status == "pending"
    settings.PAYMENT_GATEWAY = "payments.gateways.sandbox.SandboxGateway"
    check(order, 21 * DAY)
    assert (order.status, order.payment_state) == ("unshipped", "paid_in_advance")


@pytest.mark.req("PENDING-12", "FT-35")
def test_a_card_that_nobody_can_check_times_out(shop, settings):
    settings.PAYMENT_GATEWAY = "tests.silent.Silent"
    order = pending_order(shop, age=timedelta(0))
    check(order, 20 * MINUTE)
    assert (order.status, kinds(order).count("N03")) == ("pending", 1)
    check(order, 7 * DAY)
    assert order.status == "cancelled"


@pytest.mark.req("PENDING-10", "PENDING-11")
def test_payment_numbers_differ_and_only_stores_have_one(japanese_shop, shop):
    numbers = {instructions.of_order(store_order(japanese_shop, "paid").pk).number for _ in "abc"}
    assert len(numbers) == 3
    assert all(len(number) == 14 and number.count("-") == 2 for number in numbers)
    assert instructions.of_order(pending_order(shop).pk) is None


@pytest.mark.req("PENDING-11", "INV-17")
def test_no_page_of_the_merchant_tells_the_payment_number(client, kenji, japanese_shop):
    orders = [store_order(japanese_shop, "unpaid"), unshipped_order(japanese_shop, in_advance=True)]
    client.force_login(kenji)
    for order in orders:
        number = instructions.of_order(order.pk).number
        for page in (f"/orders/{order.number}/", f"/orders/{order.number}/packing-slip/"):
            assert number not in body(client.get(page))
        assert number not in body(client.get("/orders/?status=all&range=all"))
        assert number not in str(list(order.history.values()) + list(order.messages_owed.values()))


@pytest.mark.req("AUTO-11", "PENDING-02")
def test_one_bad_order_keeps_no_other_from_being_verified(shop, caplog):
    orders = [pending_order(shop, age=timedelta(0)) for _ in range(3)]
    with failing("audit_entry", orders[1]):
        check(orders[0], 16 * MINUTE)
        statuses = [Order.objects.get(pk=order.pk).status for order in orders]
        assert statuses == ["unshipped", "pending", "unshipped"]
    assert "verification.failed" in caplog.text
    check(orders[1], 18 * MINUTE)
    assert orders[1].status == "unshipped"


@pytest.mark.req("PENDING-09", "K12", "FT-36", "INV-02")
@pytest.mark.parametrize("make", [unshipped_order, shipped_order, cancelled_order])
@pytest.mark.parametrize("outcome", VerificationOutcome)
def test_an_answer_that_comes_late_changes_nothing(shop, make, outcome):
    order = make(shop)
    before = snapshot(order)
    for _twice in range(2):
        verification.settle_verifications({order.pk: Verification(outcome)}, by=GATEWAY)
    assert snapshot(order) == before
