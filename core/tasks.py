"""Jobs that look after jobs."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from core import jobs
from core.jobs import JOBS, Done, Planned, job, nudge

log = logging.getLogger(__name__)


def _planned_resumptions() -> Iterator[Planned]:
    for run in jobs.lost():
        yield Planned(run.job, "do again what its process did not end")


@job("resume-jobs", plan=_planned_resumptions)
def resume_jobs() -> Done:
    """Ask for jobs to be done again whose processes were killed or hang (FT-04 to FT-06)."""
    lost = [run.job for run in jobs.lost() if run.job in JOBS]
    for name in lost:
        log.warning("job.lost", extra={"code": name})
        nudge(JOBS[name].task)
    return Done({"jobs resumed": len(lost)})
