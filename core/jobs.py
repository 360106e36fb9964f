"""Jobs of the timetable, and nudging workers between its ticks.

The work itself is rows; a job says "look for work". It may run twice, late, or not for three days:
a lost nudge costs one tick.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from celery import current_app, shared_task
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from core import breaker, clock
from core.limits import long_statements
from core.models import JobRun

log = logging.getLogger(__name__)

STATEMENT_SECONDS = 60  # longest statement of a job (reliability 0.5)
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

    once: do one batch only. Each run is remembered as a ``JobRun``. Source: IMPL-20, TECH-04.
    """
    wanted = JOBS[name]
    with _alone(name) as alone, long_statements(STATEMENT_SECONDS):
        if not alone:
            log.info("job.runs_elsewhere", extra={"code": name})
            return None
        this = JobRun.objects.create(job=name, started_at=clock.now())
        counts: Counter[str] = Counter()
        try:
            while True:
                done = wanted.work()
                counts.update(done.counts)
                if once or not done.more or clock.now() - this.started_at > TIME_BUDGET:
                    break
        except Exception as error:
            this.error = type(error).__name__
            raise
        finally:
            this.counts, this.finished_at = dict(counts), clock.now()
            this.save(update_fields=["counts", "finished_at", "error"])
    return dict(counts)


@contextmanager
def _alone(name: str) -> Iterator[bool]:
    """Hold the job's lock, if nobody else does. It only saves work: rows are claimed anyway."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"job {name}"])
        held: bool = cursor.fetchone()[0]
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"job {name}"]
                )


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
