"""Jobs that look after jobs."""

from __future__ import annotations

from collections.abc import Iterator

from core import clock, jobs
from core.jobs import Done, Planned, job
from core.models import JobRun


def _planned_resumptions() -> Iterator[Planned]:
    for lost in JobRun.objects.filter(finished_at=None, lease_until__lte=clock.now()):
        yield Planned(lost.job, "run again what its process did not end")


@job("resume-jobs", plan=_planned_resumptions)
def resume_jobs() -> Done:
    """Start jobs again whose processes were killed or hang (FT-04 to FT-06)."""
    return Done({"jobs resumed": jobs.resume_lost()})
