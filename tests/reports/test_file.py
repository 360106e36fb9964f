"""The bytes of a report: its columns, its rows, and what may never be in them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from itertools import product

import hypothesis
import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from core import clock
from core.refusal import Refused
from orders.domain import contacts, contacts_by_sets, verification
from orders.domain.drafts import ItemDraft
from orders.models import Order
from orders.models.contact import Contact
from payments.gateways import Verification, VerificationOutcome
from reports.enums import EXTRA_COLUMNS
from tests.buyers import file_request
from tests.factories import (
    BY_STATUS,
    CONTACT,
    GATEWAY,
    PLAIN,
    ListingFactory,
    cancelled_order,
    order_in,
    partially_shipped_order,
    pending_order,
    shipped_order,
    unshipped_order,
)
from tests.reports.files import content, make, read, switch_on

CONTACT_COLUMNS = (
    *("buyer-email", "buyer-phone-number", "recipient-name", "ship-address-1", "ship-address-2"),
    *("ship-address-3", "ship-city", "ship-state", "ship-postal-code", "ship-country"),
)
COLUMNS = [
    "order-id",
    "purchase-date",
    "payments-date",
    "buyer-name",
    "buyer-email",
    "ship-service-level",
    "recipient-name",
    "ship-address-1",
    "ship-address-2",
    "ship-address-3",
    "ship-city",
    "ship-state",
    "ship-postal-code",
    "ship-country",
    "order-item-id",
    "sku",
    "product-name",
    "quantity-purchased",
    "item-price",
    "shipping-price",
    "sales-channel",
]


@pytest.mark.req("REPORT-08", "REPORT-09", "REPORT-03", "REPORT-10")
def test_the_file_is_exactly_this(shop):
    listing = ListingFactory(merchant=shop, sku="HH-RGT4", title="Tea caddy, red")
    item = ItemDraft(listing.sku, 3, PLAIN | {"item_price": Decimal("30.00")})
    order = unshipped_order(shop, lines=[item])
    item = order.items.get()
    day = order.marketplace.local_date(order.purchased_at).isoformat()
    paid = order.marketplace.local_date(order.verified_at).isoformat()
    report = make(shop)
    assert (report.state, report.rows) == ("ready", 1)
    line = [order.number, day, paid, "Eilidh MacLeod", CONTACT.buyer_email, "standard",
            CONTACT.recipient_name, CONTACT.address_1, CONTACT.address_2, "", CONTACT.city, "",
            CONTACT.postal_code, "GB", item.number, "HH-RGT4", "Tea caddy, red", "3", "30.00",
            "2.00", "Amazon Checkout"]  # fmt: skip
    assert content(report).decode() == "\t".join(COLUMNS) + "\r\n" + "\t".join(line) + "\r\n"
    assert report.size == len(content(report))


def retitle(order: Order, **values: str) -> None:
    """Write what no door lets in, as another release or a channel might."""
    with connection.cursor() as cursor:
        for name, value in values.items():
            table = {"title": "orders_item", "sku": "orders_item", "buyer_name": "orders_order"}
            where = "order_id" if table.get(name, "orders_contact") != "orders_order" else "id"
            cursor.execute(
                f"UPDATE {table.get(name, 'orders_contact')} SET {name} = %s WHERE {where} = %s",
                [value, order.pk],
            )


@pytest.mark.req("REPORT-08", "IMPL-09")
@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\tb", "a b"),
        ("a\r\nb", "a  b"),
        ("a\nb\rc", "a b c"),
        ("a\u2028b\u0085c\x0bd", "a b c d"),
        ('say "hi", she', 'say "hi", she'),
        ('"', '"'),
        ("back\\slash \\n \\t \\N \\.", "back\\slash \\n \\t \\N \\."),
        ("\\.", "\\."),
        ("\\N", "\\N"),
        ("北の暮らし 🫖", "北の暮らし 🫖"),
        ("e\u0301\u200d", "e\u0301\u200d"),
        ("=1+1", "'=1+1"),
        ("+44", "'+44"),
        ("-x", "'-x"),
        ("@cmd", "'@cmd"),
        ("\x01x", "'\x01x"),
        ("\t=1", "' =1"),
        ("\r=1", "' =1"),
        ("\u0085x", "' x"),
        ("\x7f", "'\x7f"),
        ("'=1", "'=1"),
        ("0012", "0012"),
        (" =1", " =1"),
        ("a=b", "a=b"),
    ],
)
@pytest.mark.req("REPORT-18", "IMPL-09", "IMPL-27")
def test_text_is_written_as_it_is_but_for_what_breaks_a_line_or_is_a_formula(shop, value, written):
    order = unshipped_order(shop)
    retitle(order, title=value, buyer_name=value, recipient_name=value, address_1=value)
    report = make(shop)
    (row,) = read(report)
    for column in ("product-name", "buyer-name", "recipient-name", "ship-address-1"):
        assert row[column] == written, column
    assert content(report).count(b"\r\n") == content(report).count(b"\n") == 2
    assert None not in row


@pytest.mark.req("REPORT-18", "IMPL-09")
def test_a_spreadsheet_keeps_leading_zeros_and_finds_no_formula(shop):
    """Identifiers, numbers and days are never altered; a phone may begin with a plus."""
    switch_on(shop, "buyer-phone-number", "listing-id", "customization-note", "currency")
    order = unshipped_order(shop)
    retitle(order, postal_code="01234", buyer_phone="+44 7700 900142")
    retitle(order, sku="=SKU", title="@cmd|' /C calc'!A0")
    (row,) = read(make(shop))
    assert row["ship-postal-code"] == "01234"
    assert row["buyer-phone-number"] == "+44 7700 900142"
    assert (row["sku"], row["product-name"]) == ("'=SKU", "'@cmd|' /C calc'!A0")
    identifiers = {"order-id", "order-item-id", "buyer-phone-number", "listing-id"}
    begins = {value[:1] for name, value in row.items() if name not in identifiers}
    assert not begins & set("=+-@")


@pytest.mark.req("REPORT-09", "REPORT-22")
def test_further_columns_follow_in_their_order_whatever_the_order_of_switching_on(shop):
    switch_on(shop, *reversed(EXTRA_COLUMNS))
    listing = ListingFactory(merchant=shop)
    amounts = {"item_price": "100.00", "item_tax": "20.00", "gift_wrap_price": "5.00",
               "gift_wrap_tax": "1.00", "item_promotion": "10.00", "shipping_price": "8.00",
               "shipping_tax": "1.60", "shipping_promotion": "0.50"}  # fmt: skip
    priced = {name: Decimal(amount) for name, amount in amounts.items()}
    item = ItemDraft(listing.sku, 2, priced, customisation="Engrave: A")
    order = unshipped_order(
        shop, lines=[item], is_business=True, is_prime=True, purchase_order_number="PO-7"
    )
    (row,) = read(make(shop))
    assert list(row) == [*COLUMNS, *EXTRA_COLUMNS]
    assert [row[name] for name in EXTRA_COLUMNS] == [
        CONTACT.buyer_phone, "GBP", "20.00", "1.60", "5.00", "1.00", "10.00", "0.50",
        "Business Prime", "TRUE", "PO-7", "FALSE", "unshipped", listing.listing_id, "Engrave: A",
    ]  # fmt: skip
    asked = unshipped_order(shop)
    file_request(asked)
    flags = {row["order-id"]: row["is-buyer-requested-cancellation"] for row in read(make(shop))}
    assert flags == {order.number: "FALSE", asked.number: "TRUE"}


@pytest.mark.req("REPORT-08", "IMPL-27", "MONEY-15")
def test_yen_have_no_decimals_and_days_are_those_of_the_marketplace(japanese_shop):
    night = clock.now().replace(hour=16, minute=30, second=0, microsecond=0) - timedelta(days=2)
    listing = ListingFactory(merchant=japanese_shop, title="急須　赤")
    item = ItemDraft(listing.sku, 1, {"item_price": Decimal(1500), "shipping_price": Decimal(0)})
    order = pending_order(japanese_shop, lines=[item], purchased_at=night, buyer_name="山田 花子")
    with clock.stopped(night + timedelta(minutes=1)):
        settle(order, VerificationOutcome.VERIFIED)
    (row,) = read(make(japanese_shop))
    assert (row["item-price"], row["shipping-price"]) == ("1500", "0")
    assert (row["product-name"], row["buyer-name"]) == ("急須　赤", "山田 花子")
    tomorrow = (night + timedelta(days=1)).date().isoformat()  # 16:30 UTC is 01:30 in Japan
    assert (row["purchase-date"], row["payments-date"]) == (tomorrow, tomorrow)


@pytest.mark.req("REPORT-12", "REPORT-13", "REPORT-16", "PENDING-04", "INV-17")
def test_pending_orders_are_in_none_and_cancelled_ones_only_on_demand_without_contact(shop):
    pending_order(shop)
    gone = cancelled_order(shop)
    settle(pending_order(shop), VerificationOutcome.DECLINED)
    report = make(shop)
    assert (report.state, read(report)) == ("no_data", [])
    assert content(report).decode() == "\t".join(COLUMNS) + "\r\n"
    with pytest.raises(Refused, match="order-status"):
        make(shop, include_cancelled=True)
    switch_on(shop, "order-status", "buyer-phone-number")
    (row,) = read(make(shop, include_cancelled=True))
    assert (row["order-id"], row["order-status"]) == (gone.number, "cancelled")
    assert {name: row[name] for name in CONTACT_COLUMNS} == dict.fromkeys(CONTACT_COLUMNS, "")
    assert (make(shop).state, make(shop, days=None).state) == ("no_data", "no_data")


@pytest.mark.req("REPORT-03")
def test_a_range_reaches_back_so_many_times_24_hours(shop):
    inside = unshipped_order(shop, age=timedelta(days=3, minutes=-5))
    unshipped_order(shop, age=timedelta(days=3, minutes=5))
    for _again in range(2):  # also what an earlier report had
        assert [row["order-id"] for row in read(make(shop))] == [inside.number]
    assert make(shop, days=7).rows == 2


@pytest.mark.req("REPORT-03", "IMPL-21")
def test_the_range_of_a_sandbox_is_by_its_own_clock(shop):
    unshipped_order(shop)
    shop.is_sandbox, shop.clock_ahead = True, timedelta(days=5)
    shop.save()
    report = make(shop)
    assert report.state == "no_data"
    assert report.requested_at - clock.now() > timedelta(days=4, hours=23)
    assert make(shop, days=7).rows == 1


@pytest.mark.req("REPORT-15")
def test_unshipped_orders_are_listed_with_what_is_left_to_ship(shop):
    part = partially_shipped_order(shop, quantity=3, age=timedelta(days=20))
    new = unshipped_order(shop, quantity=2)
    for other in (shipped_order, pending_order, cancelled_order):
        other(shop)
    report = make(shop, days=None)
    rows = read(report)
    assert " ".join(rows[0]) == (
        "order-id order-item-id purchase-date payments-date reporting-date promise-date"
        " days-past-promise buyer-email buyer-name sku product-name quantity-purchased"
        " quantity-shipped quantity-to-ship ship-service-level recipient-name ship-address-1"
        " ship-address-2 ship-address-3 ship-city ship-state ship-postal-code ship-country"
        " sales-channel confirm-by-date"
    )
    assert [row["order-id"] for row in rows] == [part.number, new.number]
    first, second = rows
    units = [first[f"quantity-{what}"] for what in ("purchased", "shipped", "to-ship")]
    assert units == ["3", "1", "2"]
    assert first["confirm-by-date"] == ""
    local = new.marketplace.local_date
    assert second["confirm-by-date"] == local(new.deadline_at).isoformat()
    assert second["promise-date"] == local(new.ship_by_at).isoformat()
    assert second["reporting-date"] == local(report.to_at).isoformat()
    late = local(report.to_at) - local(part.ship_by_at)
    assert first["days-past-promise"] == str(late.days)
    assert int(second["days-past-promise"]) <= 0 < late.days


@pytest.mark.req("REPORT-11", "PENDING-11")
def test_no_payment_data_is_in_any_report(shop):
    unshipped_order(shop, payment_token="ok-slow")
    switch_on(shop, *EXTRA_COLUMNS)
    for days in (3, None):
        text = content(make(shop, days=days)).decode().lower()
        assert not [
            secret for secret in ("ok-slow", "card", "authorised", "sandbox") if secret in text
        ]


def in_every_way(shop) -> None:
    """Orders of each status, mode of contact, channel, delivered or not, blanked or not."""
    sku = ListingFactory(merchant=shop).sku
    for status in BY_STATUS:
        for relay, delivered, blanked, platform in product((False, True), repeat=4):
            if delivered and status != "shipped":
                continue
            order = order_in(status, shop, lines=[ItemDraft(sku, 3, PLAIN)])
            retitle(
                order,
                relay_email=f"r{order.pk}@relay.example" if relay else "",
                recipient_name="" if blanked else f"R {order.pk}",
                region=f"Region {order.pk}",
            )
            now = clock.now()
            Order.objects.filter(pk=order.pk).update(
                delivered_at=now if delivered else None,
                fulfilment_channel="platform" if platform else "merchant",
            )
            Contact.objects.filter(pk=order.pk).update(blanked_at=now if blanked else None)


@pytest.mark.req("INV-17", "PENDING-04", "REPORT-11")
@pytest.mark.parametrize("mode", ["direct", "relay"])
def test_the_sets_show_of_contacts_what_their_one_door_shows(shop, mode):
    switch_on(shop, *EXTRA_COLUMNS)
    in_every_way(shop)
    type(shop.marketplace).objects.update(buyer_email_mode=mode)
    rows = {row["order-id"]: row for row in read(make(shop, include_cancelled=True))}
    orders = Order.objects.for_merchant(shop).filter(verified_at__isnull=False)
    orders = list(orders.select_related("marketplace"))
    assert rows.keys() == {order.number for order in orders}
    for order, view in zip(orders, contacts.for_merchant(orders).values(), strict=True):
        shown = dict.fromkeys(CONTACT_COLUMNS, "")
        if view is not None:
            place = view.address
            values = (view.buyer_email, view.buyer_phone, place.recipient_name, place.address_1,
                      place.address_2, place.address_3, place.city, place.region,
                      place.postal_code, place.country)  # fmt: skip
            shown = dict(zip(CONTACT_COLUMNS, values, strict=True))
        told = {name: rows[order.number][name] for name in CONTACT_COLUMNS}
        assert told == shown, (order.status, mode)
    named = {field.name for field in fields(contacts.Address)}
    assert set(contacts_by_sets.SHOWN) == {"buyer_email", "buyer_phone", *named}


@pytest.mark.req("REPORT-08", "IMPL-09")
@hypothesis.settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
def test_whatever_a_name_holds_it_is_one_field_of_one_line(shop, text):
    order = Order.objects.first() or unshipped_order(shop)
    retitle(order, title=text)
    (row,) = read(make(shop))
    plain = re.sub("[\t\n\x0b\f\r\u0085\u2028\u2029]", " ", text)
    guarded = text[:1] in tuple("=+-@") or unicodedata.category((text or " ")[0]) == "Cc"
    assert row["product-name"] == ("'" if guarded else "") + plain


def settle(order: Order, outcome: VerificationOutcome) -> None:
    verification.settle_verifications({order.pk: Verification(outcome)}, by=GATEWAY)
