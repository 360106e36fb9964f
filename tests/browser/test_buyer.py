"""A buyer with a phone and a link: change, cancel, ask, hear the answer; script on and off."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from orders.domain import requests
from orders.enums import RequestReason
from tests.browser.test_accessibility import _violations
from tests.browser.test_looks import RUNS_OUT, TOO_SMALL, TOO_WIDE
from tests.buyers import BUYER, file_request, page_of
from tests.factories import (
    AMOUNTS,
    STAFF,
    ItemDraft,
    ListingFactory,
    order_in,
    partially_shipped_order,
    pending_order,
    refund,
    shipped_order,
    unshipped_order,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
script_on_and_off = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


@pytest.mark.req("BUYERCANCEL-01", "BUYER-02", "TH-26", "TECH-05")
@script_on_and_off
def test_change_an_order_then_cancel_it(open_page, shop, script):
    """The browser tells these pages' address to nobody, and the forms are accepted all the same."""
    order = unshipped_order(shop, quantity=2, amounts=AMOUNTS, age=timedelta(0))
    page = open_page(page_of(order), script=script, width=390, user=None)
    page.get_by_role("link", name="Change order").click()
    page.fill(f"#quantity_{order.items.get().pk}", "0")
    page.get_by_role("button", name="Save changes").click()
    assert "Enter a quantity of 1 or more." in page.locator(".error-summary").inner_text()
    page.fill(f"#quantity_{order.items.get().pk}", "3")
    page.fill("#address_1", "3 Pier Road")
    page.get_by_role("button", name="Save changes").click()

    page.wait_for_url(f"**{page_of(order)}")
    assert "Your order is changed." in page.locator("[data-message]").inner_text()
    order.refresh_from_db()
    assert order.total == Decimal("188.40")
    assert "£188.40" in page.locator(".facts").inner_text()

    page.get_by_role("link", name="Cancel order").click()
    page.get_by_role("link", name="Keep the order").click()
    page.get_by_role("link", name="Cancel order").click()
    page.get_by_role("button", name="Cancel order").click()
    page.wait_for_url(f"**{page_of(order)}")
    assert "Your order is cancelled." in page.locator("[data-message]").inner_text()
    order.refresh_from_db()
    assert order.status == "cancelled"


@pytest.mark.req("BUYERCANCEL-02", "BUYERCANCEL-03", "BUYERCANCEL-04", "TECH-05")
@script_on_and_off
def test_ask_and_hear_the_answer(open_page, shop, script):
    order = unshipped_order(shop)
    buyer = open_page(page_of(order), script=script, width=390, user=None)
    buyer.get_by_role("link", name="Request cancellation").click()
    buyer.get_by_role("button", name="Send request").click()
    assert "Choose a reason" in buyer.locator(".error-summary").inner_text()
    buyer.get_by_label("Found cheaper").check()
    buyer.get_by_role("button", name="Send request").click()
    buyer.wait_for_url(f"**{page_of(order)}")
    assert "You asked for a cancellation" in buyer.content()

    merchant = open_page("/orders/", script=script)
    assert "Buyer requested cancellation" in merchant.locator(".cell-status").inner_text()
    merchant.get_by_role("link", name=order.number).first.click()
    merchant.get_by_role("link", name="Answer the request").click()
    merchant.get_by_label("Decline: the order stays").check()
    merchant.get_by_role("button", name="Submit").click()
    assert "Tell the buyer why" in merchant.locator("[data-error-summary]").inner_text()
    merchant.fill("#text", "It is packed already.")
    merchant.get_by_role("button", name="Submit").click()
    assert "is declined" in merchant.locator("[data-message]").inner_text()

    buyer.reload()
    assert "It is packed already." in buyer.content()


@pytest.mark.req("BUYERCANCEL-05", "TECH-05")
@script_on_and_off
def test_turn_to_customer_service(open_page, shop, script):
    order = unshipped_order(shop)
    with clock.stopped(clock.now() - timedelta(minutes=40)):
        request = file_request(order)
    request.answer_by_at -= timedelta(hours=48)
    request.save()
    page = open_page(page_of(order), script=script, user=None)
    page.get_by_role("link", name="Pass it to customer service").click()
    page.get_by_role("button", name="Pass it to customer service").click()
    page.wait_for_url(f"**{page_of(order)}")
    assert "Customer service has your request now." in page.locator("[data-message]").inner_text()
    request.refresh_from_db()
    assert request.state == "escalated"


@pytest.mark.req("SHIP-23", "TECH-05")
@script_on_and_off
def test_shipping_against_the_buyers_wish_takes_a_tick(open_page, shop, script):
    order = unshipped_order(shop)
    file_request(order)
    page = open_page(f"/orders/{order.number}/confirm-shipment/", script=script)
    page.select_option("#carrier", "DPD")
    page.get_by_role("button", name="Confirm shipment").click()
    told = page.locator("[data-error-summary]").inner_text()
    assert "The buyer has asked for a cancellation." in told
    page.get_by_label("Ship although the buyer requested cancellation").check()
    page.get_by_role("button", name="Confirm shipment").click()
    assert "Shipment confirmed" in page.locator("[data-message]").inner_text()


@pytest.fixture
def addresses(cast, japanese_shop):
    """Every page of buyers, in both languages, and the merchant's answer."""
    shop, _alice = cast
    shop.contact_phone = "01632 960417"
    shop.save()
    found = []
    for place in (shop, japanese_shop):
        fresh = unshipped_order(place, lines=2, age=timedelta(0))
        asked, declined, old = (unshipped_order(place) for _ in range(3))
        file_request(asked, RequestReason.OTHER)
        file_request(declined)
        requests.decline(order_id=declined.pk, answer="No.", by=STAFF)
        overdue = unshipped_order(place)
        request = file_request(overdue)
        request.answer_by_at -= timedelta(hours=49)
        request.save()
        found += [page_of(order) for order in (fresh, asked, declined, overdue)]
        found += [page_of(fresh, act) for act in ("change/", "cancel/")]
        found += [page_of(order, "cancel/") for order in (asked, old, overdue)]
        found += [page_of(order_in(status, place)) for status in ("pending", "cancelled")]
    waiting = pending_order(
        japanese_shop, payment_method="convenience_store", payment_token="convenience-store-unpaid"
    )
    given = shipped_order(shop, amounts=AMOUNTS)
    refund(given, "16.00", memo="Chipped")
    part = partially_shipped_order(shop)
    found += [page_of(waiting), page_of(waiting, "payment/"), page_of(given), page_of(part)]
    found += [page_of(part, "cancel/"), page_of(given, "receipt/"), "/buyer/x/"]
    asked = unshipped_order(shop)
    file_request(asked)
    return [
        *found,
        f"/orders/{asked.number}/",
        f"/orders/{asked.number}/cancellation-request/",
        f"/orders/{asked.number}/confirm-shipment/",
        f"/orders/{asked.number}/cancel/",
        "/orders/?status=attention",
    ]


@pytest.mark.req("IMPL-23")
@pytest.mark.parametrize(
    ("width", "dark"), [(1440, False), (1440, True), (390, False), (390, True)]
)
def test_axe_finds_nothing(open_page, addresses, width, dark):
    page = open_page("/orders/", width=width, dark=dark)
    found = {}
    for address in addresses:
        page.goto(address)
        if problems := _violations(page):
            found[address] = problems
    assert found == {}


@pytest.mark.req("IMPL-23", "IMPL-25")
def test_axe_finds_nothing_on_forms_with_errors(open_page, shop):
    fresh, old = unshipped_order(shop, age=timedelta(0)), unshipped_order(shop)
    file_request(asked := unshipped_order(shop))
    page = open_page(page_of(fresh, "change/"))
    page.fill("#city", "")
    page.fill(f"#quantity_{fresh.items.get().pk}", "0")
    page.get_by_role("button", name="Save changes").click()
    assert _violations(page) == []
    page.goto(page_of(old, "cancel/"))
    page.get_by_role("button", name="Send request").click()
    assert _violations(page) == []
    page.goto(f"/orders/{asked.number}/cancellation-request/")
    page.get_by_role("button", name="Submit").click()
    assert _violations(page) == []
    page.goto(f"/orders/{asked.number}/confirm-shipment/")
    page.select_option("#carrier", "DPD")
    page.get_by_role("button", name="Confirm shipment").click()
    assert _violations(page) == []


@pytest.mark.req("IMPL-24", "IMPL-23")
@pytest.mark.parametrize("width", [320, 390, 1024, 1440])
def test_the_longest_texts_stay_in_their_places(open_page, addresses, shop, width):
    listing = ListingFactory(merchant=shop, sku="S" * 40, title="Donaudampfschifffahrt" * 9)
    lines = [ItemDraft(listing.sku, 999, AMOUNTS, customisation="E" * 200)]
    long = unshipped_order(shop, lines=lines, age=timedelta(0))
    declined = unshipped_order(shop)
    file_request(declined)
    requests.decline(order_id=declined.pk, answer="W" * 1000, by=BUYER)
    page = open_page(width=width)
    found = {}
    for address in [*addresses, page_of(long), page_of(long, "change/"), page_of(declined)]:
        page.goto(address)
        if page.evaluate(TOO_WIDE) or page.evaluate(RUNS_OUT):
            found[address] = page.evaluate(RUNS_OUT)
        if width in (390, 1440) and (small := page.evaluate(TOO_SMALL)):
            found[address] = small
    assert found == {}
