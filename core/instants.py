"""Days and instants as files and programs write them: one form each, and real ones only."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

EARLIEST = date(2000, 1, 1)  # nothing here is older; what claims to be is a slip of the pen

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})"


def read_day(text: str) -> date:
    """Read ``yyyy-mm-dd``, ASCII. Raises ValueError.

    The shape is looked at first: Python's own reader also takes weeks and days without hyphens.
    """
    if not re.fullmatch(_DAY, text):
        raise ValueError("no day")
    return date.fromisoformat(text)


def read_instant(text: object) -> datetime:
    """Read ISO 8601 with its zone, like 2026-01-30T09:15:00Z; in UTC. Raises ValueError."""
    if not (isinstance(text, str) and re.fullmatch(_DAY + _TIME, text)):
        raise ValueError("no instant")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no instant") from error
