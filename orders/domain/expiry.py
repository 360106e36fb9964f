"""What is not kept for ever: the personal data of old orders, answers to old requests, old runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.expressions import CombinedExpression

from accounts.domain import sign_ins
from audit.domain import submissions
from core import clock, counts, jobs
from core.actor import Actor
from core.jobs import Done, Planned
from orders.domain import contacts

BATCH = 500  # orders in one transaction
RUNS_KEPT = timedelta(days=30)


def expire(*, by: Actor, limit: int = BATCH) -> Done:
    """Blank and delete what is old enough, of contacts one batch (IMPL-22, TH-11)."""
    blanked = contacts.blank(older_than=_personal_data_kept(), by=by, limit=limit)
    return Done(
        {
            "contacts blanked": blanked,
            "submissions deleted": submissions.forget(before=_older_than(submissions.KEPT)),
            "counts deleted": counts.forget(before=clock.now() - counts.KEPT),
            "sessions deleted": sign_ins.ended(before=clock.now()).delete()[0],
            "job runs deleted": jobs.forget_runs(before=clock.now() - RUNS_KEPT),
        },
        more=blanked == limit,
    )


def plan() -> list[Planned]:
    """Say how much of each is old enough."""
    now, kept, long_ago = clock.now(), _personal_data_kept(), _older_than(submissions.KEPT)
    old: list[tuple[str, str, QuerySet[Any]]] = [
        ("finished orders", "blank the contacts", contacts.due_for_blanking(older_than=kept)),
        ("old requests", "delete the answers", submissions.old(before=long_ago)),
        ("sessions", "delete those whose time is over", sign_ins.ended(before=now)),
        ("jobs", "delete the runs", jobs.old_runs(before=now - RUNS_KEPT)),
    ]
    return [
        Planned(f"{count} {subject}", act) for subject, act, rows in old if (count := rows.count())
    ]


def _personal_data_kept() -> timedelta:
    """How long addresses, phones and e-mails are kept after the purchase."""
    return timedelta(days=settings.PERSONAL_DATA_DAYS)


def _older_than(age: timedelta) -> CombinedExpression:
    """An instant so long ago by the clock of the merchant concerned."""
    return clock.now() - age + F("merchant__clock_ahead")
