"""How to pay in advance: for the buyer alone, sent again on demand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from orders.models import Order
from payments.models import Payment
from tests.buyers import page_of
from tests.factories import MembershipFactory, pending_order, unshipped_order
from tests.outsiders import everything
from tests.pages import kinds, words


@pytest.fixture
def waiting(japanese_shop) -> Order:
    return pending_order(
        japanese_shop,
        payment_method="convenience_store",
        payment_token="convenience-store-unpaid",
    )


@pytest.mark.req("BUYER-05", "PENDING-10", "PENDING-11")
def test_the_instructions_are_shown_and_sent_again(client, waiting):
    assert "お支払い方法</a>" in client.get(page_of(waiting)).content.decode()
    page = words(client.get(page_of(waiting, "payment/")))
    assert "¥12" in page
    assert kinds(waiting).count("N30") == 1

    answer = client.post(page_of(waiting, "payment/"))

    assert (answer.status_code, answer["Location"]) == (302, page_of(waiting))
    assert "お支払い方法のご案内をメールでお送りします。" in words(client.get(page_of(waiting)))
    assert kinds(waiting).count("N30") == 2
    entry = waiting.history.order_by("-number").first()
    assert (entry.event, entry.after) == ("order.instructions_resent", {})


@pytest.mark.req("BUYER-05", "TH-32")
def test_five_sendings_an_hour_are_enough(client, waiting):
    with clock.stopped(waiting.purchased_at + timedelta(hours=2)):
        codes = [client.post(page_of(waiting, "payment/")).status_code for _ in range(6)]
    assert codes == [302] * 5 + [429]
    assert kinds(waiting).count("N30") == 6


@pytest.mark.req("BUYER-05")
@pytest.mark.parametrize("which", ["card", "paid", "cancelled"])
def test_where_nothing_is_to_be_paid_there_are_no_instructions(
    client, shop, japanese_shop, waiting, which
):
    order = {"card": lambda: pending_order(shop), "cancelled": lambda: waiting}.get(
        which, lambda: unshipped_order(japanese_shop, in_advance=True)
    )()
    if which == "cancelled":
        from orders.domain import cancellations
        from tests.buyers import BUYER

        cancellations.cancel_for_buyer(order_id=order.pk, by=BUYER)
    before = everything()
    for answer in (client.get(page_of(order, "payment/")), client.post(page_of(order, "payment/"))):
        assert answer.status_code == 409
    assert everything() == before
    assert "/payment/" not in client.get(page_of(order)).content.decode()


@pytest.mark.req("PENDING-11", "INV-17")
def test_no_merchants_page_says_how_its_buyer_pays(client, japanese_shop, waiting):
    client.force_login(MembershipFactory(merchant=japanese_shop, is_owner=True).user)
    payment = Payment.objects.get(pk=waiting.pk)
    term = payment.pay_by_at.astimezone(japanese_shop.marketplace.zone)
    for address in ("/orders/?status=all", f"/orders/{waiting.number}/"):
        page = client.get(address)
        assert page.status_code == 200
        for secret in (payment.token, f"{term:%Y/%m/%d, %H:%M}", "onvenience"):
            assert secret not in page.content.decode()
