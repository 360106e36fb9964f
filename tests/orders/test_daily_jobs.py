"""Once a day: deliveries are assumed, old things forgotten, the invariants looked at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.domain import calendar
from accounts.models import Session
from audit.domain.submissions import Once
from audit.models import Submission
from core import clock, jobs
from core.models import JobRun
from core.refusal import Refused
from orders.domain import contacts, deliveries, invariants, revisions
from orders.models import InvariantCheck, Order
from orders.models.contact import Contact
from tests.factories import (
    STAFF,
    MerchantFactory,
    cancelled_order,
    job_run,
    pending_order,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.pages import kinds, snapshot, words

DAY = timedelta(days=1)


def run(name: str, at: datetime) -> dict[str, int]:
    with clock.stopped(at):
        return dict(jobs.run(name))


# Delivery -------------------------------------------------------------------------------------


def third_day_after(order: Order) -> datetime:
    """The first moment of the third day after the order should have arrived at the latest."""
    day = order.deliver_to_date + 2 * DAY
    return calendar.end_of_day(day, order.marketplace) + timedelta(seconds=1)


@pytest.mark.req("DETAIL-09")
def test_delivery_is_assumed_three_days_after_it_was_due(shop):
    order = shipped_order(shop)
    assert contacts.of_order(order).buyer_phone
    assert run("delivery-assumption", third_day_after(order) - timedelta(seconds=1)) == {
        "deliveries assumed": 0, "skipped": 0, "failed": 0,
    }  # fmt: skip
    for assumed in (1, 0):
        counts = run("delivery-assumption", third_day_after(order))
        assert counts["deliveries assumed"] == assumed
    order.refresh_from_db()
    assert order.delivered_at == third_day_after(order)
    line = order.history.get(event="order.delivered")
    assert (line.door, line.after) == ("job", {"assumed": True})
    assert contacts.of_order(order).buyer_phone == ""


@pytest.mark.req("DETAIL-17", "DETAIL-15")
@pytest.mark.parametrize("days", [-2, 5])
def test_what_was_told_later_is_what_delivery_is_assumed_by(shop, days):
    order = shipped_order(shop)
    last = order.deliver_to_date + days * DAY
    told = revisions.Dates(None, last, last)
    revisions.revise_dates(order_id=order.pk, wanted=told, by=STAFF)
    due = third_day_after(order) + days * DAY
    assert run("delivery-assumption", due - timedelta(hours=2))["deliveries assumed"] == 0
    assert run("delivery-assumption", due + timedelta(hours=2))["deliveries assumed"] == 1


@pytest.mark.req("DETAIL-09")
@pytest.mark.parametrize("make", [unshipped_order, pending_order, cancelled_order])
def test_only_what_has_shipped_arrives(shop, make):
    order = make(shop)
    before = snapshot(order)
    run("delivery-assumption", clock.now() + 400 * DAY)
    assert snapshot(order) == before


@pytest.mark.req("DETAIL-09", "IMPL-01", "IMPL-02")
def test_staff_marks_delivery_once(shop):
    order = shipped_order(shop)
    once, before = Once("token", "as typed"), kinds(order)
    for _twice in range(2):
        marked = deliveries.mark_delivered(order_id=order.pk, by=STAFF, once=once)
        assert marked.delivered_at is not None
    assert order.history.filter(event="order.delivered").count() == 1
    assert kinds(order) == before
    with pytest.raises(Refused, match="already marked complete"):
        deliveries.mark_delivered(order_id=order.pk, by=STAFF)
    other = shipped_order(shop)
    with pytest.raises(Refused) as refused:
        deliveries.mark_delivered(order_id=other.pk, by=STAFF, seen=1)
    assert refused.value.code == "STALE_ORDER"
    run("delivery-assumption", clock.now() + 100 * DAY)
    assert order.history.filter(event="order.delivered").count() == 1


@pytest.mark.req("DETAIL-09")
def test_what_has_arrived_can_still_be_refunded(shop):
    order = shipped_order(shop)
    deliveries.mark_delivered(order_id=order.pk, by=STAFF)
    refund(order)
    assert order.refunded_total == order.total


@pytest.mark.req("DETAIL-09", "IMPL-21")
def test_a_sandbox_delivers_by_its_own_clock(shop):
    sandbox = MerchantFactory(is_sandbox=True)
    ours, theirs = shipped_order(shop), shipped_order(sandbox)
    sandbox.clock_ahead = 30 * DAY
    sandbox.save()
    jobs.run("delivery-assumption")
    told = Order.objects.in_bulk([ours.pk, theirs.pk])
    assert told[ours.pk].delivered_at is None
    assert told[theirs.pk].delivered_at is not None


# Expiry ---------------------------------------------------------------------------------------

PERSONAL = ("Eilidh Receiver", "Eilidh.MacLeod@", "07700 900142", "Harbour Row", "PA75 6NU")


def years_later(settings, order: Order, days: int = 1) -> datetime:
    settings.PERSONAL_DATA_DAYS = 730
    return order.purchased_at + (730 + days) * DAY


def money_of(order: Order) -> list[object]:
    return [list(rows.values()) for rows in (order.items, order.ledger, order.refunds)]


@pytest.mark.req("IMPL-22", "TH-11")
def test_personal_data_go_after_two_years_and_money_stays(client, alice, shop, settings):
    order, ended, open_one = shipped_order(shop), cancelled_order(shop), unshipped_order(shop)
    refund(order, "1.00")
    client.force_login(alice)
    page = f"/orders/{order.number}/"
    assert not [word for word in PERSONAL if word not in words(client.get(page))]
    money = money_of(order)
    assert run("expiry", years_later(settings, order, -1))["contacts blanked"] == 0

    counts = run("expiry", years_later(settings, order))

    assert counts["contacts blanked"] == 2
    assert run("expiry", years_later(settings, order))["contacts blanked"] == 0
    client.force_login(alice)  # the session of two years ago is gone, too
    shown = words(client.get(page))
    assert not [word for word in PERSONAL if word.lower() in shown.lower()]
    assert "No longer available" in shown
    assert client.get(page + "packing-slip/").status_code == 200
    left = Contact.objects.filter(pk__in=[order.pk, ended.pk]).values()
    personal = {"order_id", "merchant_id", "purchased_at", "country", "blanked_at"}
    assert [value for row in left for name, value in row.items() if name not in personal] == [
        ""
    ] * 22
    assert contacts.of_order(open_one).buyer_email  # still to be shipped
    assert money_of(order) == money
    assert order.history.filter(event="order.contact_blanked").count() == 1
    found = invariants.verify(merchant_id=shop.pk)
    assert not [n for n, rows in found.items() if rows and not n.startswith("INVENTORY-07")]


@pytest.mark.req("INV-02", "TECH-04")
def test_answers_to_old_requests_and_old_runs_are_forgotten(shop):
    order = shipped_order(shop)
    deliveries.mark_delivered(order_id=order.pk, by=STAFF, once=Once("token", "as typed"))
    at = clock.now() + 31 * DAY
    old = [
        job_run(started_at=clock.now() + n * timedelta(seconds=1), finished_at=at, error=error)
        for n, error in enumerate(["", "", "LookupError"])
    ]
    counts = run("expiry", at - 2 * DAY)
    assert (counts["submissions deleted"], counts["job runs deleted"]) == (0, 0)
    assert Submission.objects.count() == 1

    counts = run("expiry", at)

    assert (counts["submissions deleted"], counts["job runs deleted"]) == (1, 2)
    left = set(JobRun.objects.filter(job="tea").values_list("pk", flat=True))
    assert left == {old[1].pk}  # the last good one stays, for whoever asks when it last worked


@pytest.mark.req("TECH-04", "SD-05")
def test_sessions_whose_time_is_over_leave_the_table(client, alice):
    client.force_login(alice)
    ends = Session.objects.get(user=alice).expire_date
    assert run("expiry", ends - timedelta(minutes=1))["sessions deleted"] == 0
    assert run("expiry", ends + timedelta(minutes=1))["sessions deleted"] == 1
    assert not Session.objects.exists()


@pytest.mark.req("AUTO-13", "IMPL-22")
def test_a_dry_run_of_the_expiry_says_how_much(shop, settings):
    order = shipped_order(shop)
    out = StringIO()
    at = years_later(settings, order).isoformat()
    call_command("run_job", "expiry", "--dry-run", "--now", at, stdout=out)
    assert out.getvalue().splitlines()[0] == "1 finished orders: blank the contacts"
    assert Contact.objects.get(pk=order.pk).blanked_at is None


# Invariants -----------------------------------------------------------------------------------


@pytest.mark.req("TECH-04", "INV-03")
def test_the_daily_look_keeps_what_it_found(shop, caplog):
    order = shipped_order(shop)
    jobs.run("invariant-check")
    look = InvariantCheck.objects.latest("pk")
    assert [name for name in look.violations if not name.startswith("INVENTORY-07")] == []
    assert look.checks == len(invariants.CHECKS)
    assert [shop.slug, 1, str(order.total), "0.00"] in look.sums

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE orders_order SET item_count = 7 WHERE id = %s", [order.pk])
        cursor.execute("SET session_replication_role = DEFAULT")
    counts = jobs.run("invariant-check")

    assert counts["violated"] >= 1
    look = InvariantCheck.objects.latest("pk")
    name = "INV-03 an order's total is the sum of its items"
    assert look.violations[name] == [[shop.pk, order.pk, f"total {order.total}"]]
    assert not look.holds
    named = {r.alert for r in caplog.records if r.message == "invariant.violated"}
    assert named == {"docs/runbook.md#invariant-violated"}


@pytest.mark.req("INV-07")
@pytest.mark.parametrize(
    ("event", "at"),
    [
        ("order.auto_cancelled", "deadline_at - interval '1 second'"),
        ("order.confirmation_warned", "email_warning_at - interval '1 second'"),
        ("order.confirmation_warned", "deadline_at"),
    ],
)
def test_a_warning_or_an_end_at_the_wrong_time_is_found(shop, event, at):
    order = unshipped_order(shop)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_entry (merchant_id, number, order_id, event, happened_at, door,"
            f" actor, before, after) SELECT merchant_id, 99, id, %s, {at}, 'job', 'x', '{{}}', '{{}}'"
            " FROM orders_order WHERE id = %s",
            [event, order.pk],
        )
    found = invariants.verify(merchant_id=shop.pk)
    (rows,) = [rows for name, rows in found.items() if name.startswith("INV-07")]
    assert [row.order_id for row in rows] == [order.pk]


@pytest.mark.req("TECH-04", "FT-27")
def test_daily_jobs_are_due_at_an_hour_and_not_a_day_after_a_restart(settings):
    """Beat keeps no file: what is due "every 24 hours" would never be, restarted daily."""
    for name in ("delivery-assumption", "expiry", "history-digest", "invariant-check"):
        due = settings.CELERY_BEAT_SCHEDULE[name]["schedule"]
        restarted = datetime(2026, 1, 30, 0, 0, tzinfo=UTC)
        due.nowfun = lambda restarted=restarted: restarted
        assert due.remaining_estimate(restarted) < DAY
