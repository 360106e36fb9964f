"""What an operator looks at: jobs, rows that stand still, what has no end yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from celery.schedules import BaseSchedule, maybe_schedule
from django.conf import settings
from django.db.models import Count, F, Min, Q

from core import clock
from core.jobs import JOBS
from core.models import JobRun
from notifications.models import Outbox
from payments.models import Operation, Payment

STUCK = timedelta(minutes=15)
MOST = 50  # rows of one kind on the page
State = Outbox.State


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job: its last runs, and when it is due again. seconds: how long the last one took."""

    name: str
    last_start: datetime | None
    last_success: datetime | None
    seconds: float | None
    counts: Mapping[str, int]
    error: str
    next_due: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """Messages of one way, by state. oldest: when the one that waits longest could have left."""

    channel: str
    queued: int
    failed: int
    oldest: datetime | None


def jobs() -> list[JobLine]:
    """Return every job of the timetable with what became of its last run."""
    now = clock.now()
    last = {run.job: run for run in JobRun.objects.order_by("job", "-started_at").distinct("job")}
    succeeded = {
        run.job: run.finished_at
        for run in JobRun.objects.filter(error="", finished_at__isnull=False)
        .order_by("job", "-started_at")
        .distinct("job")
    }
    lines = []
    for name in sorted(JOBS):
        run = last.get(name)
        due = _next_due(name, run.started_at) if run else None
        lines.append(
            JobLine(
                name=name,
                last_start=run.started_at if run else None,
                last_success=succeeded.get(name),
                seconds=_took(run),
                counts={k: v for k, v in run.counts.items() if v} if run else {},
                error=run.error if run else "",
                next_due=due,
                overdue=due is None or now > due + STUCK,
            )
        )
    return lines


def outbox() -> list[OutboxLine]:
    """Count the messages that have not left, by way."""
    rows = (
        Outbox.objects.filter(state__in=[State.QUEUED, State.FAILED])
        .values("channel")
        .annotate(
            queued=Count("pk", filter=Q(state=State.QUEUED)),
            failed=Count("pk", filter=Q(state=State.FAILED)),
            oldest=Min("available_at", filter=Q(state=State.QUEUED)),
        )
        .order_by("channel")
    )
    names = dict(Outbox.Channel.choices)
    return [
        OutboxLine(names[row["channel"]], row["queued"], row["failed"], row["oldest"])
        for row in rows
    ]


def stuck_messages() -> list[Outbox]:
    """Return mails that failed for good, and those that should have left long ago."""
    late = Q(state=State.QUEUED, available_at__lte=clock.now() - STUCK + F("merchant__clock_ahead"))
    rows = Outbox.objects.filter(Q(state=State.FAILED) | late)
    rows = rows.exclude(channel=Outbox.Channel.NOTIFICATION)
    return list(rows.select_related("order", "merchant").order_by("available_at")[:MOST])


def open_operations() -> list[Operation]:
    """Return the operations at the gateway whose outcome nobody knows yet."""
    rows = Operation.objects.filter(state=Operation.State.INTENDED)
    return list(rows.select_related("order", "merchant").order_by("created_at")[:MOST])


def late_checks() -> list[Payment]:
    """Return payments whose check is long overdue."""
    due = clock.now() - STUCK + F("merchant__clock_ahead")
    rows = Payment.objects.filter(next_check_at__lte=due)
    return list(rows.select_related("order", "merchant").order_by("next_check_at")[:MOST])


def _next_due(name: str, last: datetime) -> datetime:
    """Return when a job that began last at an instant is due again, by the timetable."""
    schedule = cast(BaseSchedule, maybe_schedule(settings.CELERY_BEAT_SCHEDULE[name]["schedule"]))
    return clock.now() + schedule.remaining_estimate(last)


def _took(run: JobRun | None) -> float | None:
    if run is None or run.finished_at is None:
        return None
    return (run.finished_at - run.started_at).total_seconds()
