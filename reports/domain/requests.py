"""Asking for a report, and asking again for one that failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.domain import calendar
from accounts.models import Merchant
from audit.domain import history
from core.actor import Actor
from core.jobs import nudge
from core.refusal import Refusal, Refused
from reports.domain import settings
from reports.domain.making import MAKE
from reports.enums import STATUS_COLUMN, Origin, ReportKind, ReportState
from reports.models import Report

REQUESTED, AGAIN = "report.requested", "report.requested_again"


@transaction.atomic
def request_report(
    *,
    merchant: Merchant,
    kind: ReportKind,
    by: Actor,
    days: int | None = None,
    include_cancelled: bool = False,
) -> Report:
    """Ask for a report of the columns chosen now (REPORT-02, REPORT-15, REPORT-23).

    days: how far it reaches back from now, each of 24 hours; None for unshipped orders.
    Raises Refused: ALREADY_KNOWN while the same one is being made, INVALID_INPUT when cancelled
        orders are wanted without the column that tells them apart.
    """
    at = calendar.now_for(merchant)
    columns = settings.of(merchant.pk).extra_columns
    if include_cancelled and STATUS_COLUMN not in columns:
        raise Refused(
            Refusal(
                "INVALID_INPUT",
                _("Cancelled orders need the column order-status."),
                remedy=_("Switch it on under Report columns."),
                field="include_cancelled",
            )
        )
    report = Report(
        merchant=merchant,
        kind=kind,
        origin=Origin.REQUESTED,
        days=days,
        from_at=at - timedelta(days=days) if days else None,
        to_at=at,
        extra_columns=columns,
        include_cancelled=include_cancelled,
        requested_at=at,
        requested_by=by.name,
    )
    with _one_at_a_time():
        report.save()
    _remember(REQUESTED, report, by)
    return report


@transaction.atomic
def request_again(*, report: Report, by: Actor) -> Report:
    """Let a failed report be tried anew, with the range and the orders it had (INV-15).

    Raises Refused: INVALID_TRANSITION when it has not failed, ALREADY_KNOWN while the same one is
        being made.
    """
    with _one_at_a_time():
        failed = Report.objects.filter(pk=report.pk, state=ReportState.FAILED)
        if not failed.update(
            state=ReportState.SUBMITTED, attempts=0, failure="", reference="", finished_at=None
        ):
            raise Refused(Refusal("INVALID_TRANSITION", _("This report has not failed.")))
    _remember(AGAIN, report, by)
    return report


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Turn the database's guard against a second report of the same into a refusal."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "one_identical_report_is_made_at_a_time" not in str(error):
            raise
        raise Refused(
            Refusal("ALREADY_KNOWN", _("This report is already being processed."))
        ) from error


def _remember(event: str, report: Report, by: Actor) -> None:
    nudge(MAKE)
    told = {"report": report.pk, "kind": report.kind, "days": report.days}
    history.append(
        [history.Line(report.merchant_id, event, calendar.now_for(report.merchant), by, after=told)]
    )
