"""A buyer ends an order directly: while it is pending, or in its first minutes (T04, T11)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalog.models import Listing
from core import clock, jobs
from notifications.models import Outbox
from orders.domain import rates
from orders.models import Order
from payments.models import Operation
from tests.buyers import page_of, post, window_ends
from tests.factories import cancelled_order, order_in, pending_order, unshipped_order
from tests.outsiders import everything
from tests.pages import form_of, kinds, snapshot, words


@pytest.mark.req("T04", "T11", "BUYERCANCEL-01", "BUYERCANCEL-07", "PERF-04", "BUYER-02")
@pytest.mark.parametrize(
    ("make", "minutes", "move"),
    [(pending_order, 1, "T04"), (pending_order, 60 * 24, "T04"), (unshipped_order, 4, "T11")],
)
def test_the_buyer_cancels_and_is_not_charged(client, shop, make, minutes, move):
    order = make(shop, quantity=2, age=timedelta(minutes=minutes))
    page = words(client.get(page_of(order, "cancel/")))
    assert "This cannot be undone You are not charged." in page

    answer = post(client, order, "cancel/")

    order.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, page_of(order))
    told = words(client.get(page_of(order)))
    assert "Your order is cancelled. " in told
    assert "You cancelled it. You are not charged." in told
    assert (order.status, order.payment_state) == ("cancelled", "voided")
    end = order.cancellation
    assert (end.move, end.reason, end.counts, end.door) == (
        move, "BuyerSelfCancelled", False, "buyer"
    )  # fmt: skip
    assert Operation.objects.get(order=order).purpose == "void"
    assert Listing.objects.get(pk=order.items.get().listing_id).quantity_available == 1000
    owed = kinds(order)
    assert {"N36", "OrderCancelledNotification"} <= set(owed)
    assert not {"N06", "N04"} & set(owed)
    assert rates.of_month(shop, at=clock.now()).cancelled == 0


@pytest.mark.req("T11")
def test_the_merchant_hears_of_it_if_told_to_ship(client, shop, alice):
    """Sold, Ship Now leaves when the window has passed; a test order can be cancelled later."""
    told, silent = (unshipped_order(shop, is_test=True) for _ in range(2))
    Outbox.objects.filter(order=told, kind="N02").update(state="sent")
    for order in (told, silent):
        assert post(client, order, "cancel/").status_code == 302
    jobs.run("send-outbox")
    state = {
        order.pk: Outbox.objects.get(order=order, kind="N37").state for order in (told, silent)
    }
    assert state == {told.pk: "sent", silent.pk: "dropped"}


@pytest.mark.req("CANCEL-13")
def test_a_test_order_is_cancelled_from_its_buyers_page_until_it_ships(client, shop):
    order = unshipped_order(shop, is_test=True, age=timedelta(days=1))
    assert post(client, order, "cancel/").status_code == 302
    order.refresh_from_db()
    assert (order.status, order.cancellation.counts) == ("cancelled", False)
    shipped = order_in("shipped", shop, is_test=True)
    assert client.get(page_of(shipped, "cancel/")).status_code == 409


@pytest.mark.req("F14", "T11", "BUYERCANCEL-02")
def test_the_window_ends_while_the_page_is_open(client, shop):
    order = unshipped_order(shop, age=timedelta(minutes=1))
    fields = form_of(client, page_of(order, "cancel/"))
    before = snapshot(order)

    with clock.stopped(window_ends(order)):
        answer = client.post(page_of(order, "cancel/"), fields)

    assert answer.status_code == 409
    told = words(answer)
    assert "could be cancelled directly for 5 minutes. File a cancellation request." in told
    assert "Why do you want to cancel?" in told
    assert snapshot(order) == before
    with clock.stopped(window_ends(order) - timedelta(seconds=1)):
        assert client.post(page_of(order, "cancel/"), fields).status_code == 302


@pytest.mark.req("F14", "ORDERTYPE-09")
def test_what_the_platform_ships_is_never_cancelled_directly(client, shop):
    order = unshipped_order(shop, age=timedelta(0), fulfilment_channel="platform")
    assert "Why do you want to cancel?" in words(client.get(page_of(order, "cancel/")))
    fields = form_of(client, page_of(order, "cancel/")) | {"act": "cancel"}
    before = snapshot(order)
    answer = client.post(page_of(order, "cancel/"), fields)
    assert answer.status_code == 409
    assert "is shipped by the platform and cannot be cancelled directly" in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("BUYERCANCEL-07", "INV-05")
@pytest.mark.parametrize("status", ["partially_shipped", "shipped", "cancelled"])
def test_what_has_left_or_ended_is_not_cancelled(client, shop, status):
    order = order_in(status, shop, age=timedelta(seconds=1))
    before = snapshot(order)
    posted = {"act": "cancel", "token": "t", "seen": order.version}
    for answer in (
        client.get(page_of(order, "cancel/")),
        client.post(page_of(order, "cancel/"), posted),
        client.post(page_of(order, "cancel/"), posted | {"act": "request", "reason": "Other"}),
    ):
        assert answer.status_code == 409
        assert ("you want to return it" in words(answer)) == (status != "cancelled")
    assert snapshot(order) == before


@pytest.mark.req("INV-02", "IMPL-01")
def test_the_same_form_sent_twice_cancels_once(client, shop):
    order = unshipped_order(shop, age=timedelta(seconds=1))
    fields = form_of(client, page_of(order, "cancel/"))
    codes = [client.post(page_of(order, "cancel/"), fields).status_code for _ in range(2)]
    assert codes == [302, 302]
    assert kinds(order).count("N36") == 1
    assert Operation.objects.filter(order=order).count() == 1


@pytest.mark.req("IMPL-01", "IMPL-25")
def test_a_form_without_its_key_is_asked_for_again(client, shop):
    order = unshipped_order(shop, age=timedelta(seconds=1))
    before = everything()
    answer = client.post(page_of(order, "cancel/"), {"act": "cancel"})
    assert answer.status_code == 422
    assert "Open the page again and repeat." in words(answer)
    assert everything() == before


@pytest.mark.req("INV-02", "INV-16")
def test_a_buyers_key_is_of_their_own_order_alone(client, shop):
    """The same token on two orders, and on a merchant's form, are three different ones."""
    first, second = (unshipped_order(shop, age=timedelta(seconds=1)) for _ in range(2))
    for order in (first, second):
        assert post(client, order, "cancel/", token="same").status_code == 302
    assert set(Order.objects.values_list("status", flat=True)) == {"cancelled"}


@pytest.mark.req("CANCEL-05", "T11")
def test_what_was_paid_in_advance_is_given_back(client, japanese_shop):
    order = unshipped_order(japanese_shop, in_advance=True, age=timedelta(seconds=1))
    assert post(client, order, "cancel/").status_code == 302
    assert order.refunds.get().total == order.total
    assert "前払いいただいた金額は全額返金いたします。" in words(client.get(page_of(order)))


@pytest.mark.req("TH-26", "TH-12")
def test_another_sites_form_is_refused(order, shop):
    """The form's own token is asked for, although nobody is signed in."""
    from django.test import Client

    fresh = unshipped_order(shop, age=timedelta(seconds=1))
    strict = Client(enforce_csrf_checks=True)
    before = snapshot(fresh)
    posted = {"act": "cancel", "token": "t", "seen": fresh.version}
    for where in (page_of(fresh, "cancel/"), page_of(fresh, "change/"), page_of(fresh, "payment/")):
        assert strict.post(where, posted).status_code == 403
    assert strict.post(page_of(fresh, "customer-service/")).status_code == 403
    assert snapshot(fresh) == before


@pytest.mark.req("TH-32")
def test_acts_of_one_order_are_limited(client, shop):
    order, other = (unshipped_order(shop, age=timedelta(seconds=1)) for _ in range(2))
    with clock.stopped(order.purchased_at + timedelta(seconds=5)):
        codes = [
            client.post(page_of(order, "cancel/"), {"act": "cancel"}).status_code
            for _ in range(31)
        ]  # fmt: skip
        assert codes == [422] * 30 + [429]
        assert client.get(page_of(order)).status_code == 200
        assert post(client, other, "cancel/").status_code == 302


@pytest.mark.req("CANCEL-04")
def test_the_page_of_a_cancelled_order_says_why_without_reproach(client, shop):
    from orders.domain import verification
    from payments.gateways import Verification, VerificationOutcome
    from tests.factories import GATEWAY

    order = pending_order(shop)
    fraud = {order.pk: Verification(VerificationOutcome.FRAUD)}
    verification.settle_verifications(fraud, by=GATEWAY)
    told = words(client.get(page_of(order)))
    assert "The payment could not be secured. You are not charged." in told
    assert "raud" not in told
    assert "Pricing error" in words(client.get(page_of(cancelled_order(shop))))
