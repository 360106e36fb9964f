"""Jobs of the timetable, and nudging workers between its ticks.

The work itself is rows; a job says "look for work". It may run twice, late, or not for three days:
a lost nudge costs one tick.
"""

from __future__ import annotations

import logging
import mmap
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from celery import current_app, shared_task
from celery.exceptions import SoftTimeLimitExceeded as OutOfTime
from celery.signals import task_postrun, task_prerun, worker_shutting_down
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Max, QuerySet
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from core import breaker, clock, counts, restoring
from core.limits import long_statements
from core.logs import following, request_id
from core.models import JobRun
from core.transactions import note_trouble

__all__ = ["OutOfTime"]  # what a job that runs too long meets; the rest is defined here

log = logging.getLogger(__name__)

STATEMENT_SECONDS = 60  # longest statement of a job (reliability 0.5)
# A run is dead when it has not said for so long that it lives: then it loses its place.
LEASE = timedelta(seconds=settings.JOB_LEASE_SECONDS)
LOST = "lost"
WAITS = "waits for an operator"  # in a database that was restored from an older copy
ACTION = "request_id"  # header of a task: the action that asked for it
TIME_BUDGET = timedelta(seconds=200)  # a run that has more to do then leaves it to the next tick


@dataclass(frozen=True, slots=True)
class Done:
    """What one batch of a job did. counts: numbers by name; more: whether there is work left."""

    counts: Mapping[str, int] = field(default_factory=dict)
    more: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing a job would do now.

    subject: the Order ID, or what else it is about. act: what would happen, in words.
    messages: kinds of the messages it would owe. refusal: why it would be left alone.
    """

    subject: str
    act: str
    messages: tuple[str, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the timetable. work: does one batch; plan: says what ``work`` would do now."""

    name: str
    task: str
    work: Callable[[], Done]
    plan: Callable[[], Iterable[Planned]]


JOBS: dict[str, Job] = {}


def job(
    name: str, *, plan: Callable[[], Iterable[Planned]]
) -> Callable[[Callable[[], Done]], Callable[[], Done]]:
    """Declare a function of an app's ``tasks.py`` as a job; its task is named ``app.function``.

    When it is due stands in the setting CELERY_BEAT_SCHEDULE, under the job's name.
    """

    def declare(work: Callable[[], Done]) -> Callable[[], Done]:
        task = f"{work.__module__.split('.')[0]}.{work.__name__}"
        JOBS[name] = Job(name, task, work, plan)

        @shared_task(name=task, ignore_result=True)
        def run_due(**_: object) -> None:
            run(name)

        return work

    return declare


def run(name: str, *, once: bool = False) -> Mapping[str, int] | None:
    """Run a job until nothing is left to do; return what was done, None if it runs elsewhere.

    once: do one batch only; so does a worker that was told to end (FT-38). Each run is remembered
    as a ``JobRun``; one that was taken for dead meanwhile stops after its batch. Source: IMPL-20,
    TECH-04, FT-04 to FT-06.
    """
    wanted = JOBS[name]
    if name not in restoring.LOOKING and restoring.since():
        log.warning("job.waits", extra={"job": name, "code": "restored"})
        return {WAITS: 1}
    with following(request_id.get()), _lock(name) as alone:
        this = _begin(name, alone=alone)
        if this is None:
            log.info("job.runs_elsewhere", extra={"code": name})
            return None
        done_so_far: Counter[str] = Counter()
        error, began = "", time.monotonic()
        token = _present.set(this)
        try:
            with long_statements(STATEMENT_SECONDS):
                while True:
                    done = wanted.work()
                    done_so_far.update(done.counts)
                    enough = once or not done.more or clock.now() - this.started_at > TIME_BUDGET
                    if enough or _ending[0] or not _renew(this):
                        break
        except Exception as failure:
            error = type(failure).__name__
            note_trouble(failure)
            raise
        finally:
            _present.reset(token)
            _told(name, done_so_far, error, time.monotonic() - began)
            _alive(this).update(counts=dict(done_so_far), finished_at=clock.now(), error=error)
            counts.flush()
        return dict(done_so_far)


def _told(name: str, done: Mapping[str, int], error: str, seconds: float) -> None:
    told = {"job": name, "facts": dict(done), "milliseconds": round(seconds * 1000)}
    log.info("job.ran", extra=told | ({"code": error} if error else {}))


def still_here() -> None:
    """Let the run this code is part of, if any, count as alive; for batches that take long."""
    this = _present.get()
    if this is not None and this.lease_until - clock.now() < LEASE * 2 / 3:
        _renew(this)


def lost() -> list[JobRun]:
    """Return the runs whose processes died or hang.

    The broker would hand their tasks out again only much later, or at once and for ever
    (reliability 0.2).
    """
    present = _present.get()
    runs = JobRun.objects.filter(finished_at=None).exclude(pk=present.pk if present else 0)
    hang = runs.filter(lease_until__lte=clock.now())
    dead = [run.pk for run in runs if not _is_locked(run.job)]
    return list(hang | runs.filter(pk__in=dead))  # read anew: one may have ended well meanwhile


_present: ContextVar[JobRun | None] = ContextVar("present_run", default=None)


def _begin(name: str, *, alone: bool) -> JobRun | None:
    """Note that a run begins; None while another one is alive: of each job one is, at most.

    alone: nobody holds the job's lock, so whatever has no end was killed. Who hangs holds it
    still, and is believed until his lease lapses.
    """
    at = clock.now()
    lost = JobRun.objects.filter(job=name, finished_at=None)
    with transaction.atomic():
        (lost if alone else lost.filter(lease_until__lte=at)).update(finished_at=at, error=LOST)
        started = JobRun(job=name, started_at=at, lease_until=at + LEASE)
        JobRun.objects.bulk_create([started], ignore_conflicts=True)
    return JobRun.objects.filter(job=name, started_at=at, finished_at=None).first()


def _renew(this: JobRun) -> bool:
    """Keep a run alive; False when it was taken for dead and its place may be taken."""
    this.lease_until = clock.now() + LEASE
    return bool(_alive(this).update(lease_until=this.lease_until))


def _alive(this: JobRun) -> models.QuerySet[JobRun]:
    return JobRun.objects.filter(pk=this.pk, finished_at=None)


# A byte that a worker shares with its children: 1 once it was told to end. They are not told, and
# would go on for as long as there is work.
_ending = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _end_soon(**_: object) -> None:
    _ending[0] = 1


# By the id of the task: an eager one runs inside the request that asked for it.
_followed: dict[str, AbstractContextManager[str]] = {}


@task_prerun.connect
def _take_up(task_id: str, task: Any, **_: object) -> None:
    """Let a task go on under the id of the action that asked for it; its failure, too."""
    _followed[task_id] = following((task.request.headers or {}).get(ACTION))
    _followed[task_id].__enter__()


@task_postrun.connect
def _lay_down(task_id: str, **_: object) -> None:
    if (taken_up := _followed.pop(task_id, None)) is not None:
        taken_up.__exit__(None, None, None)


_KEY = "hashtextextended('job ' || %s, 0)"


def old_runs(*, before: datetime) -> QuerySet[JobRun]:
    """Return the runs that began before an instant, but each job's last good one."""
    good = JobRun.objects.filter(finished_at__isnull=False, error="").values("job")
    last = good.annotate(last=Max("pk")).values("last")
    return JobRun.objects.filter(started_at__lt=before).exclude(pk__in=last)


def forget_runs(*, before: datetime) -> int:
    """Delete old runs; return how many."""
    count, _by_model = old_runs(before=before).delete()
    return count


@contextmanager
def _lock(name: str) -> Iterator[bool]:
    """Hold the job's lock, if nobody else does; it goes with the process that held it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_KEY})", [name])
        held: bool = cursor.fetchone()[0]
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({_KEY})", [name])


def _is_locked(name: str) -> bool:
    """Tell whether anybody holds the job's lock, without taking it from who is about to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted"
            f" AND (l.classid::bigint << 32) | l.objid::bigint = {_KEY})",
            [name],
        )
        locked: bool = cursor.fetchone()[0]
    return locked


def nudge(task: str, *about: int) -> None:
    """Ask a worker to look for work once the open transaction commits.

    about: keys of what the task is about, where one task is not all of its kind.

    A broker that is away is no reason to fail: the timetable looks for the same work. The task
    goes on under the id of the action that is going on here.
    """
    action = request_id.get()

    def send() -> None:
        if breaker.redis.is_open:
            return
        try:
            headers = {ACTION: action} if action else {}
            current_app.tasks[task].apply_async(args=about, retry=False, headers=headers)
        except (KombuError, RedisError, OSError):
            log.warning("nudge.lost", extra={"task": task})
            breaker.redis.trip()

    transaction.on_commit(send, robust=True)
