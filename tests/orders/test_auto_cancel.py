"""Time passes: merchants are warned once, unconfirmed orders are cancelled once, at the right time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Merchant
from audit.models import Entry
from core import clock, jobs
from core.actor import Actor
from core.models import JobRun
from core.refusal import Refused
from orders.domain import invariants, overdue, sweeps, verification
from orders.models import Cancellation, Order
from payments.gateways import Verification, VerificationOutcome
from payments.models import Operation
from tests.factories import (
    GATEWAY,
    MerchantFactory,
    confirm,
    marketplace,
    order_in,
    partially_shipped_order,
    pending_order,
    unshipped_order,
)
from tests.orders.offences import failing
from tests.pages import kinds, snapshot

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
BOTH = ("confirmation-warnings", "auto-cancel")
JOB = Actor("job", "test")


def run_jobs(*names: str, at: datetime) -> None:
    with clock.stopped(at):
        for name in names or BOTH:
            jobs.run(name)


def run_job(*words: str, at: datetime) -> str:
    out = StringIO()
    call_command("run_job", *words, "--now", at.isoformat(), stdout=out)
    return out.getvalue()


def status(order: Order) -> str:
    return Order.objects.values_list("status", flat=True).get(pk=order.pk)


# Auto-cancel ---------------------------------------------------------------------------------


@pytest.mark.req("AUTO-01", "FT-29", "INV-07", "K02")
@pytest.mark.parametrize(
    ("bought", "ends"),
    [
        ("2024-03-10T09:30:00", "2024-04-09T09:30:00"),  # British clocks go forward in between
        ("2024-10-10T00:30:00", "2024-11-09T00:30:00"),  # and back
        ("2024-01-30T23:59:59", "2024-02-29T23:59:59"),
        ("2027-12-31T12:00:00", "2028-01-30T12:00:00"),
        ("2028-02-28T12:00:00", "2028-03-29T12:00:00"),
    ],
)
def test_a_deadline_is_a_number_of_hours_after_the_purchase(shop, bought, ends):
    at = datetime.fromisoformat(bought).replace(tzinfo=UTC)
    with clock.stopped(at):
        order = unshipped_order(shop, age=timedelta(0))
    assert order.deadline_at == datetime.fromisoformat(ends).replace(tzinfo=UTC)


@pytest.mark.req("AUTO-02", "INV-07", "T10")
def test_an_order_is_cancelled_at_its_deadline_and_not_a_second_earlier(shop):
    order = unshipped_order(shop)
    run_jobs("auto-cancel", at=order.deadline_at - SECOND)
    assert status(order) == "unshipped"
    run_jobs("auto-cancel", at=order.deadline_at)
    assert status(order) == "cancelled"
    assert Order.objects.get(pk=order.pk).cancelled_at == order.deadline_at


@pytest.mark.req("AUTO-04", "AUTO-05", "INVENTORY-05", "CANCEL-05", "T10", "INV-09")
def test_everybody_hears_of_it_and_nobody_is_charged(shop):
    order = unshipped_order(shop, quantity=2)
    listing = order.items.get().listing
    before = listing.quantity_available
    told = kinds(order)

    run_jobs("auto-cancel", at=order.deadline_at + DAY)

    order.refresh_from_db()
    assert (order.status, order.payment_state, order.charged_at) == ("cancelled", "voided", None)
    assert sorted(set(kinds(order)) - set(told)) == ["N08", "N09", "OrderCancelledNotification"]
    assert [o.purpose for o in Operation.objects.filter(order=order)] == ["void"]
    assert not order.ledger.exists()
    why = Cancellation.objects.get(order=order)
    assert (why.move, why.reason, why.counts) == ("T10", "NotConfirmedInTime", True)
    listing.refresh_from_db()
    assert listing.quantity_available == before + 2
    line = order.history.get(event="order.auto_cancelled")
    assert (line.door, line.actor) == ("job", "auto-cancel")


@pytest.mark.req("AUTO-04", "CANCEL-05")
def test_what_was_paid_in_advance_goes_back(japanese_shop):
    order = unshipped_order(japanese_shop, in_advance=True)
    run_jobs("auto-cancel", at=order.deadline_at)
    order.refresh_from_db()
    assert (order.status, order.refunded_total) == ("cancelled", order.total)
    assert [o.purpose for o in Operation.objects.filter(order=order)] == ["refund"]


@pytest.mark.req("AUTO-03", "F20", "K20", "CHANNEL-14")
def test_other_orders_are_left_alone_however_old(shop):
    orders = [order_in(s, shop) for s in ("pending", "shipped", "cancelled")]
    orders += [partially_shipped_order(shop), unshipped_order(shop, fulfilment_channel="platform")]
    channel = unshipped_order(shop)
    Order.objects.filter(pk=channel.pk).update(payment_state="external")
    orders += [channel, being_confirmed(shop)]
    before = [snapshot(order) for order in orders]
    for age in (26, 31, 400):
        run_jobs(at=clock.now() + age * DAY)
    assert [snapshot(order) for order in orders] == before


def being_confirmed(shop: Merchant) -> Order:
    """An order of which the gateway has not said whether its buyer is charged."""
    order = unshipped_order(shop, payment_token="unavailable")
    with pytest.raises(Refused, match="being confirmed"):
        confirm(order)
    return order


@pytest.mark.req("AUTO-15")
def test_a_new_policy_moves_no_deadline(shop):
    old = unshipped_order(shop, age=timedelta(0))
    place = shop.marketplace
    place.deadline_days, place.email_warning_lead_days, place.page_warning_lead_days = 7, 2, 3
    place.save()
    shop.refresh_from_db()
    new = unshipped_order(shop, age=timedelta(0))
    assert old.deadline_at == old.purchased_at + 30 * DAY
    assert new.deadline_at == new.purchased_at + 7 * DAY
    run_jobs("auto-cancel", at=new.deadline_at)
    assert (status(old), status(new)) == ("unshipped", "cancelled")
    run_jobs("auto-cancel", at=old.deadline_at)
    assert status(old) == "cancelled"


@pytest.mark.req("AUTO-14", "K02")
def test_the_japanese_period_starts_with_the_expected_ship_date(db):
    shop = MerchantFactory(marketplace=marketplace("JP_2022"), country="JP")
    order = unshipped_order(shop, age=timedelta(0))
    ship_by = order.ship_by_at
    assert (order.page_warning_at, order.email_warning_at) == (ship_by, ship_by)
    assert order.deadline_at == ship_by + 7 * DAY
    run_jobs(at=ship_by - SECOND)
    assert "N07" not in kinds(order)
    run_jobs(at=ship_by)
    assert kinds(order).count("N07") == 1
    run_jobs(at=order.deadline_at - SECOND)
    assert status(order) == "unshipped"
    run_jobs(at=order.deadline_at)
    assert status(order) == "cancelled"


# Warnings ------------------------------------------------------------------------------------


@pytest.mark.req("AUTO-06", "AUTO-07", "K01", "INV-07")
def test_the_merchant_is_warned_on_day_25_and_once_for_ever(shop):
    order = unshipped_order(shop)
    run_jobs(at=order.purchased_at + 25 * DAY - SECOND)
    assert "N07" not in kinds(order)
    version = Order.objects.get(pk=order.pk).version
    for later in (0 * DAY, SECOND, DAY, 4 * DAY):
        run_jobs(at=order.purchased_at + 25 * DAY + later)
        assert kinds(order).count("N07") == 1
    line = order.history.get(event="order.confirmation_warned")
    assert line.happened_at == order.purchased_at + 25 * DAY
    mail = order.messages_owed.get(kind="N07")
    assert mail.event_key == f"history-{shop.pk}-{line.number}:N07"
    assert Order.objects.get(pk=order.pk).version == version  # nobody's page is stale for it


@pytest.mark.req("AUTO-06", "K01")
def test_japan_is_warned_a_week_before(japanese_shop):
    order = unshipped_order(japanese_shop)
    run_jobs(at=order.purchased_at + 23 * DAY - SECOND)
    assert "N07" not in kinds(order)
    run_jobs(at=order.purchased_at + 23 * DAY)
    assert "N07" in kinds(order)


@pytest.mark.req("AUTO-07", "AUTO-03")
@pytest.mark.parametrize("end", [confirm, lambda order: run_jobs(at=order.deadline_at)])
def test_nobody_is_warned_of_what_is_confirmed_or_cancelled(shop, end):
    order = unshipped_order(shop)
    end(order)
    for day in (25, 29, 31):
        run_jobs(at=order.purchased_at + day * DAY)
    assert "N07" not in kinds(order)


@pytest.mark.req("AUTO-10", "FT-26", "INV-07")
def test_after_days_of_standing_still_everything_is_caught_up(shop):
    """Off from day 24 to 31: cancelled, and no belated warning; another one is only warned."""
    overdue_one, younger = unshipped_order(shop), unshipped_order(shop, age=timedelta(0))
    Order.objects.filter(pk=younger.pk).update(
        deadline_at=overdue_one.deadline_at + 3 * DAY,
        email_warning_at=overdue_one.deadline_at - 2 * DAY,
    )
    run_jobs(at=overdue_one.purchased_at + 24 * DAY)
    for _twice in range(2):
        run_jobs(at=overdue_one.purchased_at + 31 * DAY)
    assert (status(overdue_one), status(younger)) == ("cancelled", "unshipped")
    assert (kinds(overdue_one).count("N07"), kinds(overdue_one).count("N08")) == (0, 1)
    assert kinds(younger).count("N07") == 1


@pytest.mark.req("PENDING-14", "K33", "PENDING-13")
def test_who_is_verified_late_is_warned_by_the_next_run(shop):
    order = pending_order(shop, age=26 * DAY)
    run_jobs(at=clock.now())
    assert "N07" not in kinds(order)
    answer = {order.pk: Verification(VerificationOutcome.VERIFIED)}
    verification.settle_verifications(answer, by=GATEWAY)
    verified = Order.objects.at_risk(at=clock.now()).get()
    assert verified.deadline_at == order.purchased_at + 30 * DAY
    for _twice in range(2):
        run_jobs(at=clock.now())
    assert kinds(order).count("N07") == 1


# How it is done ------------------------------------------------------------------------------


@pytest.mark.req("AUTO-13", "IMPL-20")
def test_a_dry_run_lists_orders_mails_and_refusals(shop):
    due, going = unshipped_order(shop), being_confirmed(shop)
    before = snapshot(due)
    told = run_job("auto-cancel", "--dry-run", at=due.deadline_at + DAY)
    assert told == (
        f"{due.number}: cancel (N08, N09, OrderCancelledNotification)\n"
        f"{going.number}: cancel REFUSED: Order {going.number} is being confirmed right now."
        " You need not repeat anything; look again in a minute.\n"
        "2 planned; nothing was changed.\n"
    )
    told = run_job("confirmation-warnings", "--dry-run", at=due.email_warning_at + DAY)
    assert f"{due.number}: warn the merchant (N07)\n" in told
    assert snapshot(due) == before
    assert not JobRun.objects.exists()
    told = run_job("auto-cancel", at=due.deadline_at + DAY)
    assert told == "1 orders cancelled, 1 skipped\n"


@pytest.mark.req("AUTO-11", "INV-11")
@pytest.mark.parametrize(
    ("name", "table", "event"),
    [
        ("auto-cancel", "orders_cancellation", "order.auto_cancelled"),
        ("confirmation-warnings", "audit_entry", "order.confirmation_warned"),
    ],
)
def test_one_bad_order_stops_no_other_and_is_tried_again(shop, caplog, name, table, event):
    orders = [unshipped_order(shop) for _ in range(3)]
    bad = orders[1]
    at = bad.deadline_at + DAY if name == "auto-cancel" else bad.email_warning_at + DAY
    with failing(table, bad):
        told = run_job(name, at=at)
        done = Entry.objects.filter(event=event).values_list("order_id", flat=True)
        assert sorted(done) == [orders[0].pk, orders[2].pk]
    assert "1 failed" in told
    assert JobRun.objects.get().counts["failed"] == 1
    assert {"sweep.chunk_failed", "sweep.order_failed"} <= {r.message for r in caplog.records}
    assert snapshot(bad)[0]["status"] == "unshipped"

    run_job(name, at=at)
    assert Entry.objects.filter(event=event).count() == 3
    found = invariants.verify(merchant_id=shop.pk)
    assert [n for n, rows in found.items() if rows and not n.startswith("INVENTORY-07")] == []


@pytest.mark.req("AUTO-11", "IMPL-19")
def test_much_work_is_done_in_chunks_and_no_run_turns_in_circles(shop):
    orders = [unshipped_order(shop) for _ in range(5)]
    with clock.stopped(orders[-1].deadline_at):
        swept = sweeps.run(overdue.SWEEP, by=JOB, limit=3, chunk=2)
        assert (swept.done, swept.more) == (3, True)
        swept = sweeps.run(overdue.SWEEP, by=JOB, limit=3, chunk=2)
        assert (swept.done, swept.more) == (2, False)
    bad = unshipped_order(shop)
    with failing("orders_cancellation", bad), clock.stopped(bad.deadline_at):
        swept = sweeps.run(overdue.SWEEP, by=JOB, limit=1)
        assert (swept.done, swept.failed, swept.more) == (0, 1, False)


@pytest.mark.req("AUTO-02", "IMPL-21")
def test_a_sandbox_lives_by_its_own_clock_and_nobody_else_does(shop):
    sandbox = MerchantFactory(is_sandbox=True)
    ours, theirs = unshipped_order(shop), unshipped_order(sandbox)
    for ahead, expected in ((26, ("unshipped", 1, 0)), (31, ("cancelled", 1, 1))):
        sandbox.clock_ahead = ahead * DAY
        sandbox.save()
        for name in BOTH:
            jobs.run(name)
        told = kinds(theirs)
        assert (status(theirs), told.count("N07"), told.count("N08")) == expected
    assert (status(ours), kinds(ours).count("N07")) == ("unshipped", 0)
    line = theirs.history.get(event="order.auto_cancelled")
    assert timedelta(0) <= line.happened_at - clock.now() - 31 * DAY + DAY <= DAY
