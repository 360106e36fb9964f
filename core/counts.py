"""How often something happened, minute by minute and over all processes, for whoever judges it.

A process counts in memory and writes now and then: a page never waits for it, and what happened
while the database was away is written when it is back.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

from django.db import connection

from core.models import EventCount

REQUESTS, FAULTS = "requests", "requests.failed"
SIGN_IN_FAILURES = "sign_in.failed"
SIGNATURES_REFUSED = "signatures.refused"
VIOLATIONS = "guards.violated"
CONTRADICTIONS = "gateway.contradicts"
DATABASE_FULL = "database.full"

KEPT = timedelta(days=7)
_MOST_MINUTES = 2000  # kept in memory while the database is away: the oldest are let go of
_waiting: Counter[tuple[str, datetime]] = Counter()
_lock = threading.Lock()


def add(event: str, number: int = 1) -> None:
    """Count an event in this process; ``flush`` writes it."""
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    with _lock:
        _waiting[event, minute] += number
        while len(_waiting) > _MOST_MINUTES:
            del _waiting[min(_waiting, key=lambda key: key[1])]


def flush() -> None:
    """Write what was counted since the last time; kept for the next one if that fails."""
    with _lock:
        rows = sorted(_waiting.items())
        _waiting.clear()
    if not rows:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO core_eventcount AS c (event, minute, number)"
                " SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::int[])"
                " ON CONFLICT (event, minute) DO UPDATE SET number = c.number + excluded.number",
                [
                    [event for (event, _minute), _number in rows],
                    [minute for (_event, minute), _number in rows],
                    [number for _key, number in rows],
                ],
            )
    except BaseException:
        with _lock:
            _waiting.update(dict(rows))
        raise


def since(at: datetime, event: str) -> int:
    """Return how often an event was counted since an instant, of which whole minutes count."""
    minute = at.replace(second=0, microsecond=0)
    rows = EventCount.objects.filter(event=event, minute__gte=minute)
    return sum(rows.values_list("number", flat=True))


def forget(*, before: datetime) -> int:
    """Delete old counts; return how many."""
    count, _by_model = EventCount.objects.filter(minute__lt=before).delete()
    return count


def drop() -> None:
    """Let go of what this process counted and did not write."""
    with _lock:
        _waiting.clear()
