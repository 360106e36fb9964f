"""Places in a list, as address lines and API answers carry them."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime

from orders.domain import numbers
from orders.domain.listing import Cursor


def write_cursor(cursor: Cursor) -> str:
    """Return a cursor as the address line carries it."""
    text = json.dumps(
        [cursor.rank, cursor.purchased_at.isoformat(), cursor.number, cursor.position]
    )
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(after: str | None, before: str | None) -> Cursor | None:
    """Read a cursor; one that cannot be read falls back to the first page."""
    text = after or before
    if not text:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        rank, instant, number, position = json.loads(base64.urlsafe_b64decode(padded))
        at = datetime.fromisoformat(instant)
        sound = (
            isinstance(rank, int)
            and at.tzinfo is not None
            and numbers.normalised(number) == number
            and isinstance(position, int)
            and 0 <= position < 10**9
        )
    except (ValueError, TypeError, binascii.Error, AttributeError, RecursionError):
        return None
    return Cursor(rank, at, number, position, backwards=not after) if sound else None
