"""The operator console: what stands still is seen, each button acts once and says why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import SECOND_STEP
from accounts.models import User
from audit.models import OperatorEntry
from core import clock
from notifications.models import Outbox
from operators.domain import alerts
from operators.models import Alert
from orders.domain import invariants, shipments
from orders.domain.packages import Package
from orders.models import InvariantCheck, Order
from payments.models import Operation
from tests.accounts.authenticator import turn_on
from tests.factories import STAFF, UserFactory, job_run, shipped_order, unshipped_order
from tests.outsiders import OPERATOR, at
from tests.pages import words

WORK, INTEGRITY = "/operator/work/", "/operator/integrity/"
WHY = {"note": "The mail server was mended"}


@pytest.fixture
def operator(db) -> User:
    user = UserFactory(email="olive@platform.example", name="Olive Operator", is_operator=True)
    turn_on(user)
    return user


@pytest.fixture
def console(client, operator):
    client.force_login(operator)
    session = client.session
    session[SECOND_STEP] = True
    session.save()
    return client


@pytest.fixture
def failed(shop) -> Outbox:
    """A mail that could not be delivered."""
    order = shipped_order(shop)
    mail = Outbox.objects.get(order=order, kind="N05")
    mail.state, mail.attempts, mail.last_error = Outbox.State.FAILED, 8, "550"
    mail.save()
    return mail


@pytest.mark.req("PLATFORM-04", "INV-18", "TH-52", "NAV-03")
@pytest.mark.parametrize("address", sorted(OPERATOR))
def test_nobody_else_comes_in(client, alice, failed, address):
    ask = getattr(client, OPERATOR[address])
    stranger = ask(at(address))
    assert stranger.status_code == 302
    assert stranger["Location"].startswith("/login/")
    client.force_login(alice)
    assert ask(at(address), WHY).status_code == 403
    failed.refresh_from_db()
    assert (failed.state, OperatorEntry.objects.count()) == ("failed", 0)


@pytest.mark.req("TECH-11")
def test_what_is_amiss_is_shown_with_its_beginning_and_where_to_read(console):
    assert "None: nothing is amiss." in words(console.get(WORK))
    seen = clock.now() - timedelta(minutes=20)
    Alert.objects.create(
        condition="outbox-late", facts={"minutes": 17}, seen_at=seen, told_at=clock.now()
    )
    Alert.objects.create(condition="redis-down", facts={"answers": 0}, seen_at=seen)  # not yet told
    over = Alert.objects.create(condition="disk-low", seen_at=seen, told_at=seen)
    over.ended_at = clock.now()
    over.save()
    told = words(console.get(WORK))
    [heading] = [alert.words for alert in alerts.shown()]
    assert heading in told
    for expected in ("outbox-late", "17 minutes", "docs/runbook.md#outbox-late", f"{seen:%H:%M}"):
        assert expected in told, expected
    assert "redis-down" not in told
    assert "disk-low" not in told
    assert "None: nothing is amiss." not in told


@pytest.mark.req("IMPL-20", "TECH-04")
def test_each_job_says_when_it_last_worked(console):
    at_ = clock.now() - timedelta(minutes=2)
    job_run("auto-cancel", started_at=at_, counts={"orders cancelled": 3})
    job_run("expiry", started_at=at_ - timedelta(days=3), error="LookupError")
    told = words(console.get(WORK))
    for expected in ("3 orders cancelled", "LookupError", "confirmation-warnings", "never"):
        assert expected in told, expected
    assert "no-store" in console.get(WORK)["Cache-Control"]


@pytest.mark.req("PLATFORM-03", "IMPL-20")
def test_a_job_is_asked_for_with_a_note(console, operator):
    answer = console.post("/operator/work/jobs/expiry/run/", WHY, follow=True)
    assert "Job asked for" in words(answer)
    entry = OperatorEntry.objects.get()
    assert (entry.user, entry.operator, entry.act, entry.subject, entry.note) == (
        operator, "Olive Operator", "job.run", "expiry", WHY["note"],
    )  # fmt: skip
    assert WHY["note"] in words(console.get(WORK))


@pytest.mark.req("PLATFORM-03", "IMPL-25")
@pytest.mark.parametrize("note", ["", "   ", "x" * 501])
def test_without_a_note_nothing_happens(console, failed, note):
    addresses = [
        "/operator/work/jobs/expiry/run/",
        f"/operator/work/messages/{failed.pk}/send-again/",
        f"/operator/work/messages/{failed.pk}/give-up/",
        "/operator/integrity/check/",
    ]
    for address in addresses:
        told = words(console.post(address, {"note": note}, follow=True))
        assert "Say why" in told or "500 characters" in told, address
    failed.refresh_from_db()
    assert (failed.state, OperatorEntry.objects.count()) == ("failed", 0)


@pytest.mark.req("NOTIF-11", "IMPL-34", "PLATFORM-03")
def test_a_failed_mail_is_seen_and_sent_again(console, failed, mailoutbox):
    assert "N05" in words(console.get(WORK))
    answer = console.post(f"/operator/work/messages/{failed.pk}/send-again/", WHY, follow=True)
    assert "The message is sent again" in words(answer)
    failed.refresh_from_db()
    assert (failed.state, failed.attempts, failed.last_error) == ("queued", 0, "")
    failed.state = Outbox.State.SENT
    failed.save()
    told = words(console.post(f"/operator/work/messages/{failed.pk}/send-again/", WHY, follow=True))
    assert "This message has left" in told


@pytest.mark.req("IMPL-34", "PLATFORM-03")
def test_a_mail_is_given_up_for_good(console, failed):
    console.post(f"/operator/work/messages/{failed.pk}/give-up/", WHY)
    failed.refresh_from_db()
    assert failed.state == "dropped"
    assert OperatorEntry.objects.get().act == "message.give_up"


@pytest.mark.req("IMPL-34", "INV-09")
def test_a_mail_that_leaves_just_now_is_left_alone(console, failed):
    failed.state, failed.lease_until = "queued", clock.now() + timedelta(minutes=1)
    failed.save()
    console.post(f"/operator/work/messages/{failed.pk}/give-up/", WHY)
    failed.refresh_from_db()
    assert (failed.state, OperatorEntry.objects.count()) == ("queued", 0)


@pytest.mark.req("IMPL-16", "PLATFORM-03", "FT-35")
def test_the_gateway_is_asked_about_an_open_operation(console, shop):
    order = unshipped_order(shop, payment_token="answer-lost")
    package = Package(order.marketplace.local_date(clock.now()), "Royal Mail")
    wanted = shipments.Confirmation(order.pk, package)
    (refusal,) = shipments.confirm_shipments(wanted=[wanted], by=STAFF)
    assert refusal.code == "CONFIRMATION_IN_PROGRESS"
    operation = Operation.objects.get(order=order, purpose="capture")
    assert order.number in words(console.get(WORK))
    address = f"/operator/work/operations/{operation.pk}/ask/"
    assert "The gateway was asked: done" in words(console.post(address, WHY, follow=True))
    assert Order.objects.get(pk=order.pk).status == "shipped"
    assert "has its outcome already" in words(console.post(address, WHY, follow=True))
    assert Operation.objects.filter(order=order, purpose="capture").count() == 1


@pytest.mark.req("IMPL-20", "INV-01")
def test_the_last_proof_is_shown_with_its_sums(console, shop):
    assert "Nothing has been checked yet" in words(console.get(INTEGRITY))
    shipped_order(shop)
    check = invariants.check()
    InvariantCheck.objects.update(violations={})  # the factories' stock has no journal
    told = words(console.get(INTEGRITY))
    assert f"{check.checks} checks found nothing wrong" in told
    assert shop.slug in told
    InvariantCheck.objects.update(violations={"INV-05 charged": [[1, 2, "cancelled and charged"]]})
    told = words(console.get(INTEGRITY))
    assert "Something is false that must never be" in told
    assert "cancelled and charged" in told


@pytest.mark.req("IMPL-20")
def test_the_console_asks_as_much_for_many_rows_as_for_one(console, shop, failed):
    console.get(WORK)
    with CaptureQueriesContext(connection) as one:
        console.get(WORK)
    for _ in range(3):
        mail = Outbox.objects.get(order=shipped_order(shop), kind="N05")
        Outbox.objects.filter(pk=mail.pk).update(state="failed")
    with CaptureQueriesContext(connection) as four:
        console.get(WORK)
    assert len(one) == len(four) <= 18
