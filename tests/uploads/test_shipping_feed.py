"""Shipping confirmations by file."""

from __future__ import annotations

import pytest

from orders.models import Shipment
from tests.factories import unshipped_order
from tests.uploads.conftest import codes
from uploads.domain import reports
from uploads.enums import Feed, UploadState

MARKER = "TemplateType=ShippingConfirmation\tVersion=1.0\tLeave this row unchanged\n"
NAMES = (
    "order-id\torder-item-id\tquantity\tship-date\tcarrier-code\tcarrier-name"
    "\ttracking-number\tship-method\n"
)


def today(order) -> str:
    return order.marketplace.local_date(order.purchased_at).isoformat()


def line(order, item="", units="", carrier="Royal Mail", name="", tracking="", day=None) -> str:
    day = today(order) if day is None else day
    return f"{order.number}\t{item}\t{units}\t{day}\t{carrier}\t{name}\t{tracking}\tStandard\n"


@pytest.mark.req("FEED-18", "FEED-21", "FEED-16")
def test_each_record_stands_alone(hand_in, shop):
    good, other = unshipped_order(shop, quantity=3), unshipped_order(shop, quantity=1)
    bad = line(good).replace(good.number, "111-1111111-1111111")
    upload = hand_in(Feed.SHIPPING, MARKER + NAMES + line(good) + bad + line(other))
    assert codes(upload) == {2: [1103]}
    assert upload.state == UploadState.DONE_WITH_ERRORS
    assert (upload.count, upload.succeeded, upload.failed) == (3, 2, 1)
    for order in (good, other):
        order.refresh_from_db()
        assert order.status == "shipped"
        assert order.charged_at is not None
    assert Shipment.objects.filter(order=good).get().door == "file"
    assert "".join(reports.processing_report(upload)).splitlines()[:5] == [
        "Feed Processing Summary:",
        "Number of records processed: 3",
        "Number of records successful: 2",
        "",
        "original-record-number\terror-code\terror-type\terror-message",
    ]
