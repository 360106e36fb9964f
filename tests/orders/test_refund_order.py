"""Refund Order: full and partial, through the pages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db.models import Sum

from core.refusal import Refused
from core.templatetags.ui import money
from orders.domain import amounts, refunds, settling, shipments
from orders.domain.packages import Package
from orders.enums import COMPONENT_LABELS, REFUND_REASON_HELP, RefundReason
from orders.models import Item, Order
from orders.models.order import sign_of
from payments.models import LedgerLine, Operation, SandboxEntry
from tests.factories import AMOUNTS, GATEWAY, STAFF, order_in, shipped_order, unshipped_order
from tests.factories import refund as give_back
from tests.pages import fields_in, form_of, kinds, snapshot, words


def path(order: Order, tab: str = "") -> str:
    return f"/orders/{order.number}/refund/" + (f"?tab={tab}" if tab else "")


@pytest.fixture
def shipped(shop):
    """The example of MONEY-03: 125.60 paid."""
    return shipped_order(shop, amounts=AMOUNTS)


def look(client, order, tab, **changes):
    """Submit the form and return the last look."""
    fields = form_of(client, path(order, tab)) | {"reason": "CustomerReturn", "tab": tab} | changes
    return client.post(path(order), fields, follow=True)


def partial(client, order, item_cost="", delivery="", **changes):
    item = order.items.order_by("line").first()
    boxes = {
        f"item_{item.pk}": "1",
        f"item_cost_{item.pk}": item_cost,
        f"delivery_{item.pk}": delivery,
    }
    return look(client, order, "partial", **(boxes | changes))


def submit(client, order, page):
    fields = fields_in(page.content.decode(), path(order)) | {"confirmed": "1"}
    return client.post(path(order), fields)


@pytest.mark.req("REFUND-01", "REFUND-02", "REFUND-05", "MONEY-05")
def test_the_full_tab_shows_what_is_left_and_asks_for_a_reason(client, alice, shipped):
    client.force_login(alice)
    give_back(shipped, "25.60")

    text = words(client.get(path(shipped)))

    assert "Full Refund" in text
    assert "Partial Refund" in text
    assert "£125.60 paid, less £25.60 refunded" in text
    assert "Total to refund £100.00" in text
    item = shipped.items.get()
    left = [(label, sign_of(c) * item.remaining(c)) for c, label in COMPONENT_LABELS.items()]
    told = [f"{label} {money(amount, 'GBP')}" for label, amount in left if amount]
    assert len(told) == 7
    assert f"Refund now £100.00 {' '.join(told)}" in text
    for reason in RefundReason:
        assert f"{reason.label} {REFUND_REASON_HELP[reason]}" in text
    for label in ("Reason to Refund", "Memo to Buyer", "Submit Full Refund"):
        assert str(label) in text


@pytest.mark.req("REFUND-13")
def test_only_the_forms_own_fields_are_kept_for_the_last_look(client, alice, shipped):
    client.force_login(alice)
    page = look(client, shipped, "full", memo="Sorry.", padding="x" * 500_000)
    assert page.status_code == 200
    assert "padding" not in page.content.decode()
    assert "x" * 5_000 not in str(dict(client.session))


@pytest.mark.req("REFUND-03", "MONEY-06")
def test_the_partial_tab_has_two_boxes_with_their_maxima(client, alice, shipped):
    client.force_login(alice)
    text = words(client.get(path(shipped, "partial")))
    assert text.count("Amount to Refund") >= 2
    assert "up to £116.00" in text
    assert "up to £9.60" in text
    assert "Submit Partial Refund" in text


@pytest.mark.req("REFUND-08", "REFUND-09", "REFUND-10", "REFUND-13", "REFUND-15", "DETAIL-06")
def test_a_full_refund_is_looked_at_once_more_and_then_done(client, alice, shipped):
    client.force_login(alice)
    told = kinds(shipped)

    page = look(client, shipped, "full", memo="Sorry.\nKeep it. <b>")

    assert page.status_code == 200
    assert "Refund £125.60 to Eilidh MacLeod?" in words(page)
    assert not shipped.refunds.exists()

    answer = submit(client, shipped, page)

    shipped.refresh_from_db()
    refund = shipped.refunds.get()
    assert answer.status_code == 302
    text = words(client.get(answer.url))
    assert "Refund of £125.60 submitted" in text
    assert "Refunded" in text
    assert (refund.state, refund.total, refund.memo) == (
        "completed",
        Decimal("125.60"),
        "Sorry.\nKeep it. <b>",
    )
    assert (shipped.status, shipped.refunded_total) == ("shipped", Decimal("125.60"))
    told.append("N10")  # the buyer alone is told (REFUND-10)
    assert kinds(shipped) == sorted(told)
    operation = Operation.objects.get(order=shipped, purpose="refund")
    assert SandboxEntry.objects.get(key=operation.key).amount == Decimal("125.60")


@pytest.mark.req("MONEY-07", "REFUND-16", "REFUND-03")
def test_an_amount_in_a_box_is_split_over_its_components(client, alice, shipped):
    client.force_login(alice)

    submit(client, shipped, partial(client, shipped, item_cost="58.00"))

    lines = LedgerLine.objects.filter(order=shipped, kind="refund")
    assert {line.component: line.amount for line in lines} == {
        "item_price": Decimal("-50.00"),
        "item_tax": Decimal("-10.00"),
        "gift_wrap_price": Decimal("-2.50"),
        "gift_wrap_tax": Decimal("-0.50"),
        "item_promotion": Decimal("5.00"),
    }
    for amount in ("20.00", "38.00"):
        shipped.refresh_from_db()
        submit(client, shipped, partial(client, shipped, item_cost=amount))
    shipped.refresh_from_db()
    item = Item.objects.get(order=shipped)
    assert shipped.refunded_total == Decimal("116.00")
    assert amounts.maximum(item, "item_cost") == 0
    assert amounts.maximum(item, "delivery") == Decimal("9.60")


@pytest.mark.req("REFUND-04", "MONEY-12", "F10", "IMPL-25", "TH-02")
@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("116.01", "Amount must be £116.00 or less"),
        ("0", "Total must be more than £0.00"),
        ("", "Total must be more than £0.00"),
        ("  ", "Total must be more than £0.00"),
        *(
            (text, "Enter an amount, like 4.50")
            for text in (
                "-0", "-1", "+1", "1,00", "1.000,00", "1 000", ".5", "5.", "1.005", "1e2", "NaN",
                "Infinity", "0x10", "1_0", "£5", "５", "١", "9" * 40,
            )
        ),
    ],
)  # fmt: skip
def test_amounts_are_read_strictly(client, alice, shipped, typed, message):
    client.force_login(alice)
    before = snapshot(shipped)

    page = partial(client, shipped, item_cost=typed)

    assert page.status_code == 422
    assert message in words(page)
    assert snapshot(shipped) == before


@pytest.mark.req("MONEY-12")
@pytest.mark.parametrize(
    ("typed", "total"), [("00.50", "£0.50"), ("116", "£116.00"), (" 7.5 ", "£7.50")]
)
def test_plain_digits_with_a_point_are_taken(client, alice, shipped, typed, total):
    client.force_login(alice)
    assert f"Refund {total} to" in words(partial(client, shipped, item_cost=typed))


@pytest.mark.req("REFUND-04")
def test_boxes_of_unticked_items_are_ignored_and_one_must_be_ticked(client, alice, shipped):
    client.force_login(alice)
    item = shipped.items.get()
    fields = form_of(client, path(shipped, "partial"))
    fields |= {"reason": "CustomerReturn", "tab": "partial", f"item_cost_{item.pk}": "5.00"}

    page = client.post(path(shipped), fields)

    assert page.status_code == 422
    assert "Tick at least one item" in words(page)


@pytest.mark.req("REFUND-04", "REFUND-16", "BI-MON")
def test_of_two_items_the_ticked_one_is_refunded(client, alice, shop):
    order = shipped_order(shop, lines=2)
    first, second = order.items.order_by("line")
    client.force_login(alice)

    page = partial(client, order, "4.00", **{f"item_cost_{second.pk}": "99 pounds"})
    submit(client, order, page)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.refunded_total, second.refunded_total) == (Decimal("4.00"), 0)
    assert order.refunds.get().total == Decimal("4.00")


@pytest.mark.req("REFUND-02", "REFUND-11", "IMPL-25")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reason": ""}, "Choose a reason"),
        ({"reason": "PricingError"}, "Choose a reason"),
        ({"reason": "Kundenretoure"}, "Choose a reason"),
        ({"memo": "x" * 1001}, "Must be 1,000 characters or fewer"),
        ({"memo": "bad \x1b[31m"}, "Remove control characters"),
    ],
)
def test_reason_and_memo_are_checked(client, alice, shipped, changes, message):
    client.force_login(alice)
    page = look(client, shipped, "full", **changes)
    assert page.status_code == 422
    assert message in words(page)
    assert not shipped.refunds.exists()


@pytest.mark.req("REFUND-11", "IMPL-27")
@pytest.mark.parametrize(
    "memo", ["x" * 1000, "🎁" * 1000, "{{7*7}} {% raw %} ${7*7}", "山田\r\nBcc: x"]
)
def test_a_memo_is_kept_exactly_as_typed(client, alice, shipped, memo):
    client.force_login(alice)
    submit(client, shipped, look(client, shipped, "full", memo=memo))
    assert shipped.refunds.get().memo == memo.replace("\r\n", "\n")


@pytest.mark.req("REFUND-07", "F01", "F02", "F08", "SHIP-10", "K19")
@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("pending", "is not verified yet"),
        ("cancelled", "is cancelled"),
        ("unshipped", "is not charged yet. Cancel the order instead."),
    ],
)
def test_no_refund_without_captured_money(client, alice, shop, status, sentence):
    order = order_in(status, shop)
    client.force_login(alice)
    before = snapshot(order)
    for answer in (client.get(path(order)), client.post(path(order), {"confirmed": "1"})):
        assert answer.status_code == 409
        assert sentence in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("REFUND-07", "F09", "DETAIL-03")
def test_an_unshipped_order_paid_in_advance_is_refunded_in_part_only(client, kenji, japanese_shop):
    money = {"item_price": Decimal(3000), "shipping_price": Decimal(500)}
    order = unshipped_order(japanese_shop, in_advance=True, amounts=money)
    client.force_login(kenji)
    assert "Refund Order" in words(client.get(f"/orders/{order.number}/"))

    submit(client, order, partial(client, order, item_cost="1000"))

    order.refresh_from_db()
    assert order.refunded_total == Decimal(1000)
    before = snapshot(order)
    posted = {"tab": "full", "reason": "CustomerReturn", "seen": order.version, "token": "t"}
    for confirmed in ({}, {"confirmed": "1"}):
        answer = client.post(path(order), posted | confirmed)
        assert answer.status_code == 409
        assert "Use Cancel Order; it refunds everything." in words(answer)
    assert snapshot(order) == before
    page = partial(client, order, item_cost="2000", delivery="500")
    assert page.status_code == 409
    assert "Use Cancel Order" in words(page)
    whole = refunds.RefundRequest(order.pk, amounts.Everything(), RefundReason.CUSTOMER_RETURN)
    with pytest.raises(Refused) as refused:
        refunds.refund_order(wanted=whole, by=STAFF)
    assert refused.value.code == "USE_CANCEL"


@pytest.mark.req("MONEY-01", "MONEY-12")
def test_yen_have_no_decimals(client, kenji, japanese_shop):
    money = {"item_price": Decimal(3000)}
    order = unshipped_order(japanese_shop, amounts=money)
    client.force_login(kenji)
    today = order.marketplace.local_date(order.purchased_at)
    shipments.confirm_shipment(
        wanted=shipments.Confirmation(order.pk, Package(today, "Yamato")), by=STAFF
    )
    order.refresh_from_db()
    assert "Enter an amount, like 450" in words(partial(client, order, item_cost="10.5"))


@pytest.mark.req("REFUND-12")
def test_a_refund_that_fails_gives_its_amount_back_and_can_be_repeated(client, alice, shop):
    order = shipped_order(shop, amounts=AMOUNTS, payment_token="refund-fails")
    client.force_login(alice)

    answer = submit(client, order, partial(client, order, item_cost="16.00"))

    order.refresh_from_db()
    refund = order.refunds.get()
    assert refund.state == "failed"
    assert "failed" in words(client.get(answer.url))
    assert order.refunded_total == 0
    assert "N10" not in kinds(order)
    total = LedgerLine.objects.filter(refund=refund).aggregate(sum=Sum("amount"))["sum"]
    assert total == 0
    assert "Refund £125.60 to" in words(look(client, order, "full"))


@pytest.mark.req("REFUND-12", "IMPL-16", "FT-03")
def test_a_lost_answer_is_settled_by_asking_the_gateway(client, alice, shop):
    order = shipped_order(shop, amounts=AMOUNTS)
    order.payment.token = "answer-lost"
    order.payment.save()
    client.force_login(alice)

    submit(client, order, partial(client, order, item_cost="16.00"))

    refund = order.refunds.get()
    order.refresh_from_db()
    assert (refund.state, order.refunded_total) == ("submitted", Decimal("16.00"))
    operation = Operation.objects.get(order=order, purpose="refund")
    settling.settle(operation, by=GATEWAY)
    refund.refresh_from_db()
    assert refund.state == "completed"
    assert SandboxEntry.objects.filter(key=operation.key).count() == 1
    settling.settle(operation, by=GATEWAY)
    assert kinds(order).count("N10") == 1


@pytest.mark.req("REFUND-13", "IMPL-01", "INV-02")
def test_the_last_look_sent_twice_refunds_once(client, alice, shipped):
    client.force_login(alice)
    page = look(client, shipped, "full")

    answers = [submit(client, shipped, page).status_code for _ in range(2)]

    assert answers == [302, 302]
    assert shipped.refunds.count() == 1
    assert kinds(shipped).count("N10") == 1


@pytest.mark.req("IMPL-02", "INV-02", "F16")
def test_a_second_refund_from_a_page_opened_before_the_first_is_refused(client, alice, shipped):
    client.force_login(alice)
    page = partial(client, shipped, item_cost="10.00", memo="typed")
    give_back(shipped, "10.00")

    answer = submit(client, shipped, page)

    assert answer.status_code == 409
    assert "Someone else changed this order" in words(answer)
    assert "typed" in answer.content.decode()
    assert shipped.refunds.count() == 1


@pytest.mark.req("REFUND-19", "MONEY-14")
def test_commission_is_credited_in_step_and_never_more(shipped):
    for amount in ("38.66", "38.67", "38.67"):
        give_back(shipped, amount)
    give_back(shipped)
    sums = dict(
        LedgerLine.objects.filter(order=shipped, component="commission")
        .values_list("kind")
        .annotate(sum=Sum("amount"))
    )
    assert sums == {"commission": Decimal("-18.84"), "commission_credit": Decimal("18.84")}


@pytest.mark.req("REFUND-02")
def test_back_keeps_everything_typed_and_the_total_can_be_worked_out(client, alice, shipped):
    client.force_login(alice)
    page = partial(client, shipped, item_cost="11.46", memo="candles")
    look_at = page.redirect_chain[-1][0]

    again = client.get(f"{look_at}&edit=1")
    worked_out = partial(client, shipped, item_cost="11.46", delivery="1", recalculate="1")
    looked_at_again = client.get(look_at)
    submit(client, shipped, looked_at_again)
    gone = client.get(look_at, follow=True)

    assert 'value="11.46"' in again.content.decode()
    assert "candles" in again.content.decode()
    assert "Refund £11.46 to" in words(looked_at_again)
    assert "That refund form was sent or left" in words(gone)
    assert "£12.46" in words(worked_out)


@pytest.mark.req("PERMISSION-03", "IMPL-03", "F18", "F19")
def test_a_reader_gets_403_and_a_stranger_404(client, bob, charlie, shipped):
    before = snapshot(shipped)
    for user, code in ((bob, 403), (charlie, 404)):
        client.force_login(user)
        assert client.post(path(shipped), {"confirmed": "1"}).status_code == code
    assert snapshot(shipped) == before
