"""Scheduled reports: each verified order is in exactly one of them (INV-15)."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Event

import pytest
from django.db import connections, transaction

from core import clock, jobs
from orders.domain import cancellations, verification
from orders.enums import CancelReason
from orders.models import Order
from payments.gateways import Verification, VerificationOutcome
from reports.domain import scheduling
from reports.enums import Period, ReportKind
from reports.models import Release, Report, Schedule
from tests.factories import (
    GATEWAY,
    STAFF,
    cancelled_order,
    confirm,
    pending_order,
    unshipped_order,
)
from tests.races import racers, rounds
from tests.reports.files import make, read, schedule, switch_on


def settle(order: Order) -> None:
    outcome = Verification(VerificationOutcome.VERIFIED)
    verification.settle_verifications({order.pk: outcome}, by=GATEWAY)


def tick(after: timedelta) -> Report | None:
    """Let a scheduled report be made, so long from now; return it."""
    newest = Report.objects.order_by("-pk").first()
    with clock.stopped(clock.now() + after):
        jobs.run("scheduled-reports")
        jobs.run("reports")
    report = Report.objects.order_by("-pk").first()
    return None if report == newest else report


def numbers(report: Report | None) -> list[str]:
    assert report is not None
    return [row["order-id"] for row in read(report)]


DAY = timedelta(days=1, minutes=1)


@pytest.mark.req("REPORT-05", "INV-15")
def test_an_order_is_in_the_report_after_its_verification_and_in_no_other(shop):
    """Whenever it was bought; what was verified before the schedule was made is in none."""
    before = unshipped_order(shop)
    late = pending_order(shop, age=timedelta(days=5))
    schedule(shop)
    new = unshipped_order(shop)
    assert numbers(tick(DAY)) == [new.number]
    settle(late)
    report = tick(2 * DAY)
    assert (numbers(report), report.origin, report.requested_by) == (
        [late.number],
        "scheduled",
        "Schedule",
    )
    third = tick(3 * DAY)
    assert (third.state, third.from_at) == ("no_data", report.to_at)
    assert before.number not in numbers(third)
    assert make(shop, days=7).rows == 3  # requested ones hold all


@pytest.mark.req("REPORT-04", "REPORT-05", "INV-15")
def test_never_and_later_again_loses_nothing(shop):
    schedule(shop)
    first = unshipped_order(shop)
    schedule(shop, None)
    second = unshipped_order(shop)
    assert tick(3 * DAY) is None
    schedule(shop, Period.HOUR_1)
    third = unshipped_order(shop)
    assert numbers(tick(timedelta(hours=2))) == [first.number, second.number, third.number]


@pytest.mark.req("REPORT-04", "FT-26", "INV-15")
def test_missed_ticks_are_made_up_by_one_report(shop):
    made = schedule(shop, Period.MINUTES_15)
    order = unshipped_order(shop)
    assert tick(timedelta(minutes=14)) is None
    report = tick(timedelta(days=3))
    assert numbers(report) == [order.number]
    assert Report.objects.count() == 1
    now = Schedule.objects.get()
    missed = now.next_run_at - made.next_run_at
    assert missed % timedelta(minutes=15) == timedelta(0)
    assert timedelta(0) < now.next_run_at - report.to_at <= timedelta(minutes=15)


@pytest.mark.req("REPORT-04", "IMPL-21")
def test_a_sandboxes_schedule_follows_its_own_clock(shop):
    schedule(shop, Period.DAYS_30)
    order = unshipped_order(shop)
    assert tick(timedelta(0)) is None
    type(shop).objects.filter(pk=shop.pk).update(is_sandbox=True, clock_ahead=timedelta(days=31))
    assert numbers(tick(timedelta(0))) == [order.number]


@pytest.mark.req("REPORT-05", "REPORT-13")
def test_an_order_cancelled_before_the_file_is_made_is_left_out_and_taken(shop):
    schedule(shop)
    cancelled_order(shop)
    report = tick(DAY)
    assert (report.state, numbers(report)) == ("no_data", [])
    assert Release.objects.get().report == report


@pytest.mark.req("REPORT-04", "REPORT-15")
def test_scheduled_unshipped_orders_are_those_of_the_moment(shop):
    order = unshipped_order(shop)
    schedule(shop, kind=ReportKind.UNSHIPPED)
    assert numbers(tick(DAY)) == [order.number]
    assert numbers(tick(2 * DAY)) == [order.number]
    assert not Release.objects.exists()


@pytest.mark.req("INV-15")
def test_shops_without_a_schedule_have_nothing_waiting(shop, charlie):
    schedule(shop)
    unshipped_order(charlie.memberships.get().merchant)
    assert not Release.objects.exists()


racing = [pytest.mark.race, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


class Writers:
    """Six people who verify orders in transactions of random length, until they are told to stop."""

    def __init__(self, shop, each: int) -> None:
        self.shop, self.each, self.verified = shop, each, []
        self.orders = [pending_order(shop) for _number in range(6 * each)]

    def write(self, place: int) -> None:
        try:
            for order in self.orders[place::6]:
                with transaction.atomic():
                    settle(order)
                    time.sleep(random.uniform(0, 0.25))
        finally:
            connections.close_all()

    def run(self, report) -> list[list[int]]:
        """Take a report every 100 ms beside the writers, and one when they have ended."""
        taken = []
        with ThreadPoolExecutor(6) as pool:
            writing = [pool.submit(self.write, place) for place in range(6)]
            while not all(one.done() for one in writing):
                time.sleep(0.1)
                taken.append(report())
            for one in writing:
                one.result()
        taken.append(report())
        return taken


def take(shop) -> list[int]:
    """One scheduled report, due now; the orders it took."""
    Schedule.objects.update(next_run_at=clock.now())
    report = scheduling.run_next()
    return list(Release.objects.filter(report=report).values_list("order_id", flat=True))


@pytest.mark.req("INV-14", "REPORT-19")
@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_report_is_one_moment_whatever_is_confirmed_and_cancelled_meanwhile(shop, settings):
    """Every order is in the file with all its lines, in one state, or not at all."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    switch_on(shop, "order-status")
    orders = [unshipped_order(shop, lines=3) for _number in range(rounds(20))]

    def write(place: int) -> None:
        try:
            for order in orders[place::3]:
                wanted = cancellations.CancelRequest(order.pk, CancelReason.NO_INVENTORY)
                if place == 0:
                    cancellations.cancel_order(wanted=wanted, by=STAFF)
                else:
                    confirm(order)
        finally:
            connections.close_all()

    seen = set()
    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(write, place) for place in range(3)]
        while not all(one.done() for one in writing):
            rows = read(make(shop))
            lines = Counter((row["order-id"], row["order-status"]) for row in rows)
            assert set(lines.values()) <= {3}
            assert len({number for number, _status in lines}) == len(lines)
            seen.add(frozenset(lines))
        for one in writing:
            one.result()
    assert len(seen) > 1
    assert make(shop).rows == 3 * len(orders[1::3] + orders[2::3])


@pytest.mark.req("INV-15", "REPORT-05")
class TestRaces:
    pytestmark = racing

    def test_six_writers_and_a_report_every_tenth_of_a_second(self, shop, settings):
        settings.CELERY_TASK_ALWAYS_EAGER = False
        schedule(shop, Period.MINUTES_15)
        writers = Writers(shop, rounds(12))
        taken = writers.run(partial(take, shop))
        times = Counter(pk for orders in taken for pk in orders)
        assert set(times) == {order.pk for order in writers.orders}
        assert set(times.values()) == {1}

    def test_a_watermark_instead_of_membership_loses_orders(self, shop, settings):
        """The control: a cut-off by the instant of verification, as one would write it first."""
        settings.CELERY_TASK_ALWAYS_EAGER = False
        schedule(shop, Period.MINUTES_15)
        writers = Writers(shop, 12)
        marks = [clock.now()]

        def since_the_last() -> list[int]:
            to = clock.now()
            new = Order.objects.filter(verified_at__gt=marks[-1], verified_at__lte=to)
            marks.append(to)
            return list(new.values_list("pk", flat=True))

        taken = writers.run(since_the_last)
        lost = {order.pk for order in writers.orders} - {pk for orders in taken for pk in orders}
        assert lost

    def test_two_schedulers_at_once_ask_for_one_report(self, shop, settings):
        settings.CELERY_TASK_ALWAYS_EAGER = False
        schedule(shop, Period.MINUTES_15)
        orders = {unshipped_order(shop).pk for _number in range(3)}
        with racers(2) as run:
            for _round in range(rounds(5)):
                Schedule.objects.update(next_run_at=clock.now())
                answers = run(scheduling.run_next, scheduling.run_next)
                assert sum(isinstance(answer, Report) for answer in answers) == 1
        assert (
            set(Release.objects.exclude(report=None).values_list("order_id", flat=True)) == orders
        )

    def test_the_first_schedule_waits_for_orders_that_are_being_verified(self, shop, settings):
        """Such an order either counts as before it, and is there when the schedule is, or waits."""
        settings.CELERY_TASK_ALWAYS_EAGER = False
        order, written, made = pending_order(shop), Event(), Event()

        def verify() -> None:
            try:
                with transaction.atomic():
                    settle(order)
                    written.set()
                    made.wait(1)  # in vain: the schedule cannot be made meanwhile
                    assert not made.is_set()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            verifying = pool.submit(verify)
            assert written.wait(10)
            schedule(shop)
            made.set()
            verifying.result()
            assert Order.objects.get(pk=order.pk).verified_at is not None
        assert not Release.objects.exists()
        settle(later := pending_order(shop))
        assert Release.objects.get().order_id == later.pk

    def test_an_order_verified_while_the_first_schedule_is_made_waits_for_it(self, shop, settings):
        settings.CELERY_TASK_ALWAYS_EAGER = False
        order, made = pending_order(shop), Event()

        def make_slowly() -> None:
            try:
                with transaction.atomic():
                    schedule(shop)
                    made.set()
                    time.sleep(0.5)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            making = pool.submit(make_slowly)
            assert made.wait(10)
            settle(order)
            making.result()
        assert Release.objects.get().order_id == order.pk
