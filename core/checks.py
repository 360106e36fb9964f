"""Checks on the project as a whole; they run at every start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from core import roles
from core.jobs import JOBS


@register
def timetable_is_complete(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E101: a job that is never due. E102: an entry of the timetable that is no job."""
    timetable = {name: entry["task"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    jobs = {job.name: job.task for job in JOBS.values()}
    hint = "Jobs are declared in tasks.py, their times in CELERY_BEAT_SCHEDULE, under one name."
    return [
        *(
            Error(f"Job {name} is never due.", hint=hint, id="core.E101")
            for name in jobs.keys() - timetable.keys()
        ),
        *(
            Error(f"There is no job {name} ({task}).", hint=hint, id="core.E102")
            for name, task in timetable.items()
            if jobs.get(name) != task
        ),
    ]


@register
def fail_points_are_for_tests(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E103: processes would fail on purpose where the settings are no tests' (TH-64)."""
    if not settings.FAIL_POINTS_FILE or settings.CLOCK_MAY_STOP:
        return []
    hint = "Only settings of tests, which let the clock be stopped, name a FAIL_POINTS_FILE."
    return [Error("Fail points are open.", hint=hint, id="core.E103")]


@register(Tags.database, deploy=True)
def the_application_owns_nothing(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """E104: the role of DATABASE_URL could alter history (INV-10, SD-13).

    Asks the database, so it is one of those that ``--database default`` asks for.
    """
    if not databases:
        return []
    hint = "Name a role of its own in DATABASE_URL, the owner in DATABASE_OWNER_URL, then migrate."
    return [
        Error(f"The application's role of the database {fault}.", hint=hint, id="core.E104")
        for fault in roles.faults()
    ]
