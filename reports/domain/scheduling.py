"""Reports that are made by themselves, each verified order in exactly one (REPORT-04, INV-15)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, QuerySet

from accounts.domain import calendar
from accounts.models import Merchant
from audit.domain import history
from core import clock
from core.actor import Actor
from core.jobs import nudge
from core.refusal import Refused
from core.transactions import unit_of_work
from reports.domain import settings
from reports.domain.making import MAKE
from reports.enums import Origin, Period, ReportKind
from reports.models import Report, Schedule

EVENT = "reports.schedule_changed"
SCHEDULER = "Schedule"  # who asked for such a report

# Orders that wait for their first scheduled report. A transaction that verifies one and has not
# committed is not waited for: its order is in the next report.
_TAKE = """
UPDATE reports_release SET report_id = %(report)s
FROM (SELECT order_id FROM reports_release WHERE merchant_id = %(merchant)s AND report_id IS NULL
      ORDER BY order_id FOR UPDATE SKIP LOCKED) AS waiting
WHERE reports_release.order_id = waiting.order_id"""


def schedules_of(merchant_id: int) -> dict[ReportKind, Schedule]:
    """Return a merchant's schedules by kind, those that never run among them."""
    rows = Schedule.objects.filter(merchant=merchant_id)
    return {ReportKind(row.kind): row for row in rows}


@transaction.atomic
def change_schedule(
    *, merchant_id: int, kind: ReportKind, period: Period | None, seen: int, by: Actor
) -> Schedule | None:
    """Make, change or stop (period None) the schedule of a kind of report.

    The first report is due one period from now. seen: the schedule's version that the page showed,
    0 for none. Raises Refused: STALE_SETTINGS when somebody changed it since (INV-08).
    """
    # Orders that are being placed are waited for: see the trigger on orders (migration 0002).
    merchant = Merchant.objects.select_for_update().get(pk=merchant_id)
    at = calendar.now_for(merchant)
    known = schedules_of(merchant_id).get(kind)
    if (known.version if known else 0) != seen:
        raise Refused(settings.stale())
    if (known.period if known else None) == period:
        return known
    before = known.period if known else None
    schedule = known or Schedule(merchant=merchant, kind=kind, last_run_at=at, version=0)
    schedule.period = period
    schedule.next_run_at = at + timedelta(minutes=period) if period else None
    schedule.version += 1
    schedule.save()
    line = history.Line(
        merchant_id,
        EVENT,
        at,
        by,
        before={"kind": kind, "minutes": before},
        after={"kind": kind, "minutes": period, "version": schedule.version},
    )
    history.append([line])
    return schedule


def due(at: datetime) -> QuerySet[Schedule]:
    """Return the schedules whose time has come at an instant, each by its merchant's clock."""
    rows = Schedule.objects.filter(next_run_at__lte=at + F("merchant__clock_ahead"))
    return rows.select_related("merchant__marketplace").order_by("next_run_at", "pk")


@unit_of_work
def run_next() -> Report | None:
    """Ask for the report of the schedule that is due longest; None when none is.

    However many times were missed, one report makes up for them. Whoever else is at it meanwhile
    finds the schedule locked and passes it over.
    """
    at = clock.now()
    schedule = due(at).select_for_update(skip_locked=True, of=("self",)).first()
    if schedule is None or schedule.next_run_at is None or schedule.period is None:
        return None
    merchant = schedule.merchant
    now = at + merchant.clock_ahead
    report = Report.objects.create(
        merchant=merchant,
        kind=schedule.kind,
        origin=Origin.SCHEDULED,
        from_at=schedule.last_run_at if schedule.kind == ReportKind.ORDERS else None,
        to_at=now,
        extra_columns=settings.of(merchant.pk).extra_columns,
        requested_at=now,
        requested_by=SCHEDULER,
    )
    if report.kind == ReportKind.ORDERS:
        _take(report)
    every = timedelta(minutes=schedule.period)
    schedule.last_run_at = now
    schedule.next_run_at += every * ((now - schedule.next_run_at) // every + 1)
    schedule.save(update_fields=["last_run_at", "next_run_at"])
    nudge(MAKE)
    return report


def _take(report: Report) -> None:
    """Let a report take every order that waits for one."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"report": report.pk, "merchant": report.merchant_id})
