"""Jobs of the timetable, and nudging workers between its ticks.

The work itself is rows; a job says "look for work". It may run twice, late, or not for three days:
a lost nudge costs one tick.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from celery import current_app, shared_task
from django.conf import settings
from django.db import models, transaction
from kombu.exceptions import OperationalError

from core import breaker, clock
from core.limits import long_statements
from core.models import JobRun

log = logging.getLogger(__name__)

STATEMENT_SECONDS = 60  # longest statement of a job (reliability 0.5)
# A run is dead when it has not said for so long that it lives: then it loses its place.
LEASE = timedelta(seconds=settings.JOB_LEASE_SECONDS)
LOST = "lost"
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

    once: do one batch only. Each run is remembered as a ``JobRun``; who was taken for dead
    meanwhile stops after the batch. Source: IMPL-20, TECH-04, FT-04 to FT-06.
    """
    wanted = JOBS[name]
    this = _begin(name)
    if this is None:
        log.info("job.runs_elsewhere", extra={"code": name})
        return None
    counts: Counter[str] = Counter()
    error = ""
    try:
        with long_statements(STATEMENT_SECONDS):
            while True:
                done = wanted.work()
                counts.update(done.counts)
                enough = once or not done.more or clock.now() - this.started_at > TIME_BUDGET
                if enough or not _renew(this):
                    break
    except Exception as failure:
        error = type(failure).__name__
        raise
    finally:
        _mine(this).update(counts=dict(counts), finished_at=clock.now(), error=error)
    return dict(counts)


def resume_lost() -> int:
    """End runs whose processes died or hang, and ask for them to be done again; return how many.

    The broker would hand their tasks out again only much later (reliability 0.2).
    """
    resumed = 0
    for name in JobRun.objects.filter(finished_at=None).values_list("job", flat=True):
        if _end_lapsed(name):
            log.warning("job.lost", extra={"code": name})
            resumed += 1
            if name in JOBS:
                nudge(JOBS[name].task)
    return resumed


def _begin(name: str) -> JobRun | None:
    """Note that a run begins; None while another one is alive. The database lets only one be."""
    at = clock.now()
    with transaction.atomic():
        _end_lapsed(name)
        started = JobRun(job=name, started_at=at, lease_until=at + LEASE)
        JobRun.objects.bulk_create([started], ignore_conflicts=True)
    return JobRun.objects.filter(job=name, started_at=at, finished_at=None).first()


def _end_lapsed(name: str) -> int:
    at = clock.now()
    lapsed = JobRun.objects.filter(job=name, finished_at=None, lease_until__lte=at)
    return lapsed.update(finished_at=at, error=LOST)


def _renew(this: JobRun) -> bool:
    """Keep a run alive; False when it was taken for dead and its place may be taken."""
    return bool(_mine(this).update(lease_until=clock.now() + LEASE))


def _mine(this: JobRun) -> models.QuerySet[JobRun]:
    return JobRun.objects.filter(pk=this.pk, finished_at=None)


def nudge(task: str) -> None:
    """Ask a worker to look for work once the open transaction commits.

    A broker that is away is no reason to fail: the timetable looks for the same work.
    """

    def send() -> None:
        if breaker.redis.is_open:
            return
        try:
            current_app.tasks[task].apply_async(retry=False)
        except (OperationalError, OSError):
            log.warning("nudge.lost", extra={"task": task})
            breaker.redis.trip()

    transaction.on_commit(send, robust=True)
