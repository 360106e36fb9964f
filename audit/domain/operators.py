"""The history of what operators of the platform did, apart from every merchant's."""

from __future__ import annotations

from datetime import datetime

from audit.models import OperatorEntry
from core.actor import Actor


def remember(*, by: Actor, act: str, subject: str, note: str, at: datetime) -> None:
    """Write one line in the caller's transaction (PLATFORM-03)."""
    assert by.user_id is not None, "operators are people"
    OperatorEntry.objects.create(
        user_id=by.user_id, operator=by.name, act=act, subject=subject, note=note, happened_at=at
    )
