"""A database that was restored from an older copy does not know what happened since (FT-39).

Its outbox holds mails that have left, its orders charges that were made. Until an operator has
compared and says so, jobs look and do nothing: nothing is sent or asked for a second time.
"""

from __future__ import annotations

from datetime import datetime

from core import clock
from core.models import Restore

# Jobs that change nothing of a merchant's, and tell.
LOOKING = frozenset({"alerts", "invariant-check", "resume-jobs"})


def since() -> datetime | None:
    """Return when the database was restored, while nobody has said that it is as it should be."""
    return Restore.objects.filter(ended_at=None).values_list("marked_at", flat=True).first()


def mark() -> datetime:
    """Note that the database was restored just now; return since when jobs wait."""
    Restore.objects.bulk_create([Restore(marked_at=clock.now())], ignore_conflicts=True)
    marked = since()
    assert marked is not None, "it was marked a moment ago"
    return marked


def end() -> bool:
    """Let jobs go on; False when none waited."""
    return bool(Restore.objects.filter(ended_at=None).update(ended_at=clock.now()))
