"""E-mails on an order's timeline, and a merchant whose own address rejects them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from notifications.domain import outbox
from tests.factories import unshipped_order
from tests.notifications.test_sending import BUYER, contact
from tests.pages import words
from tests.sinks.smtp import LATER, NEVER


def timeline(client, order) -> list[str]:
    html = client.get(f"/orders/{order.number}/").content.decode()
    listed = html.partition('class="timeline"')[2].partition("</ol>")[0]
    return [line.partition("<div")[0].partition(">")[2] for line in listed.split("<li")[1:]]


@pytest.mark.req("DETAIL-10")
def test_mails_stand_among_the_events_with_kind_time_and_result(client, alice, shop, sink, send):
    order = unshipped_order(shop)
    client.force_login(alice)
    send()
    assert timeline(client, order)[-2:] == [
        "E-mail to the buyer: Order confirmation",
        "E-mail to you: Sold, Ship Now",
    ]
    assert "the platform" in words(client.get(f"/orders/{order.number}/"))


@pytest.mark.req("NOTIF-11", "DETAIL-10", "PENDING-04", "INV-17")
def test_a_mail_that_failed_for_good_is_told_without_an_address(client, alice, shop, sink, send):
    sink.behaviours["gone@mail.example"] = NEVER
    sink.behaviours["busy@mail.example"] = LATER
    shop.notify_sold_ship_now = False
    shop.save()
    gone = unshipped_order(shop, contact=contact("gone@mail.example"))
    busy = unshipped_order(shop, contact=contact("busy@mail.example"))
    client.force_login(alice)
    send()
    failed = "E-mail to the buyer failed for good: Order confirmation (550 5.1.1)"
    put_off = (
        "E-mail to the buyer was not taken yet and will be tried again:"
        " Order confirmation (451 4.7.1)"
    )
    assert (timeline(client, gone)[-1], timeline(client, busy)[-1]) == (failed, put_off)
    assert not any("@" in line for line in timeline(client, gone) + timeline(client, busy))


@pytest.mark.req("NOTIF-11")
def test_a_merchant_whose_address_rejects_mail_is_known_until_one_is_taken(shop, alice, sink, send):
    assert outbox.rejected_mail(shop.pk) is None
    sink.behaviours["alice@shop.example"] = NEVER
    order = unshipped_order(shop)
    send()
    rejected = outbox.rejected_mail(shop.pk)
    assert (rejected.kind, rejected.order, rejected.last_error) == ("N02", order, "550 5.1.1")
    unshipped_order(shop)
    assert outbox.rejected_mail(shop.pk) == rejected  # one that waits says nothing yet
    del sink.behaviours["alice@shop.example"]
    send()
    assert outbox.rejected_mail(shop.pk) is None


@pytest.mark.req("NOTIF-11")
def test_a_buyers_bad_address_is_not_the_merchants(shop, alice, sink, send):
    sink.behaviours[BUYER] = NEVER
    unshipped_order(shop)
    send()
    assert outbox.rejected_mail(shop.pk) is None


@pytest.mark.req("NOTIF-11", "NOTIF-01")
def test_eight_refusals_in_a_row_are_a_failure_too(shop, alice, sink, send):
    sink.behaviours["alice@shop.example"] = LATER
    unshipped_order(shop)
    for days in range(9):
        with clock.stopped(clock.now() + timedelta(days=3 * days)):
            send()
    assert outbox.rejected_mail(shop.pk).last_error == "451 4.7.1"
