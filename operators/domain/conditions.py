"""What operators must be told of, each judged from the tables (reliability section 5).

A judge returns the figures that make its condition true, none when all is well. The condition's
name is a heading of docs/runbook.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min

from core import counts, health, metrics, restoring
from core.models import JobRun
from notifications.domain import dispatch
from orders.domain import invariants
from payments.models import Operation
from reports.models import Report

Facts = Mapping[str, float]
Judge = Callable[[datetime], Facts]

MINUTE = timedelta(minutes=1)
SILENCE = timedelta(seconds=settings.ALERT_SILENCE_SECONDS)
OUTBOX_AGE, INTENT_AGE = 15 * MINUTE, 10 * MINUTE
REDIS_PATIENCE = 5 * MINUTE
REPORT_AGE = 15 * MINUTE
CHECK_AGE = timedelta(hours=26)
WINDOW = 5 * MINUTE  # of what is counted
SIGN_IN_FAILURES, SIGNATURES = 100, 50  # in a window
FAULTS, LEAST_FAULTS = 0.01, 5  # of the requests of a window; one in a quiet hour is no alert
CONNECTIONS = 0.8  # of those that the database allows
TICK = "resume-jobs"  # nobody but beat asks for this one


@dataclass(frozen=True, slots=True)
class Condition:
    """patience: how long it must have been so before anybody is told; words: what is amiss."""

    name: str
    words: str
    judge: Judge
    patience: timedelta = timedelta(0)


CONDITIONS: dict[str, Condition] = {}
WELL: Facts = {}


def condition(
    name: str, words: str, patience: timedelta = timedelta(0)
) -> Callable[[Judge], Judge]:
    """Declare a function as the judge of a condition."""

    def declare(judge: Judge) -> Judge:
        CONDITIONS[name] = Condition(name, words, judge, patience)
        return judge

    return declare


@condition("beat-silent", "The timetable has not ticked")
def _beat(at: datetime) -> Facts:
    """Found by a run that another asked for: by hand, or the web process (``operators.watch``)."""
    last = JobRun.objects.filter(job=TICK).aggregate(last=Max("started_at"))["last"]
    last = last or JobRun.objects.aggregate(first=Min("started_at"))["first"]
    return _older(last, at, SILENCE)


@condition("outbox-late", "Messages that should have left are waiting")
def _outbox(at: datetime) -> Facts:
    late = dispatch.ready(at - OUTBOX_AGE).count()
    return {"messages": late} if late else WELL


@condition("reports-late", "Reports that were asked for are not being made")
def _reports(at: datetime) -> Facts:
    late = Report.objects.late(at=at - REPORT_AGE).count()
    return {"reports": late} if late else WELL


@condition("intent-open", "Operations at the gateway have no outcome")
def _intents(at: datetime) -> Facts:
    rows = Operation.objects.filter(state=Operation.State.INTENDED, created_at__lte=at - INTENT_AGE)
    first = rows.aggregate(first=Min("created_at"))["first"]
    return {**_older(first, at, INTENT_AGE), "operations": rows.count()} if first else WELL


@condition("guard-violated", "The database refused what the code had let through")
def _guards(at: datetime) -> Facts:
    return _counted(at, counts.VIOLATIONS, more_than=0)


@condition("gateway-contradicts", "The gateway contradicts what is final")
def _contradictions(at: datetime) -> Facts:
    return _counted(at, counts.CONTRADICTIONS, more_than=0)


@condition("invariant-violated", "An invariant does not hold")
def _invariants(at: datetime) -> Facts:
    last = invariants.last_check()
    return {"invariants": len(last.violations)} if last and not last.holds else WELL


@condition("invariant-check-old", "The invariants have not been looked at")
def _invariant_check(at: datetime) -> Facts:
    last = invariants.last_check()
    if last is not None:
        return _older(last.started_at, at, CHECK_AGE)
    return _older(JobRun.objects.aggregate(first=Min("started_at"))["first"], at, CHECK_AGE)


@condition("auto-cancel-failed", "Cancelling at the deadline failed twice in a row")
def _auto_cancel(at: datetime) -> Facts:
    return _failed_twice("auto-cancel")


@condition("warnings-failed", "Warning before the deadline failed twice in a row")
def _warnings(at: datetime) -> Facts:
    return _failed_twice("confirmation-warnings")


@condition("requests-failed", "More than one request in a hundred ends in a fault")
def _requests(at: datetime) -> Facts:
    requests = counts.since(at - WINDOW, counts.REQUESTS)
    faults = counts.since(at - WINDOW, counts.FAULTS)
    many = faults >= LEAST_FAULTS and faults > requests * FAULTS
    return {"requests": requests, "faults": faults} if many else WELL


@condition("sign-ins-failed", "Many tries to sign in fail")
def _sign_ins(at: datetime) -> Facts:
    return _counted(at, counts.SIGN_IN_FAILURES, more_than=SIGN_IN_FAILURES)


@condition("signatures-refused", "Many reports of the gateway are signed wrongly")
def _signatures(at: datetime) -> Facts:
    return _counted(at, counts.SIGNATURES_REFUSED, more_than=SIGNATURES)


@condition("disk-low", "The disk of the files is nearly full")
def _disk(at: datetime) -> Facts:
    free = health.free_disk()
    return {"percent free": round(free * 100, 1)} if free < health.LOW else WELL


@condition("database-full", "The disk of the database is full")
def _database(at: datetime) -> Facts:
    return _counted(at, counts.DATABASE_FULL, more_than=0)


@condition("redis-down", "Redis does not answer", REDIS_PATIENCE)
def _redis(at: datetime) -> Facts:
    return WELL if health.PARTS["redis"]() == "ok" else {"answers": 0}


@condition("connections-scarce", "The database has few connections left")
def _connections(at: datetime) -> Facts:
    used, most = metrics.connections()
    return {"used": used, "most": most} if used > most * CONNECTIONS else WELL


@condition("restored", "The database was restored, and nobody has compared it yet")
def _restored(at: datetime) -> Facts:
    since = restoring.since()
    return {"minutes": round((at - since) / MINUTE)} if since else WELL


def _older(then: datetime | None, at: datetime, age: timedelta) -> Facts:
    if then is None or at - then <= age:
        return WELL
    return {"minutes": round((at - then) / MINUTE)}


def _counted(at: datetime, event: str, *, more_than: int) -> Facts:
    number = counts.since(at - WINDOW, event)
    return {"in 5 minutes": number} if number > more_than else WELL


def _failed_twice(job: str) -> Facts:
    """Judge the last two runs that ended; one that goes on has not failed yet."""
    ended = JobRun.objects.filter(job=job, finished_at__isnull=False).order_by("-started_at")
    errors = list(ended.values_list("error", flat=True)[:2])
    return {"runs": 2} if len(errors) == 2 and all(errors) else WELL
