"""Whatever dies while a report is made: one whole file, or a failure that says why (REPORT-19)."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as project
from django.db import DataError, connection

from accounts.domain import calendar
from core import clock, jobs, stored_files
from core.jobs import JOBS
from core.stored_files import Writer
from reports.domain import building, making, requests, scheduling
from reports.enums import Period, ReportKind
from reports.models import Release, Report
from tests.factories import STAFF, MerchantFactory, marketplace, unshipped_order
from tests.reports.files import content, make, read, schedule

POINTS = ("report.claimed", "report.half_written", "report.written", "report.recorded")


def ask(shop, days: int = 3) -> Report:
    return requests.request_report(merchant=shop, kind=ReportKind.ORDERS, days=days, by=STAFF)


def kill(tmp_path: Path, point: str) -> None:
    """Run the job in a process that is killed on the way."""
    told = tmp_path / "points.json"
    told.write_text(json.dumps({point: {"act": "kill", "nth": 1}}))
    database = project.DATABASES["default"] | connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    program = (
        "import django; from django.conf import settings; django.setup();"
        f"settings.FAIL_POINTS_FILE = {str(told)!r}; settings.MEDIA_ROOT = {str(tmp_path)!r};"
        "from core import jobs; jobs.run('reports')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=project.BASE_DIR,
        env=dict(os.environ, DATABASE_URL=url),
        check=False,
        timeout=120,
    )
    assert done.returncode == -9


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.req("REPORT-19", "INV-11", "INV-14", "INV-15")
def test_a_maker_killed_anywhere_leaves_one_whole_file(tmp_path, store, point, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    marketplace()
    shop = MerchantFactory()
    schedule(shop, Period.MINUTES_15)
    orders = [unshipped_order(shop) for _number in range(3)]
    with clock.stopped(clock.now() + timedelta(minutes=16)):
        report = scheduling.run_next()

    kill(tmp_path, point)

    report.refresh_from_db()
    done = point == "report.recorded"
    assert report.state == ("ready" if done else "in_progress")
    jobs.run("reports")  # at once: the lock went with the process
    report.refresh_from_db()
    assert (report.state, report.attempts) == ("ready", 1 if done else 2)
    assert [row["order-id"] for row in read(report)] == [order.number for order in orders]
    assert Release.objects.filter(report=report).count() == 3
    whole = [path for path in store.iterdir() if path.suffix != ".part"]
    assert len(whole) == (2 if point == "report.written" else 1)
    half = [path.name for path in store.iterdir() if path.suffix == ".part"]
    assert len(half) == (point == "report.half_written")
    for path in store.iterdir():
        os.utime(path, (0, 0))
    jobs.run("report-expiry")  # what a crash left is removed, the report's file is not
    assert [f"reports/{path.name}" for path in store.iterdir()] == [report.name]


@pytest.mark.req("REPORT-19", "INV-11", "IMPL-34")
def test_after_three_tries_it_has_failed_with_cause_and_reference(shop, monkeypatch, store):
    order = unshipped_order(shop)
    report = ask(shop)

    def no_room(_writer: Writer, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", no_room)
        for tries in (1, 2):
            jobs.run("reports")
            report.refresh_from_db()
            assert (report.state, report.attempts) == ("submitted", tries)
        assert jobs.run("reports") == {"reports failed": 1}
    report.refresh_from_db()
    assert (report.state, report.failure, report.attempts) == ("failed", "no_room", 3)
    assert len(report.reference) == 8
    assert list(store.iterdir()) == []
    assert jobs.run("reports") == {}

    requests.request_again(report=report, by=STAFF)
    jobs.run("reports")
    report.refresh_from_db()
    assert (report.state, report.failure, report.reference) == ("ready", "", "")
    assert [row["order-id"] for row in read(report)] == [order.number]


@pytest.mark.req("REPORT-19")
def test_one_that_fails_holds_up_no_other(shop, monkeypatch):
    unshipped_order(shop)
    bad, good = ask(shop, 1), ask(shop, 3)
    build = building.build

    def fail_one(report: Report) -> building.Made:
        if report.pk == bad.pk:
            raise DataError("bad")
        return build(report)

    monkeypatch.setattr(building, "build", fail_one)
    jobs.run("reports")
    jobs.run("reports")
    states = dict(Report.objects.values_list("pk", "state"))
    assert states == {bad.pk: "submitted", good.pk: "ready"}
    jobs.run("reports"), jobs.run("reports")
    bad.refresh_from_db()
    assert (bad.state, bad.failure) == ("failed", "internal")


@pytest.mark.req("REPORT-19", "INV-11")
def test_three_makers_that_died_are_enough(shop):
    unshipped_order(shop)
    report = ask(shop)
    at = calendar.now_for(shop)
    Report.objects.filter(pk=report.pk).update(
        state="in_progress", attempts=3, lease_until=at, started_at=at
    )
    jobs.run("reports")
    report.refresh_from_db()
    assert (report.state, report.failure) == ("failed", "died")


@pytest.mark.req("REPORT-19", "INV-11")
def test_who_was_taken_for_dead_ends_nothing_any_more(shop, monkeypatch, store):
    """A maker that hung comes back when another one has made the report."""
    unshipped_order(shop)
    report = ask(shop)
    build = building.build

    def overtaken(late: Report) -> building.Made:
        monkeypatch.setattr(building, "build", build)
        made = build(late)
        Report.objects.filter(pk=late.pk).update(lease_until=clock.now())
        jobs.JobRun.objects.update(finished_at=clock.now())
        making.make_next()
        return made

    monkeypatch.setattr(building, "build", overtaken)
    making.make_next()
    report.refresh_from_db()
    assert (report.state, report.attempts, report.rows) == ("ready", 2, 1)
    assert [f"reports/{path.name}" for path in store.iterdir()] == [report.name]


@pytest.mark.req("REPORT-20", "IMPL-21")
def test_files_go_after_ninety_days_by_their_merchants_clock_and_the_row_stays(shop, store):
    unshipped_order(shop)
    report = make(shop)
    assert report.expires_at - report.finished_at == timedelta(days=90)
    assert list(JOBS["report-expiry"].plan()) == []
    with clock.stopped(clock.now() + timedelta(days=89, hours=23)):
        assert jobs.run("report-expiry") == {"files removed": 0, "orphans removed": 0}
    shop.is_sandbox, shop.clock_ahead = True, timedelta(days=91)
    shop.save()
    (planned,) = JOBS["report-expiry"].plan()
    assert (planned.subject, planned.act) == ("1 reports", "remove the file")
    assert jobs.run("report-expiry") == {"files removed": 1, "orphans removed": 0}
    report.refresh_from_db()
    assert (report.state, report.name, report.rows, report.kept) == ("expired", "", 1, None)
    assert list(store.iterdir()) == []


@pytest.mark.req("INV-14")
def test_the_row_names_what_is_on_the_disk(shop):
    unshipped_order(shop)
    report = make(shop)
    assert stored_files.is_whole(report.kept)
    assert report.size == len(content(report))
