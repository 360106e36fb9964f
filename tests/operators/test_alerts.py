"""Operators are told what is amiss: once, until it has ended, by mail, webhook and log."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import User
from core import clock, counts, health, jobs, metrics, restoring
from core.logs import JsonLines
from core.models import JobRun
from notifications.models import Outbox
from operators import watch
from operators.domain import alerts, webhook
from operators.domain.conditions import CONDITIONS
from operators.models import Alert
from orders.models import InvariantCheck
from reports.models import Report
from tests.factories import UserFactory, failed_report, job_run, shipped_order, unshipped_order
from tests.letters import letters
from tests.orders.test_settling import try_to_confirm
from tests.sinks.webhook import Sink, listening

pytestmark = pytest.mark.req("TECH-11")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def operator(db) -> User:
    return UserFactory(email="olive@platform.example", name="Olive Operator", is_operator=True)


@pytest.fixture(autouse=True)
def _all_is_well(db, monkeypatch) -> None:
    """A timetable that ticks, a proof of today, room on the disk of whoever runs the tests."""
    job_run("resume-jobs")
    at = clock.now()
    InvariantCheck.objects.create(started_at=at, finished_at=at, checks=1)
    monkeypatch.setattr(health, "free_disk", lambda: 0.5)
    monkeypatch.setattr(metrics, "connections", lambda: (5, 100))


def look(after: timedelta = timedelta(0)) -> list[str]:
    """Run the job; return the conditions that operators are told of now."""
    with clock.stopped(clock.now() + after):
        jobs.run("alerts")
    return sorted(alert.condition for alert in alerts.open_alerts())


def last_run_was(job: str, ago: timedelta, error: str = "") -> None:
    JobRun.objects.filter(job=job).delete()
    for back in (ago, ago + MINUTE):
        job_run(job, started_at=clock.now() - back, finished_at=clock.now() - back, error=error)


def wait_in_the_outbox(shop) -> None:
    shipped_order(shop)
    mails = Outbox.objects.exclude(channel=Outbox.Channel.NOTIFICATION)
    mails.update(available_at=clock.now() - 16 * MINUTE)


def leave_a_report_unmade(shop) -> None:
    report = failed_report(shop)
    Report.objects.filter(pk=report.pk).update(
        state="submitted", failure="", reference="", requested_at=clock.now() - 16 * MINUTE
    )


def violate_an_invariant(shop) -> None:
    InvariantCheck.objects.update(violations={"INV-03": [[shop.pk, None, "total"]]})


def counted(event: str, number: int, of_requests: int = 0) -> None:
    counts.add(event, number)
    if of_requests:
        counts.add(counts.REQUESTS, of_requests)
    counts.flush()


AMISS = {
    "beat-silent": lambda shop, _: last_run_was("resume-jobs", 6 * MINUTE),
    "outbox-late": lambda shop, _: wait_in_the_outbox(shop),
    "reports-late": lambda shop, _: leave_a_report_unmade(shop),
    "guard-violated": lambda shop, _: counted(counts.VIOLATIONS, 1),
    "gateway-contradicts": lambda shop, _: counted(counts.CONTRADICTIONS, 1),
    "invariant-violated": lambda shop, _: violate_an_invariant(shop),
    "auto-cancel-failed": lambda shop, _: last_run_was("auto-cancel", MINUTE, "KeyError"),
    "warnings-failed": lambda shop, _: last_run_was("confirmation-warnings", MINUTE, "lost"),
    "requests-failed": lambda shop, _: counted(counts.FAULTS, 5, of_requests=499),
    "sign-ins-failed": lambda shop, _: counted(counts.SIGN_IN_FAILURES, 101),
    "signatures-refused": lambda shop, _: counted(counts.SIGNATURES_REFUSED, 51),
    "database-full": lambda shop, _: counted(counts.DATABASE_FULL, 1),
    "disk-low": lambda shop, patch: patch.setattr(health, "free_disk", lambda: 0.09),
    "restored": lambda shop, _: restoring.mark(),
    "connections-scarce": lambda shop, patch: patch.setattr(metrics, "connections", lambda: (81, 100)),
}  # fmt: skip
NOT_QUITE = {
    "beat": lambda shop: last_run_was("resume-jobs", 4 * MINUTE),
    "requests": lambda shop: counted(counts.FAULTS, 5, of_requests=500),
    "a fault in a quiet hour": lambda shop: counted(counts.FAULTS, 1, of_requests=1),
    "four faults of six": lambda shop: counted(counts.FAULTS, 4, of_requests=6),
    "sign-ins": lambda shop: counted(counts.SIGN_IN_FAILURES, 100),
    "one failure": lambda shop: job_run("auto-cancel", error="KeyError"),
}


@pytest.mark.parametrize("name", AMISS)
def test_what_is_amiss_is_told(shop, operator, monkeypatch, name):
    assert look() == []
    AMISS[name](shop, monkeypatch)
    assert look() == [name]


@pytest.mark.parametrize("name", NOT_QUITE)
def test_what_stays_within_its_bounds_is_not(shop, operator, name):
    NOT_QUITE[name](shop)
    assert look() == []


@pytest.mark.req("FT-35", "IMPL-16")
def test_an_operation_without_an_outcome_is_told_after_ten_minutes(shop, operator):
    try_to_confirm(unshipped_order(shop, payment_token="answer-lost"))
    assert "intent-open" not in look(9 * MINUTE)
    assert "intent-open" in look(11 * MINUTE)


def test_a_proof_of_the_day_before_is_told(operator):
    InvariantCheck.objects.update(started_at=clock.now() - timedelta(hours=27))
    assert look() == ["invariant-check-old"]


@pytest.mark.req("FT-10")
def test_redis_may_be_away_for_five_minutes(operator, monkeypatch):
    monkeypatch.setitem(health.PARTS, "redis", lambda: "degraded")
    assert "redis-down" not in look()
    assert "redis-down" not in look(4 * MINUTE)
    assert "redis-down" in look(6 * MINUTE)


def test_redis_back_in_time_is_told_to_nobody(operator, monkeypatch):
    monkeypatch.setitem(health.PARTS, "redis", lambda: "degraded")
    look()
    monkeypatch.setitem(health.PARTS, "redis", lambda: "ok")
    look(4 * MINUTE)
    assert not Alert.objects.exists()


@pytest.mark.req("INV-09")
def test_it_is_told_once_until_it_has_ended(
    shop, operator, caplog, django_capture_on_commit_callbacks
):
    violate_an_invariant(shop)
    with (
        caplog.at_level(logging.INFO, logger="operators"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        for _time in range(3):
            look()
        InvariantCheck.objects.update(violations={})
        for _time in range(2):
            look()
        violate_an_invariant(shop)
        look()
    subjects = [letter.subject.split(" (")[0] for letter in letters("Alert")]
    assert subjects == [
        "Alert: An invariant does not hold",
        "Ended: An invariant does not hold",
        "Alert: An invariant does not hold",
    ]
    assert {letter.to for letter in letters("Alert")} == {("olive@platform.example",)}
    assert "docs/runbook.md#invariant-violated" in letters("Alert")[0].body
    lines = [json.loads(JsonLines().format(r)) for r in caplog.records if "alert." in r.message]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("alert.began", "ERROR"), ("alert.ended", "INFO"), ("alert.began", "ERROR"),
    ]  # fmt: skip
    assert {line["alert"] for line in lines} == {"docs/runbook.md#invariant-violated"}


@pytest.mark.req("NOTIF-01")
def test_the_mail_leaves_by_the_outbox(shop, operator, mailoutbox):
    violate_an_invariant(shop)
    look()
    jobs.run("send-outbox")
    (mail,) = mailoutbox
    assert mail.to == ["olive@platform.example"]
    assert "invariants: 1" in mail.body


def test_a_dry_run_tells_nobody(shop, operator, capsys):
    violate_an_invariant(shop)
    call_command("run_job", "alerts", "--dry-run")
    assert (
        "invariant-violated: An invariant does not hold (invariants: 1)" in capsys.readouterr().out
    )
    assert not Alert.objects.exists()


def test_every_condition_has_its_heading_in_the_runbook():
    text = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(CONDITIONS)


# Webhook --------------------------------------------------------------------------------------


@pytest.fixture
def sink(settings) -> Iterator[Sink]:
    with listening() as server:
        settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/alerts/?team=1"
        yield server


def test_the_webhook_is_told_what_began_and_what_ended(shop, sink):
    violate_an_invariant(shop)
    look()
    look()
    InvariantCheck.objects.update(violations={})
    look()
    look()
    (path, began), (_path, ended) = sink.taken
    assert path == "/alerts/?team=1"
    assert began.pop("at") < ended.pop("at")
    pk = Alert.objects.get().pk
    common = {
        "alert": "invariant-violated",
        "text": "An invariant does not hold",
        "facts": {"invariants": 1},
        "runbook": "docs/runbook.md#invariant-violated",
        "site": "http://localhost:8000",
    }
    assert began == {**common, "id": f"{pk}-began", "state": "began"}
    assert ended == {**common, "id": f"{pk}-ended", "state": "ended"}


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_was_not_taken_comes_again_and_no_redirect_is_followed(shop, sink, status):
    violate_an_invariant(shop)
    sink.status = status
    look()
    sink.status = 200
    look()
    look()
    assert [path for path, _told in sink.taken] == ["/alerts/?team=1"] * 2
    assert len({told["id"] for _path, told in sink.taken}) == 1


def test_a_webhook_that_is_away_keeps_no_mail_back(shop, operator, settings):
    settings.ALERT_WEBHOOK_URL = "http://127.0.0.1:1/"
    violate_an_invariant(shop)
    assert look() == ["invariant-violated"]
    assert len(letters("Alert")) == 1


@pytest.mark.req("FT-34")
def test_an_answer_that_drips_is_cut_off(sink, monkeypatch):
    monkeypatch.setattr(webhook, "ALL_SECONDS", 0.5)
    sink.drips = True
    started = time.monotonic()
    with pytest.raises(webhook.NotTaken):
        webhook.post({"alert": "slow"})
    assert time.monotonic() - started < 3


# Silence --------------------------------------------------------------------------------------


@pytest.mark.req("FT-26", "FT-10")
def test_a_web_process_looks_when_nobody_else_does(shop, operator, mailoutbox):
    """Beat, broker and workers are away: it is told all the same, by mail, too."""
    last_run_was("resume-jobs", 6 * MINUTE)
    last_run_was("alerts", 6 * MINUTE)
    assert watch.look() == ["alerts", "send-outbox"]
    assert [alert.condition for alert in alerts.open_alerts()] == ["beat-silent"]
    assert [mail.subject.split(" (")[0] for mail in mailoutbox] == [
        "Alert: The timetable has not ticked"
    ]
    assert watch.look() == []  # it has just been done


def test_a_web_process_leaves_alone_what_others_do(operator):
    job_run("alerts")
    counts.add(counts.REQUESTS)
    assert watch.look() == []
    assert counts.since(clock.now() - MINUTE, counts.REQUESTS) == 1


# What is counted ------------------------------------------------------------------------------


@pytest.mark.req("TH-20")
def test_pages_and_failed_tries_are_counted(client, alice):
    client.get("/health/live/")
    client.post("/login/", {"login": alice.email, "password": "not hers at all"})
    counts.flush()
    counts.flush()
    long_ago = clock.now() - MINUTE
    assert counts.since(long_ago, counts.REQUESTS) == 1
    assert counts.since(long_ago, counts.FAULTS) == 0
    assert counts.since(long_ago, counts.SIGN_IN_FAILURES) == 1
