"""Every code of a shipping confirmation, each by a record that earns it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifications.models import Outbox
from orders.models import Order, Shipment
from payments.models import Operation
from tests.factories import (
    MembershipFactory,
    cancelled_order,
    pending_order,
    shipped_order,
    unshipped_order,
)
from tests.uploads.conftest import codes
from tests.uploads.test_shipping_feed import MARKER, NAMES, line, today
from uploads.enums import Feed, UploadState


def ship(hand_in, *lines: str, head: str = MARKER + NAMES):
    return hand_in(Feed.SHIPPING, head + "".join(lines))


@pytest.mark.req("FEED-17", "FEED-20")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"day": ""}, 2001),
        ({"day": "08/12/2026"}, 2002),
        ({"day": "2026-02-30"}, 2002),
        ({"day": "2099-01-01"}, 2003),
        ({"day": "2001-01-01"}, 2004),
        ({"units": "0"}, 2005),
        ({"units": "1.5"}, 2005),
        ({"units": "-1"}, 2005),
        ({"units": "２"}, 2005),
        ({"units": "4"}, 2006),
        ({"item": "111-1111111-1111111"}, 1104),
        ({"carrier": "Other"}, 2010),
        ({"tracking": "T" * 51}, 1109),
    ],
)
def test_a_record_says_what_is_wrong_with_it(hand_in, shop, changes, code):
    order = unshipped_order(shop, quantity=3)
    upload = ship(hand_in, line(order, **changes))
    assert codes(upload) == {1: [code]}
    assert (upload.state, upload.succeeded) == (UploadState.DONE_WITH_ERRORS, 0)
    assert not Shipment.objects.exists()
    message = upload.records.get().messages[0]
    for typed in changes.values():
        assert typed[:20] in message["text"]


@pytest.mark.req("FEED-20", "IMPL-17")
@pytest.mark.parametrize(
    ("make", "code"),
    [(pending_order, 1106), (cancelled_order, 1107), (shipped_order, 2008)],
)
def test_an_order_in_another_state_is_refused(hand_in, shop, make, code):
    order = make(shop)
    assert codes(ship(hand_in, line(order))) == {1: [code]}


@pytest.mark.req("SHIP-24", "FEED-20")
def test_a_confirmation_after_the_deadline_is_refused(hand_in, shop):
    order = unshipped_order(shop)
    shop.is_sandbox, shop.clock_ahead = True, timedelta(days=31)
    shop.save()
    assert codes(ship(hand_in, line(order))) == {1: [2012]}


@pytest.mark.req("FEED-18")
def test_orders_of_others_are_unknown_and_malformed_numbers_are_told(hand_in, shop, charlie):
    other = charlie.memberships.get().merchant
    theirs = unshipped_order(other)
    upload = ship(
        hand_in,
        line(theirs),
        line(theirs).replace(theirs.number, ""),
        line(theirs).replace(theirs.number, "203 7719304 1184526"),
        line(theirs).rstrip("\n") + "\tmore\n",
    )
    assert codes(upload) == {1: [1103], 2: [1101], 3: [1102], 4: [1108]}


@pytest.mark.req("FEED-21", "FEED-22", "FEED-23", "FEED-25")
def test_splitting_needs_item_and_quantity(hand_in, shop):
    order = unshipped_order(shop, lines=2, quantity=2)
    first, second = order.items.all()
    upload = ship(
        hand_in,
        line(order, first.number, tracking="A"),
        line(order, units="1", tracking="B"),
        line(order, first.number, "1", tracking="C"),
        line(order, first.number, "2", tracking="D"),
        line(order, first.number, "1", tracking="E"),
        line(order, second.number, tracking="F"),
        line(order, tracking="G"),
    )
    assert codes(upload) == {1: [2007], 2: [2007], 4: [2006], 7: [2008]}
    order.refresh_from_db()
    assert order.status == "shipped"
    assert [s.tracking_id for s in order.shipments.order_by("number")] == ["C", "E", "F"]
    captures = Operation.objects.filter(order=order, purpose="capture")
    assert [capture.amount for capture in captures] == [order.total]


@pytest.mark.req("FEED-24")
def test_records_of_one_parcel_are_one_package_and_one_mail(hand_in, shop):
    order = unshipped_order(shop, lines=3)
    one, two, three = order.items.all()
    upload = ship(
        hand_in,
        line(order, one.number, "1", tracking="QT1"),
        line(order, two.number, "9", tracking="QT1"),
        line(order, three.number, "1", tracking="QT1"),
    )
    assert codes(upload) == {2: [2006]}
    package = Shipment.objects.get(order=order)
    assert sorted(package.lines.values_list("item_id", flat=True)) == [one.pk, three.pk]
    assert Outbox.objects.filter(order=order, kind="N05").count() == 1


@pytest.mark.req("FEED-26")
def test_an_unknown_carrier_is_kept_as_other_with_a_warning(hand_in, shop):
    order = unshipped_order(shop)
    upload = ship(hand_in, line(order, carrier="RM48"))
    assert codes(upload) == {1: [2090]}
    assert (upload.state, upload.succeeded, upload.warned) == (UploadState.DONE, 1, 1)
    package = Shipment.objects.get(order=order)
    assert (package.carrier, package.carrier_name) == ("Other", "RM48")


@pytest.mark.req("FEED-25", "SHIP-11")
def test_a_declined_charge_is_told_and_nothing_is_recorded(hand_in, shop):
    order = unshipped_order(shop, payment_token="capture-fails")
    upload = ship(hand_in, line(order))
    assert codes(upload) == {1: [2011]}
    order.refresh_from_db()
    assert (order.status, Shipment.objects.exists()) == ("unshipped", False)


@pytest.mark.req("FEED-37")
def test_the_same_record_twice_is_done_once(hand_in, shop):
    order = unshipped_order(shop, quantity=3)
    item = order.items.get().number
    upload = ship(hand_in, *[line(order, item, "1", tracking="X")] * 2)
    assert codes(upload) == {2: [1105]}
    order.refresh_from_db()
    assert order.quantity_confirmed == 1


@pytest.mark.req("FEED-09", "FEED-10")
def test_names_are_found_wherever_they_stand(hand_in, shop):
    order, other = unshipped_order(shop), unshipped_order(shop)
    swapped = "Ship-Date\t order-id \n"
    row = f"{today(order)}\t{order.number}\n\n{today(other)}\t{other.number}\t\t\n"
    upload = ship(hand_in, row, head=swapped)
    assert codes(upload) == {0: [1090]}
    assert (upload.count, upload.succeeded) == (2, 2)
    assert list(upload.records.values_list("number", flat=True).order_by("number")) == [1, 3]


@pytest.mark.req("FEED-10", "FEED-12")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 1001),
        (b"\xef\xbb\xbf\r\n \t\r\n", 1001),
        ((MARKER + NAMES).encode(), 1001),
        (b"PK\x03\x04 a workbook", 1003),
        (b"\x00\x01\x02binary", 1003),
        (b"order-id,ship-date,carrier-code\n1,2,3\n", 1003),
        (b"order-id\tcolour\nx\ty\n", 1004),
        (b"order-id\tquantity\nx\ty\n", 1004),
        (b"order-id\tship-date\tship-date\nx\ty\tz\n", 1004),
        (b"nothing\tknown\nx\ty\n", 1004),
        (b"TemplateType=OrderCancellation\tVersion=1.0\norder-id\tship-date\nx\ty\n", 1005),
        (b"order-id\tship-date\n" + b"1\t2\n" * 50_001, 1002),
        (b"x" * (10 * 1024 * 1024 + 1), None),
    ],
)
def test_a_file_that_cannot_be_used_fails_as_a_whole(hand_in, shop, data, code):
    if code is None:  # refused before it is kept
        from core.refusal import Refused

        with pytest.raises(Refused, match="10 MB"):
            hand_in(Feed.SHIPPING, data)
        return
    upload = hand_in(Feed.SHIPPING, data)
    assert (upload.state, codes(upload), upload.count) == (UploadState.FAILED, {0: [code]}, 0)


@pytest.mark.req("FEED-11")
@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_and_line_ends_are_understood(hand_in, shop, encoding, ends):
    order = unshipped_order(shop)
    row = line(order, carrier="Other", name='"Kurier ""Été"""')
    text = (MARKER + NAMES + row).replace("\n", ends)
    upload = hand_in(Feed.SHIPPING, text.encode(encoding))
    assert codes(upload) == {}
    assert Shipment.objects.get(order=order).carrier_name == 'Kurier "Été"'


@pytest.mark.req("FEED-38", "INV-18")
def test_who_was_removed_meanwhile_does_nothing_more(shop, alice):
    from core.actor import Actor
    from tests.uploads.conftest import work_through
    from uploads.domain import receiving

    member = MembershipFactory(merchant=shop, is_owner=True)
    order = unshipped_order(shop)
    upload = receiving.receive(
        merchant=shop,
        feed=Feed.SHIPPING,
        file_name="x.txt",
        pieces=[(MARKER + NAMES + line(order)).encode()],
        by=Actor("form", "Gone", user_id=member.user_id, owner=True),
    )
    type(member).objects.filter(pk=member.pk).update(removed_at=order.purchased_at)
    assert codes(work_through(upload)) == {1: [1110]}
    assert Order.objects.get(pk=order.pk).status == "unshipped"
