"""What only a browser can say about the looks: nothing overflows, nothing is too small to hit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orders.domain.drafts import ContactDraft
from tests.factories import (
    AMOUNTS,
    CONTACT,
    ItemDraft,
    ListingFactory,
    refund,
    shipped_order,
    unshipped_order,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
# Text that runs out of the box it stands in, of its cell or of its button.
RUNS_OUT = """[...document.querySelectorAll('td, th, .btn, .badge, .pill, dd')]
  .filter(box => box.offsetParent && box.scrollWidth > box.clientWidth + 1
                 && getComputedStyle(box).overflowX === 'visible'
                 && getComputedStyle(box).display !== 'inline')
  .map(box => box.innerText.slice(0, 60))"""
TOO_SMALL = """[...document.querySelectorAll('a, button, input, select, summary')]
  .map(target => [target, (target.closest('label') || target).getBoundingClientRect()])
  .filter(([target, box]) => target.offsetParent && box.width && !target.closest('p, .row-group, .visually-hidden')
                             && target.type !== 'hidden' && (box.height < 24 || box.width < 24))
  .map(([target, box]) => `${target.innerText || target.name} ${box.width}x${box.height}`)"""


@pytest.fixture
def long_order(cast):
    """Names, titles and references as long as they may be, without a place to break."""
    shop, _alice = cast
    listing = ListingFactory(merchant=shop, sku="S" * 40, title="Donaudampfschifffahrt" * 9)
    values = {name: getattr(CONTACT, name) for name in CONTACT.__slots__}
    contact = ContactDraft(**{**values, "recipient_name": "W" * 100, "address_1": "A" * 180})
    shop.is_sandbox, shop.clock_ahead = True, timedelta(hours=1)
    shop.save()
    return unshipped_order(
        shop,
        lines=[ItemDraft(listing.sku, 999, AMOUNTS, customisation="E" * 200)],
        contact=contact,
        buyer_name="Wolfeschlegelstein" * 5,
        is_business=True,
        is_prime=True,
        purchase_order_number="P" * 35,
        age=timedelta(days=24),
    )


def _paths(order):
    return (
        "/home/",
        "/settings/clock/",
        "/orders/",
        "/orders/?status=at_risk",
        f"/orders/{order.number}/dates/",
        "/orders/?status=all&advanced=1",
        f"/orders/?q={order.number}",
        f"/orders/{order.number}/",
        f"/orders/{order.number}/confirm-shipment/",
        f"/orders/{order.number}/cancel/",
        "/help/shortcuts/",
        "/nowhere/",
    )


@pytest.mark.req("IMPL-24", "IMPL-27")
@pytest.mark.parametrize("width", [320, 360, 390, 720, 1024, 1440])
def test_the_longest_texts_stay_in_their_places(open_page, long_order, width):
    page = open_page(width=width)
    found = {}
    for path in _paths(long_order):
        page.goto(path)
        if page.evaluate(TOO_WIDE) or page.evaluate(RUNS_OUT):
            found[path] = page.evaluate(RUNS_OUT)
    assert found == {}


@pytest.mark.req("IMPL-23", "IMPL-24")
@pytest.mark.parametrize("width", [390, 1440])
def test_every_target_can_be_hit(open_page, long_order, width):
    page = open_page(width=width)
    found = {}
    for path in _paths(long_order):
        page.goto(path)
        if small := page.evaluate(TOO_SMALL):
            found[path] = small
    assert found == {}


@pytest.mark.req("SHIP-04")
def test_the_carriers_name_is_asked_for_with_other_only(open_page, shop):
    order = unshipped_order(shop)
    for script in (True, False):
        page = open_page(f"/orders/{order.number}/confirm-shipment/", script=script)
        name = page.locator("#carrier_name")
        assert not name.is_visible()
        page.select_option("#carrier", "Other")
        assert name.is_visible()


@pytest.mark.req("REFUND-03", "MONEY-13")
@pytest.mark.parametrize(
    ("typed", "total"),
    [("11.46", "£11.46"), ("1234567.8", "£1,234,567.80"), ("1,000", "£0.00"), ("1.005", "£0.00")],
)
def test_the_running_total_reads_amounts_as_the_server_does(open_page, shop, typed, total):
    order = shipped_order(shop, amounts=AMOUNTS)
    page = open_page(f"/orders/{order.number}/refund/?tab=partial")
    page.fill(f"#item_cost_{order.items.get().pk}", typed)
    assert page.locator("[data-total]").inner_text() == total


@pytest.mark.req("REFUND-03", "MONEY-13")
def test_yen_have_no_decimals_in_the_running_total(open_page, kenji, japanese_shop):
    from decimal import Decimal

    from orders.domain import shipments
    from orders.domain.packages import Package
    from tests.factories import STAFF

    money = {"item_price": Decimal(2400)}
    order = unshipped_order(japanese_shop, amounts=money)
    package = Package(ship_date=order.marketplace.local_date(order.purchased_at), carrier="Yamato")
    wanted = shipments.Confirmation(order_id=order.pk, package=package)
    shipments.confirm_shipment(wanted=wanted, by=STAFF)
    page = open_page(f"/orders/{order.number}/refund/?tab=partial", user=kenji)
    page.fill(f"#item_cost_{order.items.get().pk}", "1500")
    assert page.locator("[data-total]").inner_text() == "¥1,500"


@pytest.mark.req("LIST-16", "IMPL-24")
def test_on_a_phone_the_chosen_view_and_range_are_in_sight(open_page, shop):
    unshipped_order(shop)
    page = open_page("/orders/?status=attention&range=90d", width=390)
    for strip in (".quickviews", ".segmented"):
        box = page.locator(f"{strip} [aria-current]").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


@pytest.mark.req("SLIP-05")
def test_paper_carries_the_sheet_and_no_controls(open_page, shop):
    order = unshipped_order(shop)
    page = open_page(f"/orders/{order.number}/packing-slip/")
    page.evaluate("window.print = () => { document.title = 'printed' }")
    page.get_by_role("button", name="Print", exact=True).click()
    assert page.title() == "printed"
    page.emulate_media(media="print")
    assert not page.locator(".printbar").is_visible()
    assert page.locator(".label").is_visible()
    given = shipped_order(shop, amounts=AMOUNTS)
    refund(given, "16.00")
    page.goto(f"/orders/{given.number}/")
    for control in (".topbar", ".action-bar", "#note"):
        assert not page.locator(control).is_visible()
