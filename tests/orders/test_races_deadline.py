"""Several processes sweep, somebody confirms at the same instant: each thing happens once.

Each race is shown to be one: with the locks taken away the database alone has to stop it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import transaction

from audit.domain import history
from core import clock
from core.actor import Actor
from orders.domain import deadline_warnings, lifecycle, overdue, sweeps
from orders.models import Cancellation, Order
from tests.factories import unshipped_order
from tests.orders.test_auto_cancel import status
from tests.orders.test_races import confirming, ended_as, found
from tests.pages import kinds
from tests.races import broken, racers, rounds, unlocked

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]
SWEEPS = {"cancel": overdue.SWEEP, "warn": deadline_warnings.SWEEP}
JOB = Actor("job", "test")
DAY = timedelta(days=1)


def sweep_at(sweep: sweeps.Sweep, at: datetime) -> sweeps.Swept:
    with clock.stopped(at):
        return sweeps.run(sweep, by=JOB)


@pytest.mark.req("AUTO-12", "INV-05", "TH-06", "SHIP-16")
def test_confirming_against_the_sweep_ends_in_exactly_one(shop):
    ends: dict[str, int] = {}
    tried = 0
    with racers(2) as run:
        while tried < rounds(20) or (len(ends) < 2 and tried < 60):
            order = unshipped_order(shop, age=timedelta(0))
            run(confirming(order), partial(sweep_at, overdue.SWEEP, order.deadline_at))
            end = ended_as(order)
            ends[end] = ends.get(end, 0) + 1
            tried += 1
    assert set(ends) == {"shipped", "cancelled"}
    assert found(shop) == []


@pytest.mark.req("AUTO-12", "INV-05")
def test_without_locks_the_database_alone_keeps_the_two_apart(shop, monkeypatch):
    monkeypatch.setattr(lifecycle, "lock", unlocked)
    monkeypatch.setattr(lifecycle, "lock_free", unlocked)
    tries, failures = 14, 0
    with racers(2) as run:
        for _round in range(tries):
            order = unshipped_order(shop, age=timedelta(0))
            answers = run(confirming(order), partial(sweep_at, overdue.SWEEP, order.deadline_at))
            end = ended_as(order)
            failures += broken(answers) or answers[1].failed > 0 or end == "neither"
            assert end in ("shipped", "cancelled", "neither")
    assert failures >= tries / 2


@pytest.mark.req("AUTO-07", "AUTO-02", "FT-25", "INV-07", "IMPL-20")
@pytest.mark.parametrize("name", SWEEPS)
def test_four_at_once_do_it_once(shop, name):
    with racers(4) as run:
        for _round in range(rounds(4)):
            orders = [unshipped_order(shop, age=timedelta(0)) for _ in range(6)]
            at = max(o.deadline_at if name == "cancel" else o.email_warning_at for o in orders)
            swept = run(*[partial(sweep_at, SWEEPS[name], at)] * 4)
            assert sum(one.done for one in swept) == 6
            assert [one.failed for one in swept] == [0] * 4
            for order in orders:
                told = kinds(order)
                assert (told.count("N07"), told.count("N08")) in [(1, 0), (0, 1)]
                assert Cancellation.objects.filter(order=order).count() == told.count("N08")
            Order.objects.filter(status="unshipped").update(email_warning_at=at + 900 * DAY)


@pytest.mark.req("AUTO-07", "INV-07", "IMPL-17")
def test_without_locks_the_history_alone_lets_nobody_be_warned_twice(shop, monkeypatch):
    monkeypatch.setattr(lifecycle, "lock", unlocked)
    monkeypatch.setattr(lifecycle, "lock_free", unlocked)
    monkeypatch.setattr(history, "happened_to", lambda orders, event: set())
    tries, failures = 10, 0
    with racers(2) as run:
        for _round in range(tries):
            order = unshipped_order(shop, age=timedelta(0))
            act = partial(sweep_at, deadline_warnings.SWEEP, order.email_warning_at)
            failures += sum(one.failed for one in run(act, act))
            assert kinds(order).count("N07") == 1
    assert failures >= tries / 2


@pytest.mark.req("AUTO-11", "FT-19")
def test_an_order_that_somebody_holds_is_skipped_without_waiting(shop):
    held, free = unshipped_order(shop), unshipped_order(shop)
    with racers(1) as run, transaction.atomic():
        lifecycle.lock([held.pk])
        (swept,) = run(partial(sweep_at, overdue.SWEEP, held.deadline_at + DAY))
    assert (swept.done, swept.skipped, swept.failed) == (1, 1, 0)
    assert (status(held), status(free)) == ("unshipped", "cancelled")
    assert sweep_at(overdue.SWEEP, held.deadline_at + DAY).done == 1
