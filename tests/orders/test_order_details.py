"""Order details, and what is hidden on it."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from pypdf import PdfReader

from accounts.domain import keys
from core import clock
from core.actor import Actor
from orders.domain import cancellations, packages, shipments, verification
from orders.enums import CancelCause
from orders.models import OrderNote
from payments.models import LedgerLine, Operation
from tests.factories import (
    AMOUNTS,
    GATEWAY,
    STAFF,
    cancelled_order,
    confirm,
    order_in,
    pending_order,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.pages import body, form_of, snapshot, words

SECRETS = ("Flat 2, 14 Harbour Row", "Eilidh Receiver MacLeod", "PA75 6NU", "07700 900142",
           "Eilidh.MacLeod@mail.example")  # fmt: skip


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def page_of(client, order):
    return client.get(f"/orders/{order.number}/")


@pytest.mark.req(
    "DETAIL-01",
    "DETAIL-02",
    "DETAIL-04",
    "ORDERTYPE-08",
    "LIST-15",
    "IMPL-32",
    "MONEY-03",
    "PENDING-13",
)
def test_the_page_shows_every_fact_and_sums_agree(signed_in, shop):
    order = unshipped_order(shop, lines=3, amounts=AMOUNTS)
    text = words(page_of(signed_in, order))
    for label in (
        "Order details", order.number, "Purchase date", "Payments date", "Charged When you confirm",
        "Ship by", "Estimated delivery", "Shipping service Standard", "Order Sub Type Standard",
        "Amazon Checkout, United Kingdom", "Eilidh MacLeod", "Ship only to this address.",
    ):  # fmt: skip
        assert label in text, label
    for item in order.items.all():
        for fact in (item.title, item.sku, item.listing.listing_id, item.number):
            assert fact in text
    assert text.count("£125.60") == 3
    assert "Order total £376.80" in text
    assert "Promotion −£30.00" in text
    for secret in SECRETS:
        assert secret in text


@pytest.mark.req("DETAIL-01", "ORDERTYPE-01", "ORDERTYPE-03", "ORDERTYPE-04", "ORDERTYPE-05")
@pytest.mark.parametrize(
    ("facts", "sub_type", "badges"),
    [
        ({}, "Standard", ""),
        ({"is_business": True}, "Business", "Business Buyer"),
        ({"is_prime": True}, "Prime", "Prime"),
        ({"is_business": True, "is_prime": True}, "Business Prime", "Business Buyer Prime"),
        ({"ship_service_level": "second-day"}, "Second_Day", "Second Day"),
        ({"is_test": True, "purchase_order_number": "PO-77"}, "Standard", "Test"),
    ],
)
def test_sub_type_badges_and_po_number(signed_in, shop, facts, sub_type, badges):
    order = unshipped_order(shop, **facts)
    text = words(page_of(signed_in, order))
    assert f"Order Sub Type {sub_type} Sales channel" in text
    assert f"Unshipped {badges} Purchase date".replace("  ", " ") in text
    assert ("Buyer PO# PO-77" in text) == ("purchase_order_number" in facts)


@pytest.mark.req("DETAIL-09", "ORDERTYPE-09")
def test_of_what_the_platform_ships_no_phone_is_shown(signed_in, shop):
    ours = unshipped_order(shop)
    theirs = unshipped_order(shop, fulfilment_channel="platform")
    assert "07700 900142" in words(page_of(signed_in, ours))
    assert "07700 900142" not in words(page_of(signed_in, theirs))


@pytest.mark.req("DETAIL-01", "SHIP-09", "SHIP-19")
def test_a_late_order_says_so_and_a_charged_one_when(signed_in, shop):
    order = unshipped_order(shop, age=timedelta(days=10), quantity=2)
    assert "Unshipped Shipment is late Purchase date" in words(page_of(signed_in, order))
    confirm(order, 1)
    refund(order)
    text = words(page_of(signed_in, order))
    charged = order.charged_at.astimezone(shop.marketplace.zone)
    assert f"Charged {charged.day} {charged:%b %Y}, {charged:%H:%M}" in text
    assert "Partially shipped Shipment is late Refunded Purchase date" in text  # SHIP-19
    confirm(order, 1)
    assert "Shipment is late" not in words(page_of(signed_in, order))


@pytest.mark.req("IMPL-32", "INV-03", "MONEY-03", "MONEY-04")
def test_every_output_tells_one_total(signed_in, shop):
    order = unshipped_order(shop, lines=2, amounts=AMOUNTS)
    here = order.get_absolute_url()
    _key, secret = keys.create_key(merchant=shop, name="till", by=STAFF)

    def told() -> dict[str, str]:
        pages = {page: words(signed_in.get(f"{here}{page}")) for page in
                 ("", "confirm-shipment/", "cancel/", "refund/", "packing-slip/")}  # fmt: skip
        pages["list"] = words(signed_in.get("/orders/?status=all"))
        pdf = PdfReader(io.BytesIO(signed_in.get(f"{here}packing-slip.pdf").content))
        pages["pdf"] = "".join(page.extract_text() for page in pdf.pages)
        return {name: text for name, text in pages.items() if "not possible now" not in text}

    unpaid = told()
    assert set(unpaid) == {"", "confirm-shipment/", "cancel/", "packing-slip/", "list", "pdf"}
    confirm(order, 1, rest_not_sent=True)
    paid = told()
    assert set(paid) == {"", "refund/", "packing-slip/", "list", "pdf"}
    for texts in (unpaid, paid):
        assert [name for name, text in texts.items() if "£251.20" not in text] == []
    api = signed_in.get(f"/api/v1{here}", headers={"authorization": f"Bearer {secret}"}).json()
    assert (api["total"], api["currency"]) == ("251.20", "GBP")
    assert sum(Decimal(item["paid_total"]) for item in api["items"]) == Decimal("251.20")
    booked = LedgerLine.objects.filter(order=order, kind="charge")
    assert sum(line.amount for line in booked) == order.total == Decimal("251.20")
    assert Operation.objects.get(order=order, purpose="capture").amount == order.total


@pytest.mark.req("DETAIL-03", "LIST-13")
@pytest.mark.parametrize(
    ("status", "shown", "why"),
    [
        ("unshipped", ["Confirm Shipment", "Print order packing slip", "Cancel Order"], "refund"),
        (
            "partially_shipped",
            ["Confirm Shipment", "Refund Order", "Print order packing slip"],
            "cancel",
        ),
        ("shipped", ["Refund Order", "Print order packing slip"], "cancel"),
        ("pending", [], ""),
        ("cancelled", [], ""),
    ],
)
def test_buttons_by_state_and_why_not(signed_in, shop, status, shown, why):
    html = page_of(signed_in, order_in(status, shop)).content.decode()
    bar = html.split('class="action-bar"')[1].split("</header>")[0]
    names = ("Confirm Shipment", "Refund Order", "Print order packing slip", "Cancel Order")
    assert [n for n in names if f"</svg>{n}</a>" in bar] == [n for n in names if n in shown]
    assert ("Why can I not" in bar) == bool(why)
    if why:
        assert f"Why can I not {why}?" in bar


@pytest.mark.req("DETAIL-05", "DETAIL-06", "SHIP-12")
def test_shipments_and_refunds_are_reviewed_here(signed_in, shop):
    order = shipped_order(shop, amounts=AMOUNTS)
    refund(order, "16.00", memo="Chipped <mug>")
    text = words(page_of(signed_in, order))
    for fact in ("Royal Mail", "QT1GB", "Jo Adair, form", "£16.00 of £125.60", "Chipped <mug>",
                 "General adjustment", "Completed", "Left to refund £109.60"):  # fmt: skip
        assert fact in text, fact
    item = order.items.get()
    for part in (f"General adjustment {item.title}", "Item price £13.79", "Item tax £2.76",
                 "Gift wrap £0.69", "Gift wrap tax £0.14", "Promotion −£1.38"):  # fmt: skip
        assert part in text.split("Refunds £16.00")[1], part
    assert 'href="https://www.royalmail.com' in page_of(signed_in, order).content.decode()


@pytest.mark.req("DETAIL-02", "DETAIL-05", "SHIP-13")
def test_two_packages_are_two_blocks_with_their_own_units(signed_in, shop):
    order = unshipped_order(shop, lines=2, quantity=3)
    first, second = order.items.order_by("line")
    confirm(order, 2)
    other = packages.Package(order.marketplace.local_date(clock.now()), "TNT", tracking_id="T<9")
    by_key = Actor("api", "API key till", owner=True)
    wanted = shipments.Confirmation(order.pk, other, {first.pk: 1, second.pk: 1})
    shipments.confirm_shipment(wanted=wanted, by=by_key)

    page = page_of(signed_in, order)

    text = words(page)
    one, two = text.split("2 confirmed, 2 units remaining")[1].split("Shipment 2")
    for block, facts in (
        (one, ("Shipment 1", "Royal Mail", "QT1GB", f"Units 2 × {first.title}", "Jo Adair, form")),
        (two, ("TNT", "T<9", f"Units 1 × {first.title} 1 × {second.title}", "API key till, api")),
    ):
        assert [fact for fact in facts if fact not in block] == []
    html = page.content.decode()
    assert len(re.findall(r'<a class="tracking" href="[^"]+"', html)) == 1  # TNT has no address
    for item, (shipped, left) in ((first, (3, 0)), (second, (1, 2))):
        told = f"{item.number} Purchased 3 Shipped {shipped} Remaining {left} Amounts"
        assert told in text


@pytest.mark.req("DETAIL-07", "PENDING-06", "AUTO-04")
def test_a_cancellation_says_when_by_whom_and_why(signed_in, shop):
    text = words(page_of(signed_in, cancelled_order(shop)))
    told = "by the merchant (Jo Adair): Pricing error. It counts in your cancellation rate."
    assert told in text


@pytest.mark.req("DETAIL-07", "AUTO-04")
def test_a_cancellation_by_the_system_says_so(signed_in, shop):
    order = unshipped_order(shop, age=timedelta(days=31))
    job = Actor("job", "auto-cancel")
    cancellations.cancel_overdue(order_ids=[order.pk], by=job)
    text = words(page_of(signed_in, order))
    assert "by the system: Not confirmed within 30 days. It counts in your cancellation" in text


@pytest.mark.req("PENDING-06", "DETAIL-07", "PENDING-07")
@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (CancelCause.PAYMENT_DECLINED, "Payment declined"),
        (CancelCause.FRAUD_SUSPECTED, "Payment not secured"),
    ],
)
def test_an_order_never_verified_says_its_cause_and_counts_nowhere(signed_in, shop, cause, told):
    order = pending_order(shop)
    verification.decline(order_id=order.pk, cause=cause, by=GATEWAY)
    text = words(page_of(signed_in, order))
    assert f"by the system: {told}. It does not count in your cancellation rate." in text
    assert "Status changed from Pending to Cancelled" in text
    assert order.number in words(signed_in.get("/orders/?status=cancelled"))


@pytest.mark.req("PENDING-04", "DETAIL-01")
def test_an_order_that_must_not_ship_offers_nothing_to_be_shipped(signed_in, shop):
    for status in ("pending", "cancelled"):
        text = words(page_of(signed_in, order_in(status, shop)))
        contents = text.split("Order contents")[1].split("If the buyer contacts you")[0]
        for word in ("Remaining", "Shipped", "Paid"):
            assert word not in contents, (status, word)


@pytest.mark.req("DETAIL-01")
def test_the_steps_say_since_when_and_what_is_left(signed_in, shop):
    order = unshipped_order(shop, quantity=3)
    assert "3 units remaining" in words(page_of(signed_in, order))
    confirm(order, 2)
    text = words(page_of(signed_in, order))
    assert "2 of 3 units since" in text
    assert "1 unit remaining" in text
    assert "When payment is verified" in words(page_of(signed_in, pending_order(shop)))


@pytest.mark.req("DETAIL-10", "IMPL-04", "PENDING-14")
def test_the_timeline_has_every_change_with_who_and_by_which_door(signed_in, shop):
    order = unshipped_order(shop, quantity=2)
    confirm(order, 1)
    text = words(page_of(signed_in, order))
    for line in ("Order placed", "Status changed from Pending to Unshipped",
                 "Status changed from Unshipped to Partially shipped", "Jo Adair, form"):  # fmt: skip
        assert line in text, line


@pytest.mark.req("PENDING-04", "PENDING-08", "INV-17", "CANCEL-09")
@pytest.mark.parametrize("status", ["pending", "cancelled"])
def test_personal_data_of_pending_and_cancelled_orders_is_nowhere(signed_in, shop, status):
    order = order_in(status, shop)
    paths = [
        f"/orders/{order.number}/", "/orders/?status=all", f"/orders/{order.number}/packing-slip/",
        f"/orders/{order.number}/packing-slip.pdf", f"/orders/packing-slips.pdf?order={order.number}",
        f"/orders/{order.number}/confirm-shipment/", f"/orders/{order.number}/cancel/",
        f"/orders/{order.number}/refund/",
        "/orders/?search=buyer_email&keyword=EILIDH.MacLeod@mail.example&pending=1",
    ]  # fmt: skip
    for path in paths:
        body = signed_in.get(path).content.decode()
        for secret in SECRETS:
            assert secret not in body, (path, secret)
    text = words(page_of(signed_in, order))
    assert "Do not ship" in text
    for question in ("Wants to change or cancel a pending order", "Wants a cancelled order back",
                     "Asks about the status of a pending order",
                     "Asks about an order cancelled by the platform"):  # fmt: skip
        assert question in text


@pytest.mark.req("PENDING-11")
def test_no_page_shows_payment_data(signed_in, shop):
    order = shipped_order(shop, payment_token="ok:card-4242")
    for path in (f"/orders/{order.number}/", "/orders/?status=all"):
        assert "4242" not in signed_in.get(path).content.decode()


@pytest.mark.req("DETAIL-14")
def test_notes_are_kept_with_their_author(signed_in, shop, bob, client):
    order = unshipped_order(shop)
    address = f"/orders/{order.number}/notes/"
    fields = form_of(signed_in, order.get_absolute_url(), address)
    for _click in range(2):  # a double click writes it once (IMPL-01)
        answer = signed_in.post(address, fields | {"note": "Box 3 <b>"})
        assert answer.status_code == 302
    assert "Box 3 <b>" in words(page_of(signed_in, order))
    assert "Alice Owner" in words(page_of(signed_in, order))
    for bad in ("", "x" * 1001, "a\x07"):
        fields = form_of(signed_in, order.get_absolute_url(), address)
        assert signed_in.post(address, fields | {"note": bad}).status_code == 422
    client.force_login(bob)
    assert client.post(address, fields | {"note": "x"}).status_code == 403
    assert OrderNote.objects.count() == 1


@pytest.mark.req("IMPL-03", "F18", "IMPL-26")
def test_a_stranger_and_a_missing_order_get_the_same_page(client, charlie, shop):
    order = unshipped_order(shop)
    client.force_login(charlie)
    answers = [client.get(f"/orders/{n}/") for n in (order.number, "203-0000000-0000000", "x", "0")]
    assert {a.status_code for a in answers} == {404}
    assert len({body(a) for a in answers}) == 1


@pytest.mark.req("IMPL-18")
@pytest.mark.parametrize("lines", [1, 3, 100])
def test_the_number_of_queries_does_not_grow(signed_in, shop, lines, django_assert_max_num_queries):
    order = unshipped_order(shop, lines=lines)
    confirm(order)
    refund(order, "1.00")
    page_of(signed_in, order)  # the session is written once
    with django_assert_max_num_queries(13):
        page_of(signed_in, order)


@pytest.mark.req("IMPL-07")
def test_looking_changes_nothing(signed_in, shop):
    order = pending_order(shop)
    before = snapshot(order)
    page_of(signed_in, order)
    assert snapshot(order) == before


@pytest.mark.req("MONEY-13", "IMPL-33")
def test_yen_and_japanese_days(client, kenji, japanese_shop):
    order = unshipped_order(japanese_shop, amounts={"item_price": Decimal(1500)})
    client.force_login(kenji)
    text = words(page_of(client, order))
    local = order.purchased_at.astimezone(japanese_shop.marketplace.zone)
    assert "¥1,500" in text
    assert f"{local:%Y/%m/%d}, {local:%H:%M} JST" in text
