"""Changing an order in its first minutes: all of it or nothing (BUYERCANCEL-01)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry
from catalog.models import Listing, StockChange
from core import clock
from core.money import Money, for_units, split
from core.refusal import Refused
from orders.domain import (
    contacts,
    edits,
    guards,
    invariants,
    settling,
    shipments,
    verification,
)
from orders.domain.packages import Package
from orders.enums import Act
from orders.models import Item, Order
from orders.models.contact import Contact
from payments.domain import operations
from payments.gateways import Verification, VerificationOutcome, gateway
from payments.models import Operation, Payment, SandboxEntry
from tests.buyers import BUYER, page_of, post, window_ends
from tests.factories import (
    AMOUNTS,
    GATEWAY,
    STAFF,
    ItemDraft,
    ListingFactory,
    order_in,
    pending_order,
    unshipped_order,
)
from tests.outsiders import everything
from tests.pages import form_of, kinds, snapshot, words

NEW = {"recipient_name": "Neil Receiver", "address_1": "3 Pier Road", "city": "Oban"}


@pytest.fixture
def fresh(shop) -> Order:
    """Bought a moment ago, verified: two units of one item, £125.60."""
    return unshipped_order(shop, quantity=2, age=timedelta(seconds=1), amounts=AMOUNTS)


def quantity(order: Order, units: int) -> dict[str, str]:
    return {f"quantity_{order.items.get().pk}": str(units)}


def address(order: Order) -> contacts.Address:
    return contacts.delivery_for_buyer(order)


def commit() -> None:
    """Let the database check what it checks when a transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def acts_at_the_gateway(order: Order) -> list[tuple[str, Decimal]]:
    keys = Operation.objects.filter(order=order).values("key")
    return list(
        SandboxEntry.objects.filter(key__in=keys).order_by("pk").values_list("act", "amount")
    )


def found(order: Order) -> list[object]:
    """What is wrong with the orders; the journal does not know a factory's listings."""
    rows = invariants.verify(merchant_id=order.merchant_id).items()
    return [row for name, found in rows for row in found if not name.startswith("INVENTORY-07")]


@pytest.mark.req("BUYERCANCEL-01", "INVENTORY-02", "INV-03")
@pytest.mark.parametrize(("units", "total"), [(3, "188.40"), (1, "62.80"), (10, "628.00")])
def test_price_shipping_tax_stock_and_payment_follow_the_units(client, fresh, units, total):
    item = fresh.items.get()
    left = Listing.objects.get(pk=item.listing_id).quantity_available

    answer = post(client, fresh, "change/", **quantity(fresh, units))

    assert (answer.status_code, answer["Location"]) == (302, page_of(fresh))
    assert "Your order is changed." in words(client.get(page_of(fresh)))
    commit()
    fresh.refresh_from_db()
    item.refresh_from_db()
    assert (fresh.status, fresh.payment_state) == ("unshipped", "authorised")
    assert (item.quantity_purchased, fresh.quantity_purchased) == (units, units)
    assert (fresh.total, item.paid_total) == (Decimal(total), Decimal(total))
    amounts = {name: AMOUNTS[name] * units / 2 for name in AMOUNTS}
    assert {name: item.paid(name) for name in AMOUNTS} == amounts
    assert Listing.objects.get(pk=item.listing_id).quantity_available == left - (units - 2)
    last = StockChange.objects.filter(order=fresh).order_by("-pk").first()
    assert (last.after - last.before, last.cause) == (
        2 - units, "order" if units > 2 else "cancellation"
    )  # fmt: skip
    settling.settle_open_operations(by=GATEWAY)
    assert acts_at_the_gateway(fresh) == [
        ("authorise", Decimal(total)), ("void", Decimal("125.60"))
    ]  # fmt: skip
    assert found(fresh) == []


@pytest.mark.req("BUYERCANCEL-01", "MONEY-08")
def test_units_that_do_not_divide_come_back_to_what_they_cost(client, shop):
    money = {"item_price": Decimal("10.00"), "item_tax": Decimal("0.05")}
    order = unshipped_order(shop, quantity=3, amounts=money, age=timedelta(seconds=1))
    totals = []
    for units in (2, 1, 7, 2, 3):
        post(client, order, "change/", **quantity(order, units))
        commit()
        order.refresh_from_db()
        totals.append(order.total)
    assert totals == [Decimal(t) for t in ("6.71", "3.36", "23.46", "6.71", "10.05")]
    assert found(order) == []


@given(
    amount=st.integers(0, 10**7),
    units=st.integers(1, 200),
    wanted=st.integers(1, 200),
    currency=st.sampled_from(["GBP", "JPY"]),
)
@pytest.mark.req("BUYERCANCEL-01", "MONEY-01", "INV-03")
def test_each_unit_costs_what_it_cost(amount, units, wanted, currency):
    smallest = Decimal("0.01") if currency == "GBP" else Decimal(1)
    paid = amount * smallest
    each = split(paid, [Decimal(1)] * units, currency)
    asked = for_units(paid, units, wanted, currency)
    rounds, rest = divmod(wanted, units)
    assert asked == rounds * sum(each) + sum(each[:rest])
    assert for_units(paid, units, units, currency) == paid
    assert abs(asked * units - paid * wanted) < units * units * smallest


@given(
    parts=st.lists(st.integers(0, 5000), min_size=1, max_size=4),
    units=st.integers(1, 40),
    wanted=st.integers(1, 60),
    data=st.data(),
)
@pytest.mark.req("BUYERCANCEL-01", "MONEY-02")
def test_a_discount_never_grows_above_what_it_is_taken_from(parts, units, wanted, data):
    discount = data.draw(st.integers(0, sum(parts)))
    costs = [for_units(Decimal(p), units, wanted, "JPY") for p in parts]
    assert for_units(Decimal(discount), units, wanted, "JPY") <= sum(costs)


@pytest.mark.req("BUYERCANCEL-01")
def test_a_new_address_needs_no_new_payment(client, fresh):
    answer = post(client, fresh, "change/", **NEW)

    assert answer.status_code == 302
    commit()
    fresh.refresh_from_db()
    written = address(fresh)
    assert (written.recipient_name, written.address_1, written.city) == tuple(NEW.values())
    assert (written.postal_code, written.country) == ("PA75 6NU", "GB")
    assert fresh.total == Decimal("125.60")
    assert not Operation.objects.filter(order=fresh).exists()


@pytest.mark.req("BUYERCANCEL-01")
def test_the_merchant_ships_to_the_new_address(client, alice, fresh):
    post(client, fresh, "change/", **NEW, **quantity(fresh, 3))
    client.force_login(alice)
    page = words(client.get(f"/orders/{fresh.number}/"))
    assert "3 Pier Road" in page
    assert "14 Harbour Row" not in page
    assert "Changed by the buyer: £188.40" in page


@pytest.mark.req("BUYERCANCEL-01", "IMPL-04", "INV-10", "INV-17", "TH-09")
def test_the_history_tells_what_changed_and_nobodys_address(client, fresh):
    version = fresh.version
    post(client, fresh, "change/", **NEW, **quantity(fresh, 3))
    fresh.refresh_from_db()
    entry = Entry.objects.filter(order=fresh).order_by("-number").first()
    number = fresh.items.get().number
    assert (entry.event, entry.door, entry.actor) == ("order.buyer_edited", "buyer", "the buyer")
    assert (entry.before["total"], entry.after["total"]) == ("125.60", "188.40")
    assert entry.before["items"][number]["quantity"] == 2
    assert entry.after["items"][number] == {
        "quantity": 3, "item_price": "150.00", "item_tax": "30.00", "gift_wrap_price": "7.50",
        "gift_wrap_tax": "1.50", "item_promotion": "15.00", "shipping_price": "12.00",
        "shipping_tax": "2.40",
    }  # fmt: skip
    assert entry.after["address"] == "changed"
    kept = str([entry.before, entry.after, *Operation.objects.values_list("plan", flat=True)])
    assert "Pier" not in kept
    assert "Neil" not in kept
    assert fresh.version == version + 1
    assert kinds(fresh).count("N01") == 1


@pytest.mark.req("BUYERCANCEL-01", "F15")
@pytest.mark.parametrize("make", [pending_order, unshipped_order])
def test_the_window_ends_by_the_clock(client, shop, make):
    order = make(shop, age=timedelta(seconds=1))
    fields = form_of(client, page_of(order, "change/")) | NEW
    before = snapshot(order)
    with clock.stopped(window_ends(order)):
        for answer in (
            client.get(page_of(order, "change/")),
            client.post(page_of(order, "change/"), fields),
        ):
            assert answer.status_code == 409
            assert "could be changed for 5 minutes. Cancel it and order again." in words(answer)
    assert snapshot(order) == before
    with clock.stopped(window_ends(order) - timedelta(seconds=1)):
        assert client.post(page_of(order, "change/"), fields).status_code == 302


@pytest.mark.req("BUYERCANCEL-01", "F15", "ORDERTYPE-09")
def test_what_the_platform_ships_cannot_be_changed(client, shop):
    order = unshipped_order(shop, age=timedelta(0), fulfilment_channel="platform")
    answer = client.get(page_of(order, "change/"))
    assert answer.status_code == 409
    assert "shipped by the platform and cannot be changed" in words(answer)


@pytest.mark.req("BUYERCANCEL-01", "F15")
@pytest.mark.parametrize("status", ["partially_shipped", "shipped", "cancelled"])
def test_what_has_shipped_or_ended_cannot_be_changed(client, shop, status):
    order = order_in(status, shop, age=timedelta(0))
    before = snapshot(order)
    assert client.get(page_of(order, "change/")).status_code == 409
    wanted = edits.Edit(order.pk, quantities={order.items.get().pk: 5})
    with pytest.raises(Refused) as refused:
        edits.edit_order(wanted=wanted, by=BUYER)
    assert refused.value.code == "INVALID_TRANSITION"
    assert snapshot(order) == before


@pytest.mark.req("BUYERCANCEL-01")
@pytest.mark.parametrize(
    ("token", "status", "code", "sentence"),
    [
        ("authorise-fails", 402, "PAYMENT_NOT_AUTHORISED", "was not authorised, so it stays"),
        ("unavailable", 503, "GATEWAY_UNAVAILABLE", "cannot be checked at the moment"),
        ("answer-lost", 503, "GATEWAY_UNAVAILABLE", "cannot be checked at the moment"),
    ],
)
def test_a_new_total_that_is_not_authorised_changes_nothing(
    client, fresh, token, status, code, sentence
):
    Payment.objects.filter(pk=fresh.pk).update(token=token)
    before, listing = snapshot(fresh), Listing.objects.get(pk=fresh.items.get().listing_id)
    where = address(fresh)

    answer = post(client, fresh, "change/", **NEW, **quantity(fresh, 3))

    assert answer.status_code == status
    assert sentence in words(answer)
    assert 'value="3 Pier Road"' in answer.content.decode()  # what was typed is kept
    after = snapshot(fresh)
    assert (after[:2], after[3:]) == (before[:2], before[3:])
    assert address(fresh) == where
    listing.refresh_from_db()
    assert listing.quantity_available == 998
    with clock.stopped(clock.now() + operations.LEASE + timedelta(seconds=1)):
        settling.settle_open_operations(by=GATEWAY)
        settling.settle_open_operations(by=GATEWAY)
    after = snapshot(fresh)
    assert after[:2] == before[:2]
    told = {
        "authorise-fails": [("authorise", "failed")],
        "unavailable": [("authorise", "failed")],
        "answer-lost": [("authorise", "done"), ("void", "intended")],
    }[token]
    assert list(
        Operation.objects.filter(order=fresh).order_by("pk").values_list("purpose", "state")
    ) == [*told]
    assert settling.differences() == []


@pytest.mark.req("BUYERCANCEL-01", "FT-03", "INV-02")
def test_after_a_lost_answer_the_same_form_can_be_sent_again(client, fresh):
    """Nobody was told that it was done: it was not, and what was held is let go."""
    Payment.objects.filter(pk=fresh.pk).update(token="answer-lost")
    fields = form_of(client, page_of(fresh, "change/")) | quantity(fresh, 3)
    assert client.post(page_of(fresh, "change/"), fields).status_code == 503
    assert client.post(page_of(fresh, "change/"), fields).status_code == 409  # still being asked
    Payment.objects.filter(pk=fresh.pk).update(token="ok")
    with clock.stopped(clock.now() + operations.LEASE + timedelta(seconds=1)):
        settling.settle_open_operations(by=GATEWAY)
        assert client.post(page_of(fresh, "change/"), fields).status_code == 302
        settling.settle_open_operations(by=GATEWAY)
    fresh.refresh_from_db()
    assert fresh.total == Decimal("188.40")
    assert acts_at_the_gateway(fresh) == [
        ("authorise", Decimal("188.40")),
        ("authorise", Decimal("188.40")),
        ("void", Decimal("188.40")),
        ("void", Decimal("125.60")),
    ]
    assert found(fresh) == []


@pytest.mark.req("BUYERCANCEL-01", "INVENTORY-04")
@pytest.mark.parametrize(
    ("stock", "active", "status", "sentence"),
    [
        ({"quantity_available": 1}, True, 422, "Only 1 more of"),
        ({"is_active": False}, False, 422, "is no longer offered"),
    ],
)
def test_units_that_are_not_there_cannot_be_had(client, fresh, stock, active, status, sentence):
    listing = Listing.objects.filter(pk=fresh.items.get().listing_id)
    listing.update(**stock)
    before = snapshot(fresh)
    answer = post(client, fresh, "change/", **quantity(fresh, 4))
    assert answer.status_code == status
    assert sentence in words(answer)
    assert snapshot(fresh) == before
    # Fewer can be had of what is no longer offered.
    assert post(client, fresh, "change/", **quantity(fresh, 1)).status_code == 302


@pytest.mark.req("BUYERCANCEL-01", "INVENTORY-04")
def test_one_listing_in_two_lines_is_counted_together(client, shop):
    listing = ListingFactory(merchant=shop, quantity_available=6)
    lines = [ItemDraft(listing.sku, 2, {"item_price": Decimal(4)}) for _ in range(2)]
    order = unshipped_order(shop, lines=lines, age=timedelta(seconds=1))
    first, second = order.items.order_by("line")
    fields = {f"quantity_{first.pk}": "4", f"quantity_{second.pk}": "3"}
    assert post(client, order, "change/", **fields).status_code == 422
    fields[f"quantity_{second.pk}"] = "2"
    assert post(client, order, "change/", **fields).status_code == 302
    listing.refresh_from_db()
    assert listing.quantity_available == 0
    fields = {f"quantity_{first.pk}": "1", f"quantity_{second.pk}": "5"}  # one moves to the other
    assert post(client, order, "change/", **fields).status_code == 302
    commit()
    assert found(order) == []


@pytest.mark.req("BUYERCANCEL-01", "BI-SHIP", "BI-REC")
@pytest.mark.parametrize(
    "typed", ["", "0", "-1", "1.5", "1e0", "٣", "2147483648", "10000000", "x", "1 2"]
)
def test_a_quantity_is_a_whole_number_of_one_or_more(client, fresh, typed):
    before = snapshot(fresh)
    answer = post(client, fresh, "change/", **{f"quantity_{fresh.items.get().pk}": typed})
    assert answer.status_code == 422
    assert "Enter a quantity of 1 or more." in words(answer)
    assert snapshot(fresh) == before


@pytest.mark.req("BUYERCANCEL-01", "BI-SHIP")
@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("recipient_name", " "),
        ("address_1", "A" * 181),
        ("city", "x\ny"),
        ("city", "x\x00y"),
        ("postal_code", "1" * 21),
    ],
)
def test_an_address_is_checked_as_at_checkout(client, fresh, field, typed):
    before = address(fresh)
    answer = post(client, fresh, "change/", **{field: typed})
    assert answer.status_code in (400, 422)
    assert address(fresh) == before


@pytest.mark.req("BUYERCANCEL-01", "TH-18")
def test_fields_of_ones_own_making_change_nothing(client, fresh):
    """Another country, other amounts, another status, an item of another order."""
    other = unshipped_order(fresh.merchant)
    where, before = address(other), snapshot(other)
    extra = {"country": "FR", "total": "0.01", "status": "shipped", "item_price": "0", **NEW}
    answer = post(client, fresh, "change/", **extra, **quantity(other, 9))
    assert answer.status_code == 302
    assert (address(fresh).country, address(fresh).city) == ("GB", "Oban")
    fresh.refresh_from_db()
    assert (fresh.total, fresh.quantity_purchased) == (Decimal("125.60"), 2)
    assert (address(other), snapshot(other)) == (where, before)


@pytest.mark.req("BUYERCANCEL-01", "INV-16")
@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"quantities": {10**12: 1}}, "NOT_FOUND", ""),
        ({"address": {"country": "FR"}}, "INVALID_INPUT", "country"),
        ({"address": {}}, "INVALID_INPUT", ""),
        ({}, "INVALID_INPUT", ""),
        ({"quantities": 10**7}, "INVALID_INPUT", "quantity"),
    ],
)
def test_what_no_form_sends_is_refused_all_the_same(fresh, change, code, field):
    if "address" in change:
        change = {"address": replace(address(fresh), **change["address"])}
    if isinstance(change.get("quantities"), int):
        change = {"quantities": {fresh.items.get().pk: change["quantities"]}}
    before = everything()
    with pytest.raises(Refused) as refused:
        edits.edit_order(wanted=edits.Edit(fresh.pk, **change), by=BUYER)
    assert refused.value.code == code
    assert refused.value.refusal.field.split("_")[0] == field
    assert everything() == before


@pytest.mark.req("BUYERCANCEL-01", "MONEY-02")
def test_a_total_above_the_largest_amount_is_refused(client, shop):
    money = {"item_price": Decimal("499999999.99")}
    order = unshipped_order(shop, amounts=money, age=timedelta(seconds=1))
    before = snapshot(order)
    answer = post(client, order, "change/", **quantity(order, 3))
    assert answer.status_code == 422
    assert "above the largest amount" in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("BUYERCANCEL-01")
def test_nothing_changed_is_said(client, fresh):
    before = everything()
    answer = post(client, fresh, "change/")
    assert answer.status_code == 422
    assert "Nothing was changed. Change a quantity or the address." in words(answer)
    assert everything() == before


@pytest.mark.req("BUYERCANCEL-01", "PENDING-10", "K19")
@pytest.mark.parametrize("paid", [True, False])
def test_a_payment_of_one_amount_lets_only_the_address_change(client, japanese_shop, paid):
    make = partial(unshipped_order, in_advance=True)
    if not paid:
        make = partial(
            pending_order,
            payment_method="convenience_store",
            payment_token="convenience-store-unpaid",
        )
    order = make(japanese_shop, age=timedelta(seconds=1))
    item = order.items.get()
    page = client.get(page_of(order, "change/")).content.decode()
    assert f"quantity_{item.pk}" not in page
    with pytest.raises(Refused) as refused:
        edits.edit_order(wanted=edits.Edit(order.pk, quantities={item.pk: 5}), by=BUYER)
    assert refused.value.code == "PAYMENT_NOT_AUTHORISED"
    assert post(client, order, "change/", city="札幌市").status_code == 302
    assert Contact.objects.get(pk=order.pk).city == "札幌市"


@pytest.mark.req("INV-02", "IMPL-01", "BUYERCANCEL-01")
def test_the_same_form_sent_twice_changes_once(client, fresh):
    fields = form_of(client, page_of(fresh, "change/")) | quantity(fresh, 3)
    codes = [client.post(page_of(fresh, "change/"), fields).status_code for _ in range(2)]
    assert codes == [302, 302]
    assert Operation.objects.filter(order=fresh, purpose="authorise").count() == 1
    fields |= quantity(fresh, 4)
    assert client.post(page_of(fresh, "change/"), fields).status_code == 422  # another wish
    fresh.refresh_from_db()
    assert fresh.quantity_purchased == 3


@pytest.mark.req("F16", "IMPL-02", "BUYERCANCEL-01")
def test_a_stale_page_is_refused_with_what_was_typed(client, fresh):
    fields = form_of(client, page_of(fresh, "change/")) | NEW
    post(client, fresh, "change/", **quantity(fresh, 3))
    before = snapshot(fresh)
    answer = client.post(page_of(fresh, "change/"), fields)
    assert answer.status_code == 409
    assert "changed order" in words(answer)
    assert 'value="3 Pier Road"' in answer.content.decode()
    assert snapshot(fresh) == before


def meanwhile(monkeypatch, act) -> None:
    """Have something happen between the intent and the gateway's answer."""
    call = operations.call

    def later(asked):
        answers = call(asked)
        monkeypatch.setattr(operations, "call", call)
        act()
        return answers

    monkeypatch.setattr(operations, "call", later)


@pytest.mark.req("BUYERCANCEL-01", "INV-05", "SHIP-09")
def test_a_confirmation_on_the_way_wins_and_the_new_hold_is_released(client, fresh, monkeypatch):
    def confirm() -> None:
        wanted = shipments.Confirmation(fresh.pk, Package(clock.now().date(), "UPS"))
        shipments.confirm_shipment(wanted=wanted, by=STAFF)

    meanwhile(monkeypatch, confirm)

    answer = post(client, fresh, "change/", **quantity(fresh, 3))

    assert answer.status_code == 409
    commit()
    fresh.refresh_from_db()
    assert (fresh.status, fresh.total) == ("shipped", Decimal("125.60"))
    settling.settle_open_operations(by=GATEWAY)
    assert sorted(acts_at_the_gateway(fresh)) == [
        ("authorise", Decimal("188.40")),
        ("capture", Decimal("125.60")),
        ("void", Decimal("188.40")),
    ]
    assert found(fresh) == []


@pytest.mark.req("BUYERCANCEL-01", "PENDING-02")
@pytest.mark.parametrize("outcome", [VerificationOutcome.VERIFIED, VerificationOutcome.DECLINED])
def test_a_verification_on_the_way_keeps_its_word(client, shop, monkeypatch, outcome):
    """It never goes back to pending: verified it is changed all the same, refused it is over."""
    order = pending_order(shop, quantity=2, age=timedelta(seconds=1))

    def verify() -> None:
        answers = {order.pk: Verification(outcome)}
        verification.settle_verifications(answers, by=GATEWAY)

    meanwhile(monkeypatch, verify)

    answer = post(client, order, "change/", **quantity(order, 3))

    commit()
    order.refresh_from_db()
    verified = outcome == VerificationOutcome.VERIFIED
    assert answer.status_code == (302 if verified else 409)
    assert order.status == ("unshipped" if verified else "cancelled")
    assert order.quantity_purchased == (3 if verified else 2)
    assert found(order) == []


@pytest.mark.req("BUYERCANCEL-01")
def test_a_pending_order_is_changed_and_verified_with_its_new_total(client, shop, settings):
    order = pending_order(shop, quantity=2, age=timedelta(seconds=1))
    assert post(client, order, "change/", **quantity(order, 3)).status_code == 302
    order.refresh_from_db()
    assert (order.status, order.payment_state) == ("pending", "unverified")
    assert order.total == Decimal("18.00")
    settings.SANDBOX_VERIFICATION_DELAY = timedelta(0)
    with clock.stopped(clock.now() + timedelta(minutes=20)):
        verification.check_payments(by=GATEWAY)
    order.refresh_from_db()
    assert order.status == "unshipped"


@pytest.mark.req("BUYERCANCEL-01", "SHIP-09")
def test_what_is_charged_is_the_new_total(client, fresh):
    post(client, fresh, "change/", **quantity(fresh, 3))
    commit()
    wanted = shipments.Confirmation(fresh.pk, Package(clock.now().date(), "UPS"))
    shipments.confirm_shipment(wanted=wanted, by=STAFF)
    commit()
    capture = Operation.objects.get(order=fresh, purpose="capture")
    assert capture.amount == Decimal("188.40")
    assert found(fresh) == []


@pytest.mark.req("FT-03", "BUYERCANCEL-01")
def test_a_late_call_under_a_closed_key_holds_nothing(fresh):
    """The call was on its way for longer than the lease: the job has given the change up."""
    Payment.objects.filter(pk=fresh.pk).update(token="unavailable")
    wanted = edits.Edit(fresh.pk, quantities={fresh.items.get().pk: 3})
    with pytest.raises(Refused):
        edits.edit_order(wanted=wanted, by=BUYER)
    operation = Operation.objects.get(order=fresh)
    with clock.stopped(clock.now() + operations.LEASE + timedelta(seconds=1)):
        settling.settle_open_operations(by=GATEWAY)
    amount = Money(operation.amount, operation.currency)
    late = gateway().authorise(key=operation.key, token="ok", amount=amount, at=clock.now())
    assert late.succeeded is False
    assert Item.objects.get(order=fresh).quantity_purchased == 2


@pytest.mark.req("BUYERCANCEL-01", "INV-18")
def test_only_the_buyers_door_changes_an_order(fresh):
    order = Order.objects.select_related("merchant", "marketplace").get(pk=fresh.pk)
    assert guards.ask(Act.BUYER_EDIT, guards.Facts(order, BUYER, clock.now())) is None
    refusal = guards.ask(Act.BUYER_EDIT, guards.Facts(order, STAFF, clock.now()))
    assert refusal is not None
    assert refusal.code == "INVALID_TRANSITION"
