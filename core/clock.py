"""The one clock: the database's, so that hosts cannot disagree about a deadline.

Decisions read it once per transaction, after the lock they wait for, and hand the instant on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.conf import settings
from django.db import connection

_stopped_at: ContextVar[datetime | None] = ContextVar("stopped_at", default=None)


def now() -> datetime:
    """Return the database's present instant, in UTC."""
    if (stopped := _stopped_at.get()) is not None:
        return stopped
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: datetime = cursor.fetchone()[0]
    return instant


@contextmanager
def stopped(at: datetime) -> Iterator[None]:
    """Stop the clock at an instant for the enclosed code; only with test settings (IMPL-21).

    Raises RuntimeError elsewhere: nobody sets the clock of a shop that trades.
    """
    if not settings.CLOCK_MAY_STOP:
        raise RuntimeError("The clock can be stopped with test settings only.")
    token = _stopped_at.set(at)
    try:
        yield
    finally:
        _stopped_at.reset(token)
