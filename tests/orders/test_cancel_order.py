"""Cancel Order Confirmation."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from catalog.models import Listing, StockChange
from core import clock
from core.actor import Actor
from core.refusal import Refused
from orders.domain import cancellations, settling
from orders.enums import CancelReason
from orders.models import Order
from payments.models import Operation, SandboxEntry
from tests.factories import GATEWAY, confirm, order_in, pending_order, unshipped_order
from tests.pages import form_of, kinds, snapshot, words

BUYER = Actor("buyer", "the buyer")
JOB = Actor("job", "auto-cancel")
OPERATOR = Actor("operator", "Olive Operator")


def path(order: Order) -> str:
    return f"/orders/{order.number}/cancel/"


def post(client, order, **changes):
    fields = form_of(client, path(order)) | {"reason": "NoInventory"} | changes
    return client.post(path(order), fields)


@pytest.mark.req("CANCEL-01", "CANCEL-02", "CANCEL-07", "CANCEL-08", "BUYERCANCEL-08")
def test_the_page_asks_for_a_reason_and_says_what_follows(client, alice, order):
    client.force_login(alice)
    page = client.get(path(order))
    text = words(page)

    assert "<h1>Cancel Order Confirmation</h1>" in page.content.decode()
    for label in CancelReason.labels:
        assert str(label) in text
    assert "This cannot be undone The buyer is told by e-mail and is not charged." in text
    item = order.items.get()
    for shown in (order.number, item.title, item.sku, "£12.00"):
        assert shown in text
    assert re.search(r"<button[^>]*>Submit</button>", page.content.decode())
    assert "The whole order is cancelled" in text
    assert "Your cancellation rate: 0.00% → 100.00%" in text
    assert f'name="item_{order.items.get().pk}"' not in page.content.decode()


@pytest.mark.req("CANCEL-03", "CANCEL-04", "CANCEL-05", "CANCEL-06", "CANCEL-09", "T09", "PERF-04")
def test_cancelling_ends_the_order_and_owes_what_follows(client, alice, order):
    client.force_login(alice)

    answer = post(client, order)

    order.refresh_from_db()
    assert answer.status_code == 302
    assert f"Order {order.number} is cancelled" in words(client.get("/orders/"))
    assert (order.status, order.payment_state) == ("cancelled", "voided")
    assert (order.cancellation.move, order.cancellation.reason) == ("T09", "NoInventory")
    assert order.cancellation.counts is True
    void = Operation.objects.get(order=order)
    assert (void.purpose, void.state) == ("void", "intended")
    assert kinds(order)[-4:] == [
        "N06",
        "NewOrderNotification",
        "OrderCancelledNotification",
        "OrderReadyToShipNotification",
    ]
    settling.settle_open_operations(by=GATEWAY)
    assert SandboxEntry.objects.get(key=void.key).act == "void"
    page = client.get(f"/orders/{order.number}/").content.decode()
    assert "Flat 2, 14 Harbour Row" not in page


@pytest.mark.req("CANCEL-02", "IMPL-25")
@pytest.mark.parametrize("reason", ["", "CustomerReturn", "No inventory", "x"])
def test_a_reason_of_the_list_is_needed(client, alice, order, reason):
    client.force_login(alice)
    before = snapshot(order)

    answer = post(client, order, reason=reason)

    assert answer.status_code == 422
    assert "Choose a reason" in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("CANCEL-03", "PENDING-05", "PENDING-09", "F01", "F03", "F05", "F06", "CANCEL-12")
@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("pending", "is not verified yet"),
        ("cancelled", "was already cancelled on"),
        ("shipped", "is on its way. Tell the buyer, ask for the goods back, then refund."),
        ("partially_shipped", "Confirm the order and refund what was not sent"),
    ],
)
def test_only_a_verified_order_of_which_nothing_shipped(client, alice, shop, status, sentence):
    order = order_in(status, shop)
    client.force_login(alice)
    before = snapshot(order)
    posted = {"token": "t", "seen": order.version, "reason": "NoInventory"}

    for answer in (client.get(path(order)), client.post(path(order), posted)):
        assert answer.status_code == 409
        assert sentence in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("INVENTORY-05", "INVENTORY-07", "CANCEL-10")
@pytest.mark.parametrize(
    ("setting", "reason", "tick", "left"),
    [
        (True, "NoInventory", "1", 0),
        (True, "NoInventory", "", 7),
        (True, "PricingError", "1", 7),
        (False, "NoInventory", "1", 7),
    ],
)
def test_units_return_or_the_listing_is_emptied(client, alice, shop, setting, reason, tick, left):
    shop.zero_out_inventory = setting
    shop.save()
    order = unshipped_order(shop, quantity=2)
    listing = order.items.get().listing
    Listing.objects.filter(pk=listing.pk).update(quantity_available=5)
    client.force_login(alice)

    post(client, order, reason=reason, zero_out=tick)

    listing.refresh_from_db()
    assert listing.quantity_available == left
    last = StockChange.objects.filter(listing=listing).order_by("-pk").first()
    assert (last.before, last.after) == (5, left)
    assert last.cause == ("zero_out" if left == 0 else "cancellation")


@pytest.mark.req("IMPL-01", "INV-02")
def test_the_same_form_sent_twice_cancels_once(client, alice, order):
    client.force_login(alice)
    fields = form_of(client, path(order)) | {"reason": "PricingError"}

    answers = [client.post(path(order), fields).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert kinds(order).count("N06") == 1
    assert Operation.objects.filter(order=order).count() == 1


@pytest.mark.req("IMPL-02", "F16")
def test_a_stale_page_is_refused(client, alice, order):
    client.force_login(alice)
    fields = form_of(client, path(order)) | {"reason": "PricingError", "seen": "1"}
    before = snapshot(order)

    answer = client.post(path(order), fields)

    assert answer.status_code == 409
    assert "Someone else changed this order" in words(answer)
    assert 'value="PricingError" checked' in answer.content.decode()
    assert snapshot(order) == before


@pytest.mark.req("PERMISSION-03", "IMPL-03", "F18", "F19")
def test_a_reader_gets_403_and_a_stranger_404(client, bob, charlie, order):
    before = snapshot(order)
    for user, code in ((bob, 403), (charlie, 404)):
        client.force_login(user)
        assert client.post(path(order), {"reason": "NoInventory"}).status_code == code
    assert snapshot(order) == before


@pytest.mark.req("CANCEL-05", "T09", "K19")
def test_money_paid_in_advance_goes_back_whole(client, kenji, japanese_shop):
    order = unshipped_order(japanese_shop, in_advance=True)
    client.force_login(kenji)

    post(client, order)

    refund = order.refunds.get()
    assert (refund.reason, refund.state, refund.total) == (
        "AdvancePaymentReturned",
        "submitted",
        order.total,
    )
    settling.settle_open_operations(by=GATEWAY)
    refund.refresh_from_db()
    order.refresh_from_db()
    assert (refund.state, order.refunded_total) == ("completed", order.total)
    assert "N10" in kinds(order)


@pytest.mark.req("CANCEL-05", "T09")
def test_an_order_of_nothing_paid_in_advance_can_be_cancelled(client, kenji, japanese_shop):
    order = unshipped_order(japanese_shop, in_advance=True, amounts={"item_price": Decimal(0)})
    client.force_login(kenji)

    post(client, order)

    order.refresh_from_db()
    assert (order.status, order.refunds.count()) == ("cancelled", 0)


@pytest.mark.req("T10", "AUTO-02", "AUTO-03", "AUTO-04", "AUTO-05", "F20")
def test_the_deadline_cancels_unshipped_orders_and_nothing_else(shop):
    due = unshipped_order(shop)
    others = [order_in(s, shop) for s in ("pending", "partially_shipped", "shipped", "cancelled")]
    early = unshipped_order(shop)
    late = max(order.deadline_at for order in [due, *others])
    with clock.stopped(due.deadline_at):
        (first,) = cancellations.cancel_overdue(order_ids=[due.pk], by=JOB)
    assert isinstance(first, Order)
    assert (first.status, first.cancellation.move, first.cancellation.counts) == (
        "cancelled",
        "T10",
        True,
    )
    assert {"N08", "N09"} <= set(kinds(due))
    before = [snapshot(order) for order in [*others, early]]
    with clock.stopped(late):
        cancellations.cancel_overdue(order_ids=[order.pk for order in others], by=JOB)
    with clock.stopped(early.purchased_at):
        cancellations.cancel_overdue(order_ids=[early.pk], by=JOB)
    assert [snapshot(order) for order in [*others, early]] == before


@pytest.mark.req("T04", "T11", "F14")
def test_a_buyer_cancels_while_pending_or_within_the_window(shop):
    waiting = pending_order(shop)
    cancellations.cancel_for_buyer(order_id=waiting.pk, by=BUYER)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.cancellation.move) == ("cancelled", "T04")

    order = unshipped_order(shop)
    with (
        clock.stopped(order.purchased_at.replace(year=order.purchased_at.year + 1)),
        pytest.raises(Refused) as refused,
    ):
        cancellations.cancel_for_buyer(order_id=order.pk, by=BUYER)
    assert refused.value.code == "CANCEL_WINDOW_CLOSED"
    with clock.stopped(order.purchased_at):
        cancellations.cancel_for_buyer(order_id=order.pk, by=BUYER)
    order.refresh_from_db()
    assert (order.cancellation.move, order.cancellation.counts) == ("T11", False)
    assert "N36" in kinds(order)


@pytest.mark.req("T13")
@pytest.mark.parametrize("counts", [True, False])
def test_an_operator_cancels_with_a_note(shop, order, counts):
    with pytest.raises(Refused) as refused:
        cancellations.cancel_for_platform(order_id=order.pk, note=" ", by=OPERATOR)
    assert refused.value.refusal.field == "note"

    cancellations.cancel_for_platform(
        order_id=order.pk, note="Stolen card", by=OPERATOR, counts=counts
    )

    order.refresh_from_db()
    assert (order.cancellation.move, order.cancellation.counts) == ("T13", counts)
    assert {"N06", "N37"} <= set(kinds(order))


@pytest.mark.req("INV-05")
def test_a_shipped_order_is_never_cancelled_by_anyone(shop, order):
    confirm(order, 1)
    for act in (
        lambda: cancellations.cancel_for_buyer(order_id=order.pk, by=BUYER),
        lambda: cancellations.cancel_for_platform(order_id=order.pk, note="x", by=OPERATOR),
    ):
        with pytest.raises(Refused):
            act()
