"""The day's work in a real browser: find, confirm, print, cancel, refund; script on and off."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.factories import AMOUNTS, confirm, shipped_order, unshipped_order
from tests.pages import kinds

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
script_on_and_off = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


@pytest.mark.req("TECH-05", "SHIP-01", "SHIP-08", "SLIP-01", "SLIP-06", "SEARCH-05", "IMPL-36")
@script_on_and_off
def test_find_confirm_print(open_page, shop, script):
    order = unshipped_order(shop, quantity=2)
    unshipped_order(shop)
    page = open_page("/orders/", script=script)

    page.fill("#q", order.number)
    page.get_by_role("search").get_by_role("button", name="Search").click()
    page.wait_for_url("**q=*")
    assert page.locator(".order-id a").all_inner_texts() == [order.number]

    page.get_by_role("link", name=f"Confirm Shipment for {order.number}").click()
    page.select_option("#carrier", "Royal Mail")
    page.fill("#tracking_id", "QT273644819GB")
    page.get_by_role("button", name="Confirm shipment").click()

    page.wait_for_url("**/orders/?q=*")
    assert "Shipment confirmed" in page.locator("[data-message]").inner_text()
    order.refresh_from_db()
    assert order.status == "shipped"

    page.get_by_role("link", name=f"Print order packing slip for {order.number}").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Shipping Label/Packing List"
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download PDF").click()
    assert waiting.value.suggested_filename == f"packing-slip-{order.number}.pdf"


@pytest.mark.req("TECH-05", "CANCEL-01", "CANCEL-02", "CANCEL-04", "IMPL-07")
@script_on_and_off
def test_cancel_with_a_reason(open_page, shop, script):
    order = unshipped_order(shop)
    page = open_page(f"/orders/{order.number}/", script=script)

    page.get_by_role("link", name="Cancel Order").click()
    page.get_by_role("button", name="Submit").click()
    assert "Choose a reason" in page.locator("[data-error-summary]").inner_text()
    page.get_by_label("Pricing error").check()
    page.get_by_role("button", name="Submit").click()

    assert f"Order {order.number} is cancelled" in page.locator("[data-message]").inner_text()
    order.refresh_from_db()
    assert order.status == "cancelled"


@pytest.mark.req("TECH-05", "REFUND-03", "REFUND-08", "REFUND-13")
@script_on_and_off
def test_refund_a_part_with_a_last_look(open_page, shop, script):
    order = shipped_order(shop, amounts=AMOUNTS)
    item = order.items.get()
    page = open_page(f"/orders/{order.number}/", script=script)

    page.get_by_role("link", name="Refund Order").click()
    page.get_by_role("link", name="Partial Refund").click()
    page.fill(f"#item_cost_{item.pk}", "11.46")
    if script:  # typing an amount ticks its item and adds up
        assert page.locator(f"#item_{item.pk}").is_checked()
        assert page.locator("[data-total]").inner_text() == "£11.46"
    else:
        page.check(f"#item_{item.pk}")
        page.get_by_role("button", name="Work out the total").click()
        assert page.locator("[data-total]").inner_text() == "£11.46"
    page.select_option("#reason", "GeneralAdjustment")
    page.fill("#memo", "Bent candles")
    page.get_by_role("button", name="Submit Partial Refund").click()
    assert "Refund £11.46 to Eilidh MacLeod?" in page.locator("#look-title").inner_text()

    page.get_by_role("link", name="Back").click()
    assert page.input_value("#memo") == "Bent candles"
    assert page.input_value(f"#item_cost_{item.pk}") == "11.46"
    page.get_by_role("button", name="Submit Partial Refund").click()
    page.get_by_role("button", name="Refund £11.46").click()

    assert "Refund of £11.46 submitted" in page.locator("[data-message]").inner_text()
    order.refresh_from_db()
    assert order.refunded_total == Decimal("11.46")


@pytest.mark.req("INV-02", "IMPL-01", "REFUND-13")
def test_a_double_click_and_the_back_button_refund_once(open_page, shop):
    order = shipped_order(shop, amounts=AMOUNTS)
    page = open_page(f"/orders/{order.number}/refund/")
    page.select_option("#reason", "CustomerReturn")
    page.get_by_role("button", name="Submit Full Refund").click()

    page.get_by_role("button", name="Refund £125.60").dblclick(no_wait_after=True)
    page.wait_for_selector("[data-message]")
    page.go_back()
    page.wait_for_selector("[data-message]")
    assert "That refund form was sent" in page.locator("[data-message]").inner_text()

    assert order.refunds.count() == 1
    assert kinds(order).count("N10") == 1


@pytest.mark.req("INV-02", "IMPL-01", "IMPL-31")
def test_the_back_button_after_confirming_confirms_once(open_page, shop):
    order = unshipped_order(shop, quantity=2)
    page = open_page(f"/orders/{order.number}/confirm-shipment/")
    page.select_option("#carrier", "DPD")
    page.get_by_role("button", name="Confirm shipment").click()
    page.wait_for_selector("[data-message]")

    page.go_back()
    page.wait_for_load_state()
    button = page.get_by_role("button", name="Confirm shipment")
    if button.count():
        button.click()
        page.wait_for_load_state()
    else:  # pages with orders are not kept: the fresh one says that everything is confirmed
        assert "Everything in order" in page.content()

    assert order.shipments.count() == 1


@pytest.mark.req("IMPL-02", "IMPL-31")
def test_a_stale_tab_says_who_changed_the_order_and_keeps_what_was_typed(open_page, shop):
    order = unshipped_order(shop, quantity=3)
    page = open_page(f"/orders/{order.number}/confirm-shipment/")
    page.select_option("#carrier", "DPD")
    page.fill("#tracking_id", "TYPED")
    confirm(order, 1)

    page.get_by_role("button", name="Confirm shipment").click()

    told = page.locator(".notice[data-error-summary]").inner_text()
    assert "Someone else changed this order" in told
    assert "Jo Adair" in told
    assert page.input_value("#tracking_id") == "TYPED"


@pytest.mark.req("LIST-10", "LIST-08", "LIST-16", "IMPL-28")
def test_htmx_changes_the_rows_and_keeps_the_address(open_page, shop):
    first, second = unshipped_order(shop), unshipped_order(shop)
    page = open_page("/orders/")
    page.evaluate("window.sameDocument = true")
    assert page.locator(".order-id a").all_inner_texts() == [first.number, second.number]

    page.get_by_role("link", name="Order date").click()
    page.wait_for_url("**sort=-date*")
    page.wait_for_function(f"document.querySelector('.order-id a').innerText === '{second.number}'")
    page.get_by_role("link", name="Last 7 days").click()
    page.wait_for_url("**range=7d*")

    assert page.evaluate("window.sameDocument") is True
    assert "sort=-date" in page.url
    page.reload()
    assert page.locator(".order-id a").all_inner_texts() == [second.number, first.number]
    page.go_back()
    page.wait_for_url("**sort=-date*")


@pytest.mark.req("LIST-15", "IMPL-23")
def test_a_click_on_the_row_and_the_keyboard_open_the_order(open_page, shop):
    order = unshipped_order(shop)
    page = open_page("/orders/")
    page.locator(".cell-total").last.click()
    page.wait_for_url(f"**/orders/{order.number}/")

    page = open_page("/orders/")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.innerText") == order.number
    page.keyboard.press("x")
    assert "1 order selected" in page.locator("[data-bulk-label]").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orders/{order.number}/")


@pytest.mark.req("IMPL-23")
def test_an_order_is_confirmed_by_keyboard_alone(open_page, shop):
    order = unshipped_order(shop)
    page = open_page(f"/orders/{order.number}/")
    page.keyboard.press("c")
    page.wait_for_url("**/confirm-shipment/")
    page.locator("#carrier").focus()
    page.keyboard.type("UPS")
    page.locator("#tracking_id").focus()
    page.keyboard.type("1Z999")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-message]")
    order.refresh_from_db()
    assert order.status == "shipped"


@pytest.mark.req("SLIP-09")
def test_ticked_orders_are_printed_in_one_file(open_page, shop):
    for _ in range(2):
        unshipped_order(shop)
    page = open_page("/orders/")
    page.locator("[data-select-all]").check()
    assert "2 orders selected" in page.locator("[data-bulk-label]").inner_text()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Print packing slips").click()
    assert waiting.value.suggested_filename == "packing-slips.pdf"


@pytest.mark.req("NAV-04", "IMPL-11", "IMPL-12")
@script_on_and_off
def test_signing_in_leads_to_the_wanted_page(open_page, shop, script):
    from tests.factories import PASSWORD

    order = unshipped_order(shop)
    page = open_page(f"/orders/{order.number}/", script=script, user=None)
    page.get_by_label("E-mail").fill("alice@shop.example")
    page.get_by_label("Password").fill("wrong wrong wrong")
    page.get_by_role("button", name="Sign in").click()
    assert "E-mail or password is not right" in page.content()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/orders/{order.number}/")
