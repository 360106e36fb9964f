"""Runs of the jobs, and counts: what an operator looks at when something went wrong."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class JobRun(models.Model):
    """One run of a job of the timetable.

    counts: what was done, in numbers by name. error: of a run that failed, without personal data.
    finished_at: null while it runs. lease_until: renewed on the way; a run that lets it lapse
        hangs, and another takes its place (FT-06).
    """

    job = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_job_ends_after_it_began",
                condition=Q(finished_at=None) | Q(finished_at__gte=F("started_at")),
            ),
            models.UniqueConstraint(
                name="a_job_never_overlaps_with_itself",
                fields=["job"],
                condition=Q(finished_at=None),
            ),
        ]
        indexes = [models.Index(name="last_runs_of_a_job", fields=["job", "-started_at"])]

    def __str__(self) -> str:
        return f"{self.job} {self.started_at:%Y-%m-%d %H:%M:%S}"


class EventCount(models.Model):
    """How often something happened in one minute, over all processes (``core.counts``)."""

    event = models.CharField(max_length=40)
    minute = models.DateTimeField()
    number = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_count_a_minute", fields=["event", "minute"])
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.minute:%Y-%m-%d %H:%M}: {self.number}"


class Restore(models.Model):
    """A time in which the database, restored from an older copy, was not believed (FT-39)."""

    marked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.ExpressionWrapper(Q(ended_at=None), models.BooleanField()),
                name="one_restore_is_open",
                condition=Q(ended_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.marked_at:%Y-%m-%d %H:%M:%S}"
