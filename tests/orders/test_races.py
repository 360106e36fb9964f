"""Two people, two tabs, two machines at the same instant: exactly one of the right ends comes.

Each race is shown to be one: with its guard taken away it goes wrong in half of its rounds or more.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from audit.domain import submissions
from audit.domain.submissions import Once
from audit.models import Entry
from catalog.domain import stock
from catalog.models import Listing
from core import clock
from core.actor import Actor
from core.refusal import Refusal
from orders.domain import (
    cancellations,
    edits,
    invariants,
    lifecycle,
    placing,
    refunds,
    requests,
    settling,
    shipments,
)
from orders.domain.amounts import Boxes, Everything
from orders.domain.drafts import ItemDraft
from orders.domain.packages import Package
from orders.enums import CancelReason, RefundReason
from orders.models import BuyerRequest, Order, Refund, Shipment
from payments.models import LedgerLine, Operation, SandboxEntry
from tests.buyers import file_request
from tests.factories import (
    GATEWAY,
    PLAIN,
    SHOP,
    STAFF,
    ListingFactory,
    draft,
    partially_shipped_order,
    shipped_order,
    unshipped_order,
)
from tests.pages import kinds
from tests.races import broken, racers, rounds, unlocked, without_guards

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

FILE = Actor("file", "upload 7", owner=True)
BUYER = Actor("buyer", "the buyer")
JOB = Actor("job", "auto-cancel")
OPERATOR = Actor("operator", "Olive Operator")


def confirming(order: Order, units: int | None = None, by: Actor = STAFF):
    """Make ready what a confirmation asks, so that it starts no later than its rival."""
    item = order.items.get()
    wanted = shipments.Confirmation(
        order_id=order.pk,
        package=Package(clock.now().date(), "Royal Mail"),
        quantities=None if units is None else {item.pk: units},
        despite_request=True,
    )
    return partial(shipments.confirm_shipment, wanted=wanted, by=by)


def confirm(order: Order, once: Once | None = None):
    wanted = replace(confirming(order).keywords["wanted"], once=once)
    return shipments.confirm_shipment(wanted=wanted, by=STAFF)


def cancel(order: Order, by: Actor = STAFF, once: Once | None = None):
    wanted = cancellations.CancelRequest(order.pk, CancelReason.NO_INVENTORY, once=once)
    return cancellations.cancel_order(wanted=wanted, by=by)


def cancel_at_the_deadline(order: Order):
    at = {order.pk: order.deadline_at}
    (outcome,) = cancellations.cancel_overdue(order_ids=[order.pk], by=JOB, at=at)
    return outcome.code if isinstance(outcome, Refusal) else outcome


def give_back(order: Order, amount: Decimal | None, by: Actor = STAFF, **more: object):
    """Refund so much of the first item's cost, or everything that remains."""
    item = order.items.get()
    wanted = Everything() if amount is None else Boxes({item.pk: (amount, Decimal(0))})
    asked = refunds.RefundRequest(order.pk, wanted, RefundReason.GENERAL_ADJUSTMENT, **more)
    return refunds.refund_order(wanted=asked, by=by)


def charges(order: Order) -> int:
    """How often the gateway charged the buyer, by its own books."""
    keys = Operation.objects.filter(order=order).values("key")
    return SandboxEntry.objects.filter(key__in=keys, act="capture", succeeded=True).count()


def found(shop) -> list[object]:
    """What is wrong with the shop's orders; the journal does not know a factory's listings."""
    rows = [row for rows in invariants.verify(merchant_id=shop.pk).values() for row in rows]
    return [row for row in rows if not row.check.startswith("INVENTORY-07")]


def test_the_racers_are_told_apart(shop):
    with racers(3) as run:
        told = run(lambda: 1, lambda: cancel(shipped_order(shop)), lambda: 3)
    assert told == [1, "ORDER_ALREADY_SHIPPED", 3]


# INV-01 --------------------------------------------------------------------------------------


@pytest.mark.req("INV-01", "REFUND-06", "REFUND-12", "MONEY-10", "TH-01")
def test_refunds_at_once_give_back_what_was_paid_and_no_more(shop):
    """Full and partial, from page and program: whatever fits is given back, the rest refused."""
    for count, few in ((2, 20), (8, 6)):
        with racers(count) as run:
            for _round in range(rounds(few)):
                order = shipped_order(shop)
                asked = [random.choice([None, *map(Decimal, (3, 4, 6, 10))]) for _ in range(count)]
                doors = random.choices([STAFF, SHOP, FILE], k=count)
                acts = [partial(give_back, order, *each) for each in zip(asked, doors, strict=True)]
                answers = run(*acts)

                order.refresh_from_db()
                item = order.items.get()
                done = [a for a in answers if isinstance(a, Refund)]
                refused = [
                    amount for amount, a in zip(asked, answers, strict=True) if a not in done
                ]
                left = item.item_price - item.refunded_item_price
                assert set(answers) - set(done) <= {"REFUND_LIMIT"}
                assert done
                assert sum(r.total for r in done) == order.refunded_total <= order.total
                assert all(amount > left for amount in refused if amount is not None)
                keys = Operation.objects.filter(order=order, purpose="refund").values("key")
                paid_out = SandboxEntry.objects.filter(key__in=keys).values_list("amount")
                assert sum(amount for (amount,) in paid_out) == order.refunded_total
    assert found(shop) == []


@pytest.mark.req("INV-01", "INV-02", "F16", "IMPL-02")
def test_of_refunds_from_one_page_state_one_goes_through(shop):
    """Eight people saw the same order: a second small refund would still fit, and is refused."""
    with racers(8) as run:
        for field in ("seen", "expected_refunded") * 3:
            order = shipped_order(shop)
            value = order.version if field == "seen" else Decimal(0)
            acts = [partial(give_back, order, Decimal(1), **{field: value}) for _ in range(8)]
            answers = Counter(a if isinstance(a, str) else "done" for a in run(*acts))
            assert answers == {"done": 1, "STALE_ORDER": 7}


@pytest.mark.req("INV-01")
def test_without_the_lock_refunds_collide(shop, monkeypatch):
    monkeypatch.setattr(lifecycle, "lock", unlocked)
    tries, failures = 12, 0
    with racers(2) as run:
        for _round in range(tries):
            order = shipped_order(shop)
            answers = run(*[partial(give_back, order, Decimal(6))] * 2)
            failures += broken(answers)
            order.refresh_from_db()
            assert order.refunded_total <= order.total  # the database holds alone
    assert failures >= tries / 2


# INV-02 --------------------------------------------------------------------------------------

ONCE = {
    "confirm": (unshipped_order, confirm),
    "cancel": (unshipped_order, cancel),
    "refund": (shipped_order, lambda order, once: give_back(order, Decimal(1), once=once)),
}


def effects(order: Order) -> tuple[int, int, int]:
    return (
        order.shipments.count(),
        Order.objects.filter(pk=order.pk, status="cancelled").count(),
        order.refunds.count(),
    )


@pytest.mark.req("INV-02", "IMPL-01", "TH-01")
@pytest.mark.parametrize("act", ONCE)
def test_eight_times_the_same_form_is_one_effect_and_eight_equal_answers(shop, act):
    make, verb = ONCE[act]
    with racers(8) as run:
        for number in range(rounds(5)):
            order = make(shop)
            before = effects(order)
            once = Once(f"token-{number}", "as typed")
            answers = run(*[partial(verb, order, once=once)] * 8)

            assert len(set(answers)) == 1, answers
            assert not isinstance(answers[0], str)
            assert sum(effects(order)) - sum(before) == 1
            assert charges(order) == (0 if act == "cancel" else 1)
    assert found(shop) == []


@pytest.mark.req("INV-02")
@pytest.mark.parametrize("act", ONCE)
def test_without_the_token_eight_clicks_differ(shop, monkeypatch, act):
    monkeypatch.setattr(submissions, "claim", lambda *args, **kwargs: None)
    make, verb = ONCE[act]
    tries, failures = 4, 0
    with racers(8) as run:
        for number in range(tries):
            order = make(shop)
            once = Once(f"token-{number}", "as typed")
            answers = run(*[partial(verb, order, once=once)] * 8)
            failures += len(set(answers)) > 1 or order.refunds.count() > 1
    assert failures >= tries / 2


# INV-05 --------------------------------------------------------------------------------------

CANCELS = {
    "merchant": (cancel, {"ORDER_ALREADY_SHIPPED"}),
    "file": (partial(cancel, by=FILE), {"ORDER_ALREADY_SHIPPED"}),
    "auto-cancel": (cancel_at_the_deadline, {"INVALID_TRANSITION"}),
    "operator": (
        lambda order: cancellations.cancel_for_platform(
            order_id=order.pk, note="Stolen card", by=OPERATOR
        ),
        {"INVALID_TRANSITION"},
    ),
    "buyer": (
        lambda order: cancellations.cancel_for_buyer(order_id=order.pk, by=BUYER),
        {"INVALID_TRANSITION"},
    ),
}


def accept(order: Order):
    return cancellations.accept_request(order_id=order.pk, by=STAFF, seen=None, once=None)


CANCELS["accepted request"] = (
    accept,
    {"ORDER_ALREADY_SHIPPED", "NO_OPEN_REQUEST"},
)


def fresh_order(shop, who: str = "") -> Order:
    """An order that whoever it is may end now."""
    order = unshipped_order(shop, age=timedelta(hours=who == "accepted request"))
    if who == "accepted request":
        file_request(order)
    return order


def ended_as(order: Order) -> str:
    """Say how a race between confirming and cancelling ended."""
    order.refresh_from_db()
    shipped = order.shipments.exists() or order.charged_at is not None
    if order.status == "cancelled":
        return "both" if shipped else "cancelled"
    return "shipped" if shipped else "neither"


@pytest.mark.req("INV-05", "AUTO-12", "SHIP-16", "TH-06", "T06", "T09", "T10", "T11", "T12", "T13")
@pytest.mark.req("BUYERCANCEL-04", "SHIP-23")
@pytest.mark.parametrize("who", CANCELS)
def test_confirming_against_cancelling_ends_in_exactly_one(shop, who):
    verb, too_late = CANCELS[who]
    ends: Counter[str] = Counter()
    with racers(2) as run:
        while ends.total() < rounds(20) or (len(ends) < 2 and ends.total() < 60):
            order = fresh_order(shop, who)
            confirmed, cancelled = run(confirming(order), partial(verb, order))
            ends[end := ended_as(order)] += 1
            if end == "shipped":
                assert isinstance(confirmed, Shipment)
                assert cancelled in too_late | {"CONFIRMATION_IN_PROGRESS"}
                assert charges(order) == 1
            else:
                assert end == "cancelled"
                assert (confirmed, isinstance(cancelled, Order)) == ("ORDER_CANCELLED", True)
                assert charges(order) == 0
    assert set(ends) == {"shipped", "cancelled"}
    assert found(shop) == []


@pytest.mark.req("INV-05")
@pytest.mark.parametrize("who", ["merchant", "auto-cancel", "buyer", "accepted request"])
def test_without_the_lock_the_database_alone_keeps_the_two_apart(shop, monkeypatch, who):
    monkeypatch.setattr(lifecycle, "lock", unlocked)
    verb, _too_late = CANCELS[who]
    tries, failures = 14, 0
    with racers(2) as run:
        for _round in range(tries):
            order = fresh_order(shop, who)
            answers = run(confirming(order), partial(verb, order))
            failures += broken(answers)
            assert ended_as(order) in ("shipped", "cancelled")
    assert failures >= tries / 2


@pytest.mark.req("INV-05")
def test_without_lock_and_guards_cancelled_orders_ship(shop, monkeypatch):
    monkeypatch.setattr(lifecycle, "lock", unlocked)
    guards = ["cancelled_is_never_charged", "shipment_needs_a_live_order"]
    guards.append("order_status_follows_from_the_facts")
    tries, failures = 14, 0
    with without_guards(guards, ["order_moves"]), racers(2) as run:
        for _round in range(tries):
            order = fresh_order(shop)
            run(confirming(order), partial(cancel, order))
            order.refresh_from_db()
            left = order.shipments.exists() or charges(order)
            failures += bool(left) and hasattr(order, "cancellation")
    assert failures >= tries / 2


# BUYERCANCEL ---------------------------------------------------------------------------------


def decline(order: Order):
    return requests.decline(order_id=order.pk, answer="It is packed.", by=STAFF)


@pytest.mark.req("BUYERCANCEL-04", "BUYERCANCEL-05", "T12", "INV-04")
@pytest.mark.parametrize("second", [accept, decline])
def test_of_two_answers_at_once_one_stands(shop, second):
    """One accepts while another does, or declines: one answer, told once."""
    ends: Counter[str] = Counter()
    with racers(2) as run:
        while ends.total() < rounds(16) or (
            len(ends) < 2 and second is decline and ends.total() < 60
        ):
            order = fresh_order(shop, "accepted request")
            answers = run(partial(accept, order), partial(second, order))
            refused = [a for a in answers if isinstance(a, str)]
            request = BuyerRequest.objects.get(order=order)
            ends[request.state] += 1
            assert len(refused) == 1
            accepted = request.state == "accepted"
            assert refused[0] in ({"ORDER_CANCELLED"} if accepted else {"NO_OPEN_REQUEST"})
            order.refresh_from_db()
            assert order.status == ("cancelled" if accepted else "unshipped")
            told = kinds(order)
            assert (told.count("N06"), told.count("N21")) == (int(accepted), int(not accepted))
    assert set(ends) == {"accepted"} | ({"declined"} if second is decline else set())
    assert found(shop) == []


@pytest.mark.req("BUYERCANCEL-04")
def test_without_the_lock_two_answers_both_stand(shop, monkeypatch):
    monkeypatch.setattr(lifecycle, "lock", unlocked)
    tries, failures = 14, 0
    with racers(2) as run:
        for _round in range(tries):
            order = fresh_order(shop, "accepted request")
            answers = run(partial(accept, order), partial(decline, order))
            told = kinds(order)
            failures += broken(answers) or ("N06" in told and "N21" in told)
    assert failures >= tries / 2


def change(order: Order):
    wanted = edits.Edit(order.pk, quantities={order.items.get().pk: 5})
    return edits.edit_order(wanted=wanted, by=BUYER)


@pytest.mark.req("BUYERCANCEL-01", "INV-03", "INV-05", "SHIP-09")
@pytest.mark.parametrize("rival", [confirm, cancel, change])
def test_a_change_against_anything_else_leaves_one_truth(shop, rival):
    """Whatever is charged is what the order costs, and nothing stays held beside it."""
    ends: Counter[tuple[str, int]] = Counter()
    with racers(2) as run:
        while ends.total() < rounds(16) or (
            len(ends) < 2 and rival is not change and ends.total() < 60
        ):
            order = unshipped_order(shop, quantity=2, age=timedelta(0))
            run(partial(change, order), partial(rival, order))
            with clock.stopped(clock.now() + timedelta(seconds=61)):
                settling.settle_open_operations(by=GATEWAY)
            order.refresh_from_db()
            ends[order.status, order.quantity_purchased] += 1
            books = Counter[str]()
            keys = Operation.objects.filter(order=order).values("key")
            for act, amount in SandboxEntry.objects.filter(
                key__in=keys, succeeded=True
            ).values_list("act", "amount"):
                books[act] += amount
            if order.status == "shipped":
                assert books["capture"] == order.total
            # What was verified and what was authorised since is charged, released or still held.
            held = Decimal(12) + books["authorise"] - books["void"]
            assert held == (Decimal(0) if order.status == "cancelled" else order.total)
    assert found(shop) == []


@pytest.mark.req("BUYERCANCEL-01")
def test_without_the_lock_changes_collide(shop, monkeypatch):
    monkeypatch.setattr(lifecycle, "lock", unlocked)
    tries, failures = 14, 0
    with racers(2) as run:
        for _round in range(tries):
            order = unshipped_order(shop, quantity=2, age=timedelta(0))
            answers = run(partial(change, order), partial(cancel, order))
            failures += broken(answers) or bool(found(shop))
    assert failures >= tries / 2


# INV-06 --------------------------------------------------------------------------------------


@pytest.mark.req("INV-06", "SHIP-09", "SHIP-14", "IMPL-17")
@pytest.mark.parametrize("make", [unshipped_order, partially_shipped_order])
def test_the_last_unit_leaves_in_one_package_for_one_charge(shop, make):
    """From the page and from a file at once."""
    with racers(2) as run:
        for _round in range(rounds(12)):
            order = make(shop, quantity=1 if make is unshipped_order else 2)
            packages = order.shipments.count()
            answers = run(confirming(order, 1), confirming(order, 1, by=FILE))

            (loser,) = [a for a in answers if not isinstance(a, Shipment)]
            assert loser in {"ORDER_ALREADY_SHIPPED", "CONFIRMATION_IN_PROGRESS"}
            order.refresh_from_db()
            assert order.status == "shipped"
            assert order.shipments.count() == packages + 1
            assert charges(order) == 1
            charged = LedgerLine.objects.filter(order=order, kind="charge").values_list("amount")
            assert sum(amount for (amount,) in charged) == order.total
    assert found(shop) == []


@pytest.mark.req("INV-06")
def test_without_the_lock_the_last_unit_is_packed_twice(shop, monkeypatch):
    monkeypatch.setattr(lifecycle, "lock", unlocked)
    tries, failures = 12, 0
    with racers(2) as run:
        for _round in range(tries):
            order = partially_shipped_order(shop, quantity=2)
            failures += broken(run(*[confirming(order, 1)] * 2))
    assert failures >= tries / 2


# INVENTORY-04 --------------------------------------------------------------------------------


def buy(listing: Listing):
    asked = draft(listing.merchant, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    return placing.place_order(merchant_id=listing.merchant_id, draft=asked, by=SHOP)


@pytest.mark.req("INVENTORY-04", "T01", "TH-07")
def test_the_last_unit_is_sold_once(shop):
    with racers(2) as run:
        for _round in range(rounds(15)):
            listing = ListingFactory(merchant=shop, quantity_available=1)
            answers = run(*[partial(buy, listing)] * 2)
            assert Counter(isinstance(a, Order) for a in answers) == {True: 1, False: 1}
            assert "OUT_OF_STOCK" in answers
            listing.refresh_from_db()
            assert listing.quantity_available == 0
    assert found(shop) == []


@pytest.mark.req("INVENTORY-04")
def test_without_the_lock_the_last_unit_is_sold_twice(shop, monkeypatch):
    monkeypatch.setattr(stock, "lock", lambda ids: Listing.objects.in_bulk(list(ids)))
    tries, failures = 12, 0
    with racers(2) as run:
        for _round in range(tries):
            listing = ListingFactory(merchant=shop, quantity_available=1)
            answers = run(*[partial(buy, listing)] * 2)
            failures += broken(answers) or all(isinstance(a, Order) for a in answers)
    assert failures >= tries / 2


# Settling -------------------------------------------------------------------------------------


@pytest.mark.req("FT-36", "INV-02", "FT-03")
def test_an_answer_written_by_eight_at_once_is_written_once(shop):
    """The gateway reports twice, and the job that settles runs at the same time."""
    with racers(8) as run:
        for _round in range(rounds(3)):
            order = unshipped_order(shop, payment_token="answer-lost")
            assert isinstance(confirm_lost(order), str)
            operation = Operation.objects.get(order=order)
            answers = run(*[partial(settling.settle, operation, by=GATEWAY)] * 8)

            assert {a.outcome for a in answers} == {"done"}
            order.refresh_from_db()
            assert (order.status, order.shipments.count(), charges(order)) == ("shipped", 1, 1)
            assert Entry.objects.filter(order=order, event="order.shipment_confirmed").count() == 1
    assert found(shop) == []


def confirm_lost(order: Order) -> str:
    with racers(1) as run:
        (answer,) = run(confirming(order))
    return answer
