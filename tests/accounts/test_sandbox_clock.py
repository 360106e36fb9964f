"""The clock of a sandbox: it moves forward, for its merchant alone, and the jobs follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.domain import calendar, keys, sandbox
from accounts.models import Merchant
from accounts.models.merchant import FURTHEST_AHEAD
from accounts.permissions import Preset
from audit.models import Entry
from core import clock, jobs
from core.actor import Actor
from core.jobs import JOBS, Job
from core.refusal import Refused
from orders.domain import cancellations
from orders.models import Order
from tests.factories import (
    STAFF,
    ListingFactory,
    MembershipFactory,
    MerchantFactory,
    confirm,
    unshipped_order,
)
from tests.orders.test_place_order import body
from tests.orders.test_place_order import post as place
from tests.pages import form_of, snapshot, words
from tests.races import racers

PAGE = "/settings/clock/"
DAY = timedelta(days=1)
NOON = datetime(2026, 12, 8, 12, tzinfo=UTC)
AUTO_CANCEL = "auto-cancel"


@pytest.fixture
def demo_shop(shop) -> Merchant:
    shop.is_sandbox = True
    shop.save()
    return shop


@pytest.fixture
def signed_in(client, alice, demo_shop):
    client.force_login(alice)
    return client


def move(client, step: str, **typed):
    return client.post(PAGE, form_of(client, PAGE) | {"move": step} | typed, follow=True)


def ahead(shop) -> timedelta:
    return Merchant.objects.get(pk=shop.pk).clock_ahead


def moves(shop) -> list[tuple[int, int]]:
    entries = Entry.objects.filter(merchant=shop, event=sandbox.MOVED).order_by("number")
    return [(entry.before["seconds_ahead"], entry.after["seconds_ahead"]) for entry in entries]


def cancel_what_is_due() -> None:
    """Do what the job does at the deadline."""
    if AUTO_CANCEL in JOBS:
        jobs.run(AUTO_CANCEL)
        return
    due = [
        order.pk
        for order in Order.objects.filter(status="unshipped").select_related("merchant")
        if order.deadline_at <= calendar.now_for(order.merchant)
    ]
    cancellations.cancel_overdue(order_ids=due, by=Actor("job", AUTO_CANCEL))


@pytest.mark.req("IMPL-21", "IMPL-04")
def test_the_clock_moves_by_an_hour_and_by_a_day(signed_in, demo_shop, alice):
    with clock.stopped(NOON):
        page = move(signed_in, "hour")
        assert "The clock is now at 8 Dec 2026, 13:00 GMT" in words(page)
        assert "Sandbox: the clock is 1 hour ahead" in words(page)
        page = move(signed_in, "day")
    assert ahead(demo_shop) == timedelta(days=1, hours=1)
    assert "Sandbox: the clock is 1 day ahead" in words(page)
    assert moves(demo_shop) == [(0, 3600), (3600, 90_000)]
    entry = Entry.objects.filter(merchant=demo_shop, event=sandbox.MOVED).last()
    assert (entry.door, entry.actor, entry.user_id) == ("form", alice.name, alice.pk)


@pytest.mark.req("IMPL-21", "AUTO-06", "AUTO-08")
def test_it_moves_to_what_comes_next(signed_in, demo_shop):
    with clock.stopped(NOON):
        young, old = unshipped_order(demo_shop, age=DAY), unshipped_order(demo_shop, age=10 * DAY)
        confirm(unshipped_order(demo_shop, age=20 * DAY))
        page = words(signed_in.get(PAGE))
        for event, day in (
            ("Warning on the pages", "Mon 21"),
            ("Warning by e-mail", "Wed 23"),
            ("Deadline: the order is cancelled", "Mon 28"),
        ):
            when = f"When {day} Dec 2026, 12:00 GMT Order ID {old.number}"
            assert f"{event} {when}" in page
        reached = []
        for _ in range(3):
            move(signed_in, "warning")
            reached.append(NOON + ahead(demo_shop))
        assert reached == [old.page_warning_at, old.email_warning_at, young.page_warning_at]
        move(signed_in, "deadline")
        assert NOON + ahead(demo_shop) == young.deadline_at  # the old one's is over


@pytest.mark.req("IMPL-21", "IMPL-25")
def test_without_an_order_that_waits_there_is_no_such_step(signed_in, demo_shop):
    html = signed_in.get(PAGE).content.decode()
    assert "To the next" not in html
    for step, reason in (
        ("warning", "No order waits for a warning."),
        ("deadline", "No order waits for its deadline."),
    ):
        answer = move(signed_in, step)
        assert answer.status_code == 422
        assert reason in words(answer)
    assert ahead(demo_shop) == timedelta(0)
    assert moves(demo_shop) == []


@pytest.mark.req("IMPL-01", "INV-02")
def test_a_step_sent_twice_is_one_step(signed_in, demo_shop):
    fields = form_of(signed_in, PAGE) | {"move": "day"}
    for _ in range(2):
        assert signed_in.post(PAGE, fields).status_code == 302
    assert ahead(demo_shop) == DAY
    other = signed_in.post(PAGE, fields | {"move": "hour"})
    assert other.status_code == 422
    assert "already sent with other values" in words(other)
    assert ahead(demo_shop) == DAY


@pytest.mark.race
@pytest.mark.req("INV-02", "IMPL-01")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_steps_at_once_are_two_steps(demo_shop):
    def step():
        sandbox.move_clock(merchant_id=demo_shop.pk, by=STAFF, forward=DAY)

    with racers(2) as race:
        race(step, step)
    assert ahead(demo_shop) == 2 * DAY
    assert moves(demo_shop) == [(0, 86_400), (86_400, 172_800)]


@pytest.mark.req("IMPL-21")
@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"forward": timedelta(0)}, "only moves forward"),
        ({"forward": -DAY}, "only moves forward"),
        ({"to": NOON - DAY}, "only moves forward"),
        ({"forward": 401 * DAY}, "400 days at most at once"),
        ({"to": NOON + 5000 * DAY}, "400 days at most at once"),
    ],
)
def test_the_clock_goes_neither_back_nor_too_far(demo_shop, wanted, reason):
    with clock.stopped(NOON), pytest.raises(Refused, match=reason) as no:
        sandbox.move_clock(merchant_id=demo_shop.pk, by=STAFF, **wanted)
    assert no.value.code == "INVALID_INPUT"
    assert (ahead(demo_shop), moves(demo_shop)) == (timedelta(0), [])


@pytest.mark.req("IMPL-21")
def test_it_runs_ten_years_ahead_at_most(demo_shop):
    Merchant.objects.filter(pk=demo_shop.pk).update(clock_ahead=FURTHEST_AHEAD)
    with pytest.raises(Refused, match="3660 days ahead at most"):
        sandbox.move_clock(merchant_id=demo_shop.pk, by=STAFF, forward=DAY)
    with connection.cursor() as cursor:
        for change, guard in (
            ("clock_ahead + interval '1 day'", "a_sandbox_clock_stays_within_ten_years"),
            ("clock_ahead - interval '1 second'", "clock_runs_forward"),
        ):
            with pytest.raises(IntegrityError, match=guard), transaction.atomic():
                cursor.execute(f"UPDATE accounts_merchant SET clock_ahead = {change}")


@pytest.mark.req("IMPL-21", "PERMISSION-03")
def test_a_merchant_that_trades_has_no_such_page(client, alice, shop):
    client.force_login(alice)
    for answer in (client.get(PAGE), client.post(PAGE, {"move": "day", "token": "x"})):
        assert answer.status_code == 404
    assert "Sandbox" not in words(client.get("/home/"))
    with pytest.raises(Refused) as no:
        sandbox.move_clock(merchant_id=shop.pk, by=STAFF, forward=DAY)
    assert no.value.code == "NOT_FOUND"
    assert ahead(shop) == timedelta(0)


@pytest.mark.req("PERMISSION-02", "PERMISSION-03")
def test_who_may_not_change_the_account_does_not_move_its_clock(client, demo_shop):
    packer = MembershipFactory(merchant=demo_shop, preset=Preset.FULFILMENT).user
    client.force_login(packer)
    for answer in (client.get(PAGE), client.post(PAGE, {"move": "day", "token": "x"})):
        assert answer.status_code == 403
    home = client.get("/home/")
    assert "Sandbox: the clock shows the real time" in words(home)
    assert "Move the clock" not in words(home)
    nobody = Actor("form", "Nobody")
    with pytest.raises(Refused) as no:
        sandbox.move_clock(merchant_id=demo_shop.pk, by=nobody, forward=DAY)
    assert no.value.code == "PERMISSION_DENIED"
    assert (ahead(demo_shop), moves(demo_shop)) == (timedelta(0), [])


@pytest.mark.req("IMPL-01", "IMPL-25")
@pytest.mark.parametrize(
    "typed", [{"move": "year"}, {"move": ""}, {"token": ""}, {"token": "\x00"}]
)
def test_a_form_that_makes_no_sense_moves_nothing(signed_in, demo_shop, typed):
    answer = signed_in.post(PAGE, form_of(signed_in, PAGE) | {"move": "day"} | typed)
    assert answer.status_code in (400, 422)
    assert ahead(demo_shop) == timedelta(0)


@pytest.mark.req("AUTO-02", "AUTO-08", "TECH-09", "IMPL-21")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_jobs_do_for_this_merchant_alone_what_has_become_due(signed_in, demo_shop, charlie):
    trading, other = charlie.memberships.get().merchant, MerchantFactory(is_sandbox=True)
    theirs = [unshipped_order(place, age=DAY) for place in (trading, other)]
    order = unshipped_order(demo_shop, age=DAY)
    before = [snapshot(each) for each in theirs]

    move(signed_in, "deadline")
    cancel_what_is_due()

    order.refresh_from_db()
    assert (order.status, order.cancellation.reason) == ("cancelled", "NotConfirmedInTime")
    assert order.cancelled_at >= order.deadline_at
    assert [snapshot(each) for each in theirs] == before
    assert ahead(trading) == ahead(other) == timedelta(0)
    page = words(signed_in.get(PAGE))
    assert f"Cancelled by the system: not confirmed in time: {order.number}" in page


@pytest.mark.req("IMPL-20", "IMPL-21")
def test_every_job_is_asked_to_look_for_work(
    demo_shop, monkeypatch, django_capture_on_commit_callbacks
):
    looked = []
    watch = {name: Job(name, job.task, job.work, job.plan) for name, job in JOBS.items()}
    monkeypatch.setattr(jobs, "JOBS", watch)
    monkeypatch.setattr(jobs, "run", lambda name, **_: looked.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        sandbox.move_clock(merchant_id=demo_shop.pk, by=STAFF, forward=DAY)
    assert sorted(looked) == sorted(watch)


def command(*words: str) -> str:
    out = StringIO()
    call_command("move_clock", *words, stdout=out)
    return out.getvalue()


@pytest.mark.req("IMPL-21")
def test_the_command_moves_it_too(demo_shop):
    with clock.stopped(NOON):
        order = unshipped_order(demo_shop, age=DAY)
        slug = ("--merchant", demo_shop.slug)
        told = command(*slug, "--days", "2")
        assert told == "Harbour & Hearth: the clock is now at 2026-12-10T12:00:00Z\n"
        command(*slug, "--to", "2026-12-11T09:00:00Z")
        assert NOON + ahead(demo_shop) == datetime(2026, 12, 11, 9, tzinfo=UTC)
        command(*slug, "--to-warning")
        assert NOON + ahead(demo_shop) == order.page_warning_at
        command(*slug, "--to-deadline")
        assert NOON + ahead(demo_shop) == order.deadline_at
        for refused, reason in (
            (("--days", "-1"), "only moves forward"),
            (("--days", str(10**12)), "too large"),
            (("--to-deadline",), "No order waits for its deadline"),
        ):
            with pytest.raises(CommandError, match=reason):
                command(*slug, *refused)
        with pytest.raises(CommandError, match="no merchant nobody"):
            command("--merchant", "nobody", "--days", "1")
    entry = Entry.objects.filter(merchant=demo_shop, event=sandbox.MOVED).last()
    assert (entry.door, entry.actor) == ("operator", "move_clock")


@pytest.mark.req("IMPL-21")
def test_an_order_that_names_no_time_is_placed_at_the_merchants(client, demo_shop):
    listing = ListingFactory(merchant=demo_shop)
    key, secret = keys.create_key(merchant=demo_shop, name="till", by=STAFF)
    sandbox.move_clock(merchant_id=demo_shop.pk, by=STAFF, forward=30 * DAY)
    answer = place(client, secret, body(listing))
    assert answer.status_code == 201, answer.content
    order = Order.objects.get(merchant=demo_shop)
    assert order.purchased_at - clock.now() > 29.9 * DAY
    key.refresh_from_db()
    assert key.last_used_at >= key.created_at


@pytest.mark.req("IMPL-05", "IMPL-21")
def test_the_foot_of_a_page_names_the_zone_of_the_merchants_time(signed_in, demo_shop):
    now = clock.now()
    winter = datetime(now.year + 1, 1, 15, tzinfo=UTC) - now
    Merchant.objects.filter(pk=demo_shop.pk).update(clock_ahead=winter)
    assert "Times are shown in GMT (Europe/London)" in words(signed_in.get("/help/shortcuts/"))
    Merchant.objects.filter(pk=demo_shop.pk).update(clock_ahead=winter + 180 * DAY)
    assert "Times are shown in BST (Europe/London)" in words(signed_in.get("/help/shortcuts/"))


@pytest.mark.parametrize("count", [1, 3, 100])
def test_the_number_of_queries_does_not_grow(
    signed_in, demo_shop, count, django_assert_max_num_queries
):
    for _ in range(count):
        unshipped_order(demo_shop)
    with django_assert_max_num_queries(10):
        signed_in.get(PAGE)
