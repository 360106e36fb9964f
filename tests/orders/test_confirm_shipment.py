"""Confirm New Shipments: one package through the page."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from core import clock
from core.actor import Actor
from core.templatetags.ui import money
from orders.domain import cancellations, printing
from orders.enums import CancelReason, PaymentState
from orders.models import Order, Shipment
from payments.models import LedgerLine, Operation, SandboxEntry
from tests.factories import (
    AMOUNTS,
    STAFF,
    MembershipFactory,
    confirm,
    order_in,
    unshipped_order,
)
from tests.pages import form_of, kinds, snapshot, words


def path(order: Order) -> str:
    return f"/orders/{order.number}/confirm-shipment/"


def post(client, order, **changes):
    fields = form_of(client, path(order)) | {"carrier": "Royal Mail"} | changes
    return client.post(path(order), fields)


@pytest.mark.req("SHIP-01", "SHIP-02", "SHIP-03", "SHIP-05", "SHIP-17")
def test_the_page_shows_the_order_its_address_and_what_remains(client, alice, order):
    client.force_login(alice)

    page = client.get(path(order))
    text = words(page)
    fields = form_of(client, path(order))

    assert "<h1>Confirm New Shipments</h1>" in page.content.decode()
    for label in ("Ship Date", "Shipping Carrier", "Shipping Method", "Tracking ID"):
        assert str(label) in text
    assert "Flat 2, 14 Harbour Row" in text
    assert "do not send a shipment verification of your own" in text
    assert fields["ship_date"] == str(order.marketplace.local_date(clock.now()))
    assert fields[f"quantity_{order.items.get().pk}"] == "3"
    assert fields["method"] == "Standard"
    assert "</svg>Confirm shipment</button>" in page.content.decode()
    assert (
        f"This charges the buyer Confirming any unit charges the buyer for the whole order: {money(order.total, 'GBP')}."
        in text
    )


@pytest.mark.req("SHIP-04", "SHIP-05")
def test_each_marketplace_offers_its_carriers_and_other(client, alice, kenji, order, japanese_shop):
    parcel = unshipped_order(japanese_shop, ship_service_level="second-day")
    uk = "Royal Mail, Parcelforce, DHL, UPS, FedEx, TNT, Hermes, DPD, City Link, Other"
    jp = "Yamato, Sagawa, Japan Post, Nippon Express, Other"
    for user, one, offered, method in (
        (alice, order, uk, "Standard"), (kenji, parcel, jp, "Second Day"),
    ):  # fmt: skip
        client.force_login(user)
        html = client.get(path(one)).content.decode()
        chosen = html.split('name="carrier"')[1].split("</select>")[0]
        assert re.findall(r'<option value="([^"]+)"', chosen) == offered.split(", ")
        listed = re.findall(r'<option value="([^"]+)"></option>', html)
        assert listed == ["Standard", "Expedited", "Ground", "Second Day"]
        assert form_of(client, path(one))["method"] == method


@pytest.mark.req("SHIP-04", "SHIP-06", "SHIP-07")
def test_what_is_just_allowed_is_kept_trimmed(client, alice, shop):
    order = unshipped_order(shop, age=timedelta(days=3))
    bought = order.marketplace.local_date(order.purchased_at)
    client.force_login(alice)
    fields = form_of(client, path(order))
    fields |= {"carrier": "Other", "carrier_name": "x" * 50, "tracking_id": f"  {'9' * 50} "}

    early = client.post(path(order), fields | {"ship_date": str(bought - timedelta(days=1))})
    answer = client.post(path(order), fields | {"ship_date": str(bought)})

    assert early.status_code == 422
    assert f"Ship Date must be {bought.day} {bought:%b %Y} or later" in words(early)
    assert answer.status_code == 302
    sent = order.shipments.get()
    assert (sent.carrier_name, sent.tracking_id) == ("x" * 50, "9" * 50)
    assert sent.ship_date == bought


@pytest.mark.req("SHIP-08", "SHIP-09", "SHIP-12", "MONEY-04", "SETTLE-02", "T06")
def test_the_first_confirmation_charges_the_whole_order_once(client, alice, shop):
    order = unshipped_order(shop, lines=2, amounts=AMOUNTS)
    second = order.items.get(line=2)
    client.force_login(alice)

    answer = post(client, order, **{f"quantity_{second.pk}": "0", "tracking_id": "QT1"})

    order.refresh_from_db()
    assert answer.status_code == 302
    assert order.status == "partially_shipped"
    assert order.payment_state == PaymentState.CAPTURED
    capture = Operation.objects.get(order=order)
    assert (capture.purpose, capture.state, capture.amount) == ("capture", "done", order.total)
    charged = LedgerLine.objects.filter(order=order, kind="charge")
    assert sum(line.amount for line in charged) == Decimal("251.20")
    commission = LedgerLine.objects.get(order=order, kind="commission")
    assert commission.amount == Decimal("-37.68")
    assert kinds(order).count("N05") == 1

    post(client, order)

    order.refresh_from_db()
    assert order.status == "shipped"
    assert Operation.objects.filter(order=order).count() == 1
    assert SandboxEntry.objects.filter(key=capture.key).count() == 1
    assert kinds(order).count("N05") == 2


@pytest.mark.req("SHIP-13", "T05", "T07", "T08")
def test_a_split_order_stays_part_shipped_until_the_last_unit(client, alice, order):
    item = order.items.get()
    client.force_login(alice)
    seen = []
    for units in ("1", "1", "1"):
        post(client, order, **{f"quantity_{item.pk}": units})
        order.refresh_from_db()
        seen.append(order.status)

    assert seen == ["partially_shipped", "partially_shipped", "shipped"]
    assert list(order.shipments.order_by("number").values_list("number", flat=True)) == [1, 2, 3]


@pytest.mark.req("IMPL-36", "SHIP-08")
def test_afterwards_one_is_back_at_the_same_place_in_the_list(client, alice, order):
    client.force_login(alice)
    place = "/orders/?status=unshipped&range=30d"
    fields = form_of_from(client, order, place)

    answer = client.post(path(order), fields | {"carrier": "DPD"})

    assert (answer.status_code, answer.url) == (302, place)
    assert "Shipment confirmed" in words(client.get(place))


def form_of_from(client, order, place):
    from tests.pages import fields_in

    page = client.get(path(order), headers={"referer": f"http://testserver{place}"})
    return fields_in(page.content.decode(), path(order))


@pytest.mark.req("SHIP-04", "SHIP-06", "SHIP-07", "SHIP-14", "IMPL-25")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"carrier": ""}, "Choose a shipping carrier"),
        ({"carrier": "Yamato"}, "Choose a shipping carrier"),
        ({"carrier": "Other"}, "Enter the carrier's name, up to 50 characters"),
        ({"carrier": "Other", "carrier_name": "x" * 51}, "Enter the carrier's name, up to 50"),
        ({"tracking_id": "x" * 51}, "Tracking ID must be 50 characters or fewer"),
        ({"tracking_id": "a\tb\nc"}, "Tracking ID must be 50 characters or fewer, on one line"),
        ({"tracking_id": "a\x00b"}, "Tracking ID must be 50 characters or fewer, on one line"),
        ({"ship_date": "2031-01-01"}, "Ship Date must be today or in the past"),
        ({"ship_date": "2001-01-01"}, "Ship Date must be"),
        ({"ship_date": "2024-02-30"}, "Enter a date, like 8 Dec 2026"),
        ({"ship_date": "20240102"}, "Enter a date, like 8 Dec 2026"),
        ({"ship_date": "２０２６-01-02"}, "Enter a date, like 8 Dec 2026"),
        ({"ship_date": ""}, "Enter a Ship Date"),
        ({"quantity": "4"}, "Quantity must be 3 or less"),
        ({"quantity": "0"}, "Enter at least one unit to ship"),
        ({"quantity": "-1"}, "Enter a quantity"),
        ({"quantity": "1.5"}, "Enter a quantity"),
        ({"quantity": "1e0"}, "Enter a quantity"),
        ({"quantity": "٣"}, "Enter a quantity"),
        ({"quantity": ""}, "Enter a quantity"),
        ({"quantity": "2147483648"}, "Enter a quantity"),
    ],
)
def test_bad_input_gets_a_message_and_changes_nothing(client, alice, order, changes, message):
    client.force_login(alice)
    before = snapshot(order)
    if "quantity" in changes:
        changes = {f"quantity_{order.items.get().pk}": changes["quantity"]}

    answer = post(client, order, **changes)

    assert answer.status_code == 422
    assert message in words(answer)
    assert "<title>Error:" in answer.content.decode()
    assert snapshot(order) == before


@pytest.mark.req("SHIP-06", "TH-27", "INV-20")
def test_markup_in_a_tracking_id_stays_text(client, alice, order):
    client.force_login(alice)

    post(client, order, tracking_id="<b>=HYPERLINK(1)</b>")

    page = client.get(f"/orders/{order.number}/").content.decode()
    assert order.shipments.get().tracking_id == "<b>=HYPERLINK(1)</b>"
    assert "&lt;b&gt;=HYPERLINK(1)&lt;/b&gt;" in page
    assert "<b>=HYPERLINK" not in page


@pytest.mark.req("SHIP-22")
def test_one_tracking_id_may_serve_several_orders(client, alice, shop):
    client.force_login(alice)
    for order in (unshipped_order(shop), unshipped_order(shop)):
        assert post(client, order, tracking_id="QT9").status_code == 302
    assert Shipment.objects.filter(tracking_id="QT9").count() == 2


@pytest.mark.req("SHIP-11", "SHIP-10", "IMPL-16")
def test_a_failed_charge_records_no_shipment_and_can_be_tried_again(client, alice, shop):
    order = unshipped_order(shop, payment_token="capture-fails")
    client.force_login(alice)

    answer = post(client, order, tracking_id="QT77")

    order.refresh_from_db()
    assert answer.status_code == 402
    assert "could not be charged" in words(answer)
    assert 'value="QT77"' in answer.content.decode()
    assert (order.status, order.payment_state) == ("unshipped", PaymentState.CAPTURE_FAILED)
    assert not order.shipments.exists()
    assert not LedgerLine.objects.filter(order=order).exists()
    assert "N35" in kinds(order)
    assert "N05" not in kinds(order)

    post(client, order)
    sequences = Operation.objects.filter(order=order).values_list("sequence", "state")
    assert sorted(sequences) == [(1, "failed"), (2, "failed")]


@pytest.mark.req("SHIP-16", "PENDING-05", "IMPL-31", "F01", "F02", "F04")
@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("pending", "is not verified yet"),
        ("cancelled", "is cancelled. Do not ship"),
        ("shipped", "Everything in order"),
    ],
)
def test_an_order_that_cannot_ship_is_refused(client, alice, shop, status, sentence):
    order = order_in(status, shop)
    client.force_login(alice)
    before = snapshot(order)
    posted = {"token": "t", "seen": order.version, "ship_date": "2026-01-01", "carrier": "UPS"}

    for answer in (client.get(path(order)), client.post(path(order), posted)):
        assert answer.status_code == 409
        assert sentence in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("SHIP-16", "IMPL-31", "F02", "INV-05")
def test_an_order_cancelled_while_its_page_was_open_is_not_confirmed(client, alice, order):
    client.force_login(alice)
    fields = form_of(client, path(order)) | {"carrier": "UPS", "tracking_id": "QT5"}
    wanted = cancellations.CancelRequest(order.pk, CancelReason.NO_INVENTORY)
    cancellations.cancel_order(wanted=wanted, by=STAFF)
    before = snapshot(order)

    answer = client.post(path(order), fields)

    assert answer.status_code == 409
    assert "is cancelled. Do not ship. A new order must be placed." in words(answer)
    assert "Harbour Row" not in answer.content.decode()
    assert snapshot(order) == before


@pytest.mark.req("SHIP-10", "SHIP-09")
def test_before_the_first_package_nobody_has_paid_and_nothing_is_earned(client, alice, order):
    client.force_login(alice)
    client.get(path(order))
    assert (order.charged_at, order.paid_at) == (None, None)
    assert not Operation.objects.filter(order=order).exists()
    assert not LedgerLine.objects.filter(order=order).exists()


@pytest.mark.req("SHIP-24", "AUTO-01", "F07")
def test_confirming_is_possible_until_and_not_at_the_deadline(client, alice, shop):
    first, second = unshipped_order(shop), unshipped_order(shop)
    client.force_login(alice)

    with clock.stopped(first.deadline_at - timedelta(seconds=1)):
        assert post(client, first).status_code == 302
    fields = form_of(client, path(second)) | {"carrier": "UPS"}
    with clock.stopped(second.deadline_at):
        answer = client.post(path(second), fields)

    assert answer.status_code == 409
    assert "The period for confirming" in words(answer)
    assert not second.shipments.exists()


@pytest.mark.req("IMPL-01", "INV-02")
def test_the_same_form_sent_twice_confirms_once(client, alice, order):
    client.force_login(alice)
    fields = form_of(client, path(order)) | {"carrier": "UPS"}

    first, second = (client.post(path(order), fields) for _ in range(2))

    assert (first.status_code, second.status_code) == (302, 302)
    assert order.shipments.count() == 1
    assert kinds(order).count("N05") == 1


@pytest.mark.req("IMPL-01")
def test_a_used_key_with_other_values_is_refused(client, alice, order):
    client.force_login(alice)
    item = order.items.get()
    fields = form_of(client, path(order)) | {"carrier": "UPS", f"quantity_{item.pk}": "1"}
    client.post(path(order), fields)

    answer = client.post(path(order), fields | {f"quantity_{item.pk}": "2"})

    assert answer.status_code == 422
    assert "already sent with other values" in words(answer)
    assert order.shipments.count() == 1


@pytest.mark.req("IMPL-01", "INV-02", "INV-18")
@pytest.mark.parametrize("act", ["confirm-shipment", "cancel"])
def test_a_form_that_somebody_else_sent_is_refused(client, alice, shop, order, act):
    """The one-use key is its sender's: the first result is told to nobody else (BI-SHIP)."""
    client.force_login(alice)
    address = f"/orders/{order.number}/{act}/"
    fields = form_of(client, address) | {"carrier": "UPS", "reason": "PricingError"}
    assert client.post(address, fields).status_code == 302
    before = snapshot(order)
    client.force_login(MembershipFactory(merchant=shop).user)

    answer = client.post(address, fields)

    assert answer.status_code == 403
    assert "This form was sent by somebody else." in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("IMPL-02", "INV-08", "F16")
def test_a_stale_page_is_refused_with_who_changed_what(client, alice, order):
    client.force_login(alice)
    fields = form_of(client, path(order)) | {"carrier": "UPS", "tracking_id": "MINE"}
    confirm(order, 1)
    printing.remember_print(order_ids=[order.pk], by=Actor("form", "Alice Owner"))

    answer = client.post(path(order), fields)

    text = words(answer)
    assert answer.status_code == 409
    assert "Someone else changed this order" in text
    assert "Packing slip printed, Alice Owner" not in text
    assert "Shipment confirmed, Jo Adair" in text
    assert 'value="MINE"' in answer.content.decode()
    assert order.shipments.count() == 1


@pytest.mark.req("SHIP-20", "SHIP-14")
def test_units_that_will_not_be_sent_count_as_confirmed(client, alice, order):
    client.force_login(alice)
    item = order.items.get()

    answer = post(client, order, **{f"quantity_{item.pk}": "2", "not_sent": "1"})

    order.refresh_from_db()
    item.refresh_from_db()
    assert order.status == "shipped"
    assert (item.quantity_shipped, item.quantity_not_sent) == (2, 1)
    assert answer.url == f"/orders/{order.number}/refund/?tab=partial&not_sent=1"
    page = client.get(answer.url).content.decode()
    assert f'name="item_{item.pk}" data-tick value="1" checked' in page


@pytest.mark.req("IMPL-07")
def test_getting_the_page_changes_nothing(client, alice, order):
    client.force_login(alice)
    before = snapshot(order)
    client.get(path(order))
    assert snapshot(order) == before


@pytest.mark.req("PERMISSION-03", "IMPL-03", "F18", "F19")
def test_a_reader_gets_403_and_a_stranger_404(client, bob, charlie, order):
    before = snapshot(order)
    for user, code in ((bob, 403), (charlie, 404)):
        client.force_login(user)
        assert client.get(path(order)).status_code == code
        assert client.post(path(order), {"carrier": "UPS"}).status_code == code
    assert snapshot(order) == before


@pytest.mark.req("ORDERTYPE-09", "F17")
def test_the_platform_ships_its_own_orders(client, alice, shop):
    order = unshipped_order(shop, fulfilment_channel="platform")
    client.force_login(alice)
    assert client.get(path(order)).status_code == 409


@pytest.mark.req("SHIP-09")
def test_an_order_paid_in_advance_is_not_charged_again(client, kenji, japanese_shop):
    order = unshipped_order(japanese_shop, in_advance=True)
    client.force_login(kenji)

    post(client, order, carrier="Yamato")

    order.refresh_from_db()
    assert order.status == "shipped"
    assert order.payment_state == PaymentState.PAID_IN_ADVANCE
    assert not Operation.objects.filter(order=order).exists()
    assert LedgerLine.objects.filter(order=order, kind="charge").exists()


@pytest.mark.req("SLIP-07")
def test_a_business_order_reminds_of_the_slip(client, alice, shop):
    order = unshipped_order(shop, is_business=True)
    client.force_login(alice)
    assert "A packing slip must be enclosed" in words(client.get(path(order)))
