"""Many writers of one history, and transactions that stand in each other's way."""

from __future__ import annotations

from collections import Counter
from functools import partial
from threading import Barrier

import pytest
from django.db import OperationalError, connection

from audit.domain import history
from audit.models import Entry
from core.transactions import TRIES, unit_of_work
from orders.domain import cancellations, lifecycle, notes
from orders.enums import CancelReason
from orders.models import Order
from tests.factories import STAFF, MerchantFactory, shipped_order, unshipped_order
from tests.factories import refund as give_back
from tests.races import broken, racers

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


def cancel(order: Order) -> None:
    wanted = cancellations.CancelRequest(order.pk, CancelReason.NO_INVENTORY)
    cancellations.cancel_order(wanted=wanted, by=STAFF)


def numbers(shop) -> list[int]:
    lines = Entry.objects.filter(merchant=shop).order_by("number")
    return list(lines.values_list("number", flat=True))


@pytest.mark.req("INV-10", "IMPL-04")
def test_history_is_numbered_without_gaps_by_eight_writers(shop):
    """Some write, some are refused, some fail after they took a number."""
    orders = [shipped_order(shop) for _ in range(8)]

    @unit_of_work
    def write_and_fail(order: Order):
        notes.add_note(order_id=order.pk, text="lost", by=STAFF)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE orders_order SET refunded_total = -1 WHERE id = %s", [order.pk])

    with racers(8) as run:
        for _round in range(10):
            acts = [
                partial(notes.add_note, order_id=order.pk, text="kept", by=STAFF)
                for order in orders[:4]
            ]
            acts += [partial(give_back, order, "0.10") for order in orders[4:6]]
            acts += [partial(cancel, orders[6]), partial(write_and_fail, orders[7])]
            answers = run(*acts)
            assert answers[6] == "ORDER_ALREADY_SHIPPED"
            assert broken(answers[7:])
    written = numbers(shop)
    assert written == list(range(1, len(written) + 1))
    # Placed, verified, shipped; ten rounds of four notes, two refunds asked for and done.
    assert len(written) == 8 * 3 + 10 * (4 + 2 * 2)


@pytest.mark.req("INV-10")
def test_without_the_counter_two_lines_want_one_number(shop, monkeypatch):
    def last_and_one(merchant_id: int, count: int) -> int:
        last = Entry.objects.filter(merchant_id=merchant_id).order_by("-number").first()
        return (last.number if last else 0) + 1

    orders = [unshipped_order(shop) for _ in range(8)]
    monkeypatch.setattr(history, "_take", last_and_one)
    rounds, failures = 8, 0
    with racers(8) as run:
        for _round in range(rounds):
            acts = [partial(notes.add_note, order_id=o.pk, text="kept", by=STAFF) for o in orders]
            failures += broken(run(*acts))
    assert failures >= rounds / 2


@pytest.mark.req("FT-20")
def test_a_deadlock_is_repeated_unseen(shop):
    """Two transactions lock two orders the other way round: both succeed, once each."""
    orders = [unshipped_order(shop), unshipped_order(MerchantFactory())]
    held = Barrier(2, timeout=30)
    tries: Counter[int] = Counter()

    @unit_of_work
    def lock_both(first: Order, second: Order) -> str:
        tries[first.pk] += 1
        notes.add_note(order_id=first.pk, text="one", by=STAFF)
        if tries[first.pk] == 1:
            held.wait()
        lifecycle.lock([second.pk])
        return "done"

    with racers(2) as run:
        answers = run(partial(lock_both, *orders), partial(lock_both, *reversed(orders)))
    assert answers == ["done", "done"]
    assert sorted(tries.values()) == [1, 2]
    assert [order.notes.count() for order in orders] == [1, 1]


@pytest.mark.req("FT-20")
def test_what_loses_every_time_gives_up_after_three_tries_and_leaves_nothing(shop):
    order = unshipped_order(shop)
    tries = []

    @unit_of_work
    def always_in_the_way() -> None:
        tries.append(notes.add_note(order_id=order.pk, text="lost", by=STAFF))
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE 'in the way' USING ERRCODE = '40001'; END $$")

    with pytest.raises(OperationalError, match="in the way"):
        always_in_the_way()
    assert len(tries) == TRIES == 3
    assert not order.notes.exists()
