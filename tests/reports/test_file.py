"""The bytes of a report: its columns, its rows, and what may never be in them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection

from orders.domain.drafts import ItemDraft
from orders.models import Order
from tests.factories import (
    CONTACT,
    PLAIN,
    ListingFactory,
    unshipped_order,
)
from tests.reports.files import content, make, read

COLUMNS = ["order-id", "purchase-date", "payments-date", "buyer-name", "buyer-email", "ship-service-level", "recipient-name", "ship-address-1", "ship-address-2", "ship-address-3", "ship-city", "ship-state", "ship-postal-code", "ship-country", "order-item-id", "sku", "product-name", "quantity-purchased", "item-price", "shipping-price", "sales-channel"]


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


@pytest.mark.req("REPORT-08", "4.13")
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
