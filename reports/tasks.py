"""Jobs of the order reports; a task means "look for work"."""

from __future__ import annotations

from collections.abc import Iterator

from core import clock
from core.jobs import Done, Planned, job
from reports.domain import expiry, making, scheduling
from reports.enums import ReportState
from reports.models import Report


def _planned_reports() -> Iterator[Planned]:
    for report in Report.objects.open().order_by("pk").iterator():
        yield Planned(str(report), "make its file")


@job("reports", plan=_planned_reports)
def make_reports() -> Done:
    """Make the next report that was asked for (REPORT-02); what failed waits for the next tick."""
    became = making.make_next()
    if became is None:
        return Done()
    return Done({f"reports {became.label.lower()}": 1}, more=became is not ReportState.SUBMITTED)


def _planned_schedules() -> Iterator[Planned]:
    for schedule in scheduling.due(clock.now()):
        yield Planned(f"{schedule.merchant}: {schedule.get_kind_display()}", "ask for the report")


@job("scheduled-reports", plan=_planned_schedules)
def run_schedules() -> Done:
    """Ask for the reports whose time has come (REPORT-04)."""
    asked = scheduling.run_next()
    return Done({"reports asked for": 1}, more=True) if asked else Done()


@job("report-expiry", plan=expiry.plan)
def expire_reports() -> Done:
    """Remove files of reports that are old enough (REPORT-20)."""
    return expiry.expire()
