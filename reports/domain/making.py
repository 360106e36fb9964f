"""Making the reports that were asked for: one after another, whatever dies on the way.

A report is claimed by a row that says so and by a lock of the session, which goes with the process
that held it; so a report whose maker was killed is taken up at once, one whose maker hangs when its
lease lapses. Three tries, then it has failed and says why (REPORT-19, INV-11).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import QuerySet

from accounts.domain import calendar
from core import clock, failpoints, stored_files
from core.jobs import OutOfTime
from core.runbook import runbook
from core.transactions import insist_on_the_database
from reports.domain import building
from reports.domain.building import Made
from reports.enums import Failure, ReportState
from reports.models import Report

MAKE = "reports.make_reports"  # the task to nudge
ATTEMPTS = 3
KEPT = timedelta(days=90)  # a file is (REPORT-20)
LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)  # more than any task may take
_LOOKED_AT = 100  # open reports looked through for one that nobody makes

log = logging.getLogger(__name__)


def make_next() -> ReportState | None:
    """Make the next report that nobody makes; return what became of it, None if there was none."""
    waiting = Report.objects.open().order_by("attempts", "pk")
    for report in waiting.select_related("merchant__marketplace")[:_LOOKED_AT]:
        with _alone_with(report) as alone:
            if (alone or _hangs(report)) and _claim(report):
                return _make(report)
    return None


@contextmanager
def _alone_with(report: Report) -> Iterator[bool]:
    """Hold the report's lock for the time of the block, if nobody else does."""
    key = f"report {report.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        (held,) = cursor.fetchone()
    try:
        yield held
    finally:
        # A lost connection has lost its locks.
        if held and connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _hangs(report: Report) -> bool:
    return report.lease_until is not None and report.lease_until <= clock.now()


def _claim(report: Report) -> bool:
    """Begin another try of a report, if it still stands as it was seen."""
    at = clock.now()
    as_seen = Report.objects.filter(pk=report.pk, state=report.state, attempts=report.attempts)
    report.attempts += 1
    return bool(
        as_seen.update(
            state=ReportState.IN_PROGRESS,
            attempts=report.attempts,
            lease_until=at + LEASE,
            started_at=at + report.merchant.clock_ahead,
        )
    )


def _mine(report: Report) -> QuerySet[Report]:
    """The report, unless somebody else took it up since: then it is no longer ours to end."""
    return Report.objects.filter(
        pk=report.pk, state=ReportState.IN_PROGRESS, attempts=report.attempts
    )


def _make(report: Report) -> ReportState:
    if report.attempts > ATTEMPTS:  # so many makers died with it in hand
        return _fail(report, Failure.DIED)
    failpoints.hit("report.claimed")
    try:
        made = building.build(report)
    except Exception as error:
        insist_on_the_database()
        why = _failure(error)
        log.exception("report.try_failed", extra={"merchant": report.merchant_id, "code": why})
        if report.attempts >= ATTEMPTS:
            return _fail(report, why)
        _mine(report).update(state=ReportState.SUBMITTED, lease_until=None)
        return ReportState.SUBMITTED
    failpoints.hit("report.written")
    return _keep(report, made)


def _keep(report: Report, made: Made) -> ReportState:
    at = calendar.now_for(report.merchant)
    state = ReportState.READY if made.rows else ReportState.NO_DATA
    kept = _mine(report).update(
        state=state,
        rows=made.rows,
        size=made.kept.size,
        digest=made.kept.digest,
        name=made.kept.name,
        lease_until=None,
        finished_at=at,
        expires_at=at + KEPT,
    )
    if not kept:  # taken for dead meanwhile, and made by somebody else
        stored_files.remove(made.kept.name)
    failpoints.hit("report.recorded")
    return state


def _fail(report: Report, why: Failure) -> ReportState:
    reference = secrets.token_hex(4)
    log.error(
        "report.failed",
        extra={
            "merchant": report.merchant_id,
            "code": why.value,
            "reference": reference,
            "alert": runbook("reports-late"),
        },
    )
    _mine(report).update(
        state=ReportState.FAILED,
        failure=why,
        reference=reference,
        lease_until=None,
        finished_at=calendar.now_for(report.merchant),
    )
    return ReportState.FAILED


def _failure(error: Exception) -> Failure:
    if isinstance(error, stored_files.NoRoom):
        return Failure.NO_ROOM
    too_long = getattr(error.__cause__, "pgcode", "") == "57014"  # query_canceled
    if isinstance(error, OutOfTime) or (isinstance(error, OperationalError) and too_long):
        return Failure.TOO_LONG
    return Failure.INTERNAL
