"""Cancellations and adjustments by file: what records do, and every code they can earn."""

from __future__ import annotations

from decimal import Decimal

import pytest

from notifications.models import Outbox
from orders.enums import RefundReason
from orders.models import Cancellation, Refund
from tests.factories import (
    AMOUNTS,
    ItemDraft,
    ListingFactory,
    cancelled_order,
    confirm,
    pending_order,
    shipped_order,
    unshipped_order,
)
from tests.uploads.conftest import codes
from uploads.columns import LAYOUTS, marker_row
from uploads.enums import Feed


def cancel(hand_in, *records: str):
    names = "order-id\tcancellation-reason-code\torder-item-id\n"
    head = marker_row(Feed.CANCELLATION) + "\n" + names
    return hand_in(Feed.CANCELLATION, head + "".join(f"{record}\n" for record in records))


def adjust(hand_in, *records: dict[str, str]):
    names = LAYOUTS[Feed.ADJUSTMENTS].names
    rows = ["\t".join(record.get(name, "") for name in names) for record in records]
    head = [marker_row(Feed.ADJUSTMENTS), "\t".join(names)]
    return hand_in(Feed.ADJUSTMENTS, "\n".join([*head, *rows]) + "\n")


@pytest.mark.req("FEED-28", "FEED-29", "FEED-30")
def test_an_order_id_alone_cancels_with_a_warning(hand_in, shop):
    order = unshipped_order(shop)
    assert codes(cancel(hand_in, order.number)) == {1: [3090]}
    order.refresh_from_db()
    assert order.status == "cancelled"
    ended = Cancellation.objects.get(order=order)
    assert (ended.reason, ended.door) == ("GeneralAdjustment", "file")
    assert Outbox.objects.filter(order=order, kind="N06").count() == 1


@pytest.mark.req("FEED-30", "CANCEL-10")
@pytest.mark.parametrize("zeroes", [True, False])
def test_the_account_says_whether_listings_are_emptied(hand_in, shop, zeroes):
    shop.zero_out_inventory = zeroes
    shop.save()
    order = unshipped_order(shop)
    assert codes(cancel(hand_in, f"{order.number}\tNoInventory")) == {}
    listing = order.items.get().listing
    assert (listing.quantity_available == 0) is zeroes


@pytest.mark.req("FEED-29")
def test_reasons_items_and_states_are_judged(hand_in, shop):
    order, whole = unshipped_order(shop, lines=2), unshipped_order(shop, lines=2)
    part = unshipped_order(shop, lines=2)
    confirm(part, 1)
    upload = cancel(
        hand_in,
        f"{order.number}\tBecause",
        f"{order.number}\tNoInventory\t111-1111111-1111111",
        f"{shipped_order(shop).number}\tNoInventory",
        f"{part.number}\tNoInventory",
        f"{cancelled_order(shop).number}\tNoInventory",
        f"{pending_order(shop).number}\tNoInventory",
        *(f"{whole.number}\tBuyerCanceled\t{item.number}" for item in whole.items.all()),
    )
    assert codes(upload) == {1: [3002], 2: [1104], 3: [3001], 4: [3001], 5: [3004], 6: [1106]}
    whole.refresh_from_db()
    assert whole.status == "cancelled"
    item = order.items.first().number
    assert codes(cancel(hand_in, f"{order.number}\tNoInventory\t{item}")) == {1: [3003]}
    order.refresh_from_db()
    assert order.status == "unshipped"


@pytest.mark.req("FEED-33")
def test_full_partial_and_item_refunds(hand_in, shop):
    whole, partly, by_item = (shipped_order(shop, lines=2) for _each in range(3))
    item = partly.items.first()
    upload = adjust(
        hand_in,
        {"order-id": whole.number, "adjustment-reason-code": "CustomerReturn"},
        {
            "order-id": partly.number,
            "order-item-id": item.number,
            "adjustment-reason-code": "DifferentItem",
            "currency": "GBP",
            "item-price-adj": "1.25",
            "shipping-price-adj": "0.50",
        },
        {
            "order-id": by_item.number,
            "order-item-id": by_item.items.first().number,
            "adjustment-reason-code": "CouldNotShip",
        },
    )
    assert codes(upload) == {}
    for order in (whole, partly, by_item):
        order.refresh_from_db()
    assert whole.refunded_total == whole.total
    assert partly.refunded_total == Decimal("1.75")
    assert by_item.refunded_total == by_item.items.first().paid_total
    item.refresh_from_db()
    assert (item.refunded_item_price, item.refunded_shipping_price) == (
        Decimal("1.25"),
        Decimal("0.50"),
    )


@pytest.mark.req("FEED-34", "MONEY-08")
def test_amounts_without_an_item_are_spread_by_what_remains(hand_in, shop):
    prices = [Decimal("30.00"), Decimal("10.00")]
    lines = [ItemDraft(ListingFactory(merchant=shop).sku, 1, {"item_price": p}) for p in prices]
    order = shipped_order(shop, lines=lines)
    upload = adjust(hand_in, {"order-id": order.number, "item-price-adj": "10.00"})
    assert codes(upload) == {1: [4090]}
    given = [item.refunded_item_price for item in order.items.order_by("line")]
    assert given == [Decimal("7.50"), Decimal("2.50")]
    assert Refund.objects.get(order=order).reason == RefundReason.GENERAL_ADJUSTMENT


@pytest.mark.req("FEED-35")
@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"adjustment-reason-code": "Because"}, 4001),
        ({"item-price-adj": "1,00"}, 4002),
        ({"item-price-adj": "1.005"}, 4002),
        ({"item-price-adj": "NaN"}, 4002),
        ({"item-price-adj": "１"}, 4002),
        ({"item-price-adj": "-5"}, 4003),
        ({"item-price-adj": "100.01"}, 4004),
        ({"currency": "EUR", "item-price-adj": "1"}, 4005),
        ({"item-price-adj": "0.00", "shipping-price-adj": "0"}, 4010),
        ({"order-item-id": "111-1111111-1111111"}, 1104),
    ],
)
def test_each_wrong_cell_has_its_code(hand_in, shop, cells, code):
    order = shipped_order(shop, amounts=AMOUNTS)
    given = {"order-id": order.number, "adjustment-reason-code": "CustomerReturn"} | cells
    assert codes(adjust(hand_in, given)) == {1: [code]}
    assert not Refund.objects.exists()


@pytest.mark.req("FEED-35")
def test_orders_that_cannot_be_refunded_say_why(hand_in, shop):
    done = shipped_order(shop)
    plain = shipped_order(shop)
    declined = shipped_order(shop, payment_token="refund-fails")
    reason = {"adjustment-reason-code": "CustomerReturn"}
    upload = adjust(
        hand_in,
        {"order-id": done.number, **reason},
        {"order-id": done.number, "item-price-adj": "0.01", **reason},
        {"order-id": unshipped_order(shop).number, **reason},
        {"order-id": plain.number, "item-promotion-adj": "1.00", **reason},
        {"order-id": declined.number, **reason},
        {"order-id": cancelled_order(shop).number, **reason},
        {"order-id": pending_order(shop).number, **reason},
    )
    assert codes(upload) == {
        2: [4007], 3: [4006], 4: [4008], 5: [4009], 6: [1107], 7: [1106]
    }  # fmt: skip


@pytest.mark.req("FEED-37", "INV-01")
def test_records_together_give_back_no_more_than_was_paid(hand_in, shop):
    order = shipped_order(shop, amounts={"item_price": Decimal("10.00")})
    reason = {"adjustment-reason-code": "CustomerReturn"}
    six = {"order-id": order.number, "item-price-adj": "6.00", **reason}
    five = {"order-id": order.number, "item-price-adj": "5.00", **reason}
    assert codes(adjust(hand_in, six, six, five)) == {2: [1105], 3: [4004]}
    order.refresh_from_db()
    assert order.refunded_total == Decimal("6.00")


@pytest.mark.req("FEED-18", "IMPL-34")
def test_a_check_says_exactly_what_applying_then_does(hand_in, shop):
    """Over records that lean on each other: parts of one order, sums over one component."""
    names = LAYOUTS[Feed.SHIPPING].names
    order, other = unshipped_order(shop, lines=2, quantity=2), unshipped_order(shop)
    one, two = order.items.all()
    day = order.marketplace.local_date(order.purchased_at).isoformat()
    rows = [
        [order.number, one.number, "1", day, "", "", "A"],
        [order.number, one.number, "2", day, "", "", "B"],
        [order.number, two.number, "2", day, "RM48", "", "C"],
        [order.number, "", "", day, "", "", "D"],
        [order.number, "", "", day, "", "", "E"],
        [other.number, "", "", day, "", "", ""],
    ]
    text = "\n".join(["\t".join(names), *("\t".join(row) for row in rows)])
    checked = hand_in(Feed.SHIPPING, text, check_only=True)
    assert Refund.objects.count() == Outbox.objects.filter(kind="N05").count() == 0
    applied = hand_in(Feed.SHIPPING, text)
    assert codes(checked) == codes(applied) == {0: [1090], 2: [2006], 3: [2090], 5: [2008]}
    assert checked.succeeded == applied.succeeded == 4
    units = [r.effect.get("units") for r in checked.records.order_by("number")]
    assert units == [r.effect.get("units") for r in applied.records.order_by("number")]
    charged = sum(Decimal(r.effect.get("charged", 0)) for r in checked.records.all())
    order.refresh_from_db()
    assert charged == order.total + other.total

    paid = {"item_price": Decimal("10.00")}
    sold = shipped_order(shop, amounts=paid)
    reason = {"order-id": sold.number, "adjustment-reason-code": "CustomerReturn"}
    amounts = [{"item-price-adj": each, **reason} for each in ("6.00", "5.00", "4.00", "0.01")]
    names = LAYOUTS[Feed.ADJUSTMENTS].names
    lines = ["\t".join(names), *("\t".join(r.get(n, "") for n in names) for r in amounts)]
    checked = hand_in(Feed.ADJUSTMENTS, "\n".join(lines), check_only=True)
    assert not Refund.objects.exists()
    applied = hand_in(Feed.ADJUSTMENTS, "\n".join(lines))
    assert codes(checked) == codes(applied) == {0: [1090], 2: [4004], 4: [4007]}
