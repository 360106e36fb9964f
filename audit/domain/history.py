"""Appending to the one history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, models

from audit.models import Entry
from core.actor import Actor
from core.logs import request_id


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be remembered; ``append`` gives it its number."""

    merchant_id: int
    event: str
    at: datetime
    by: Actor
    order_id: int | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)


def append(lines: Sequence[Line]) -> list[Entry]:
    """Write lines in their order, numbered without gaps per merchant, in the open transaction.

    Call it last: the merchant's counter stays locked until commit, so nothing may wait after it.
    Source: IMPL-04, INV-10.
    """
    counts: dict[int, int] = defaultdict(int)
    for line in lines:
        counts[line.merchant_id] += 1
    following = {merchant: _take(merchant, counts[merchant]) for merchant in sorted(counts)}
    entries = []
    for line in lines:
        entries.append(
            Entry(
                merchant_id=line.merchant_id,
                number=following[line.merchant_id],
                order_id=line.order_id,
                event=line.event,
                happened_at=line.at,
                door=line.by.door,
                actor=line.by.name,
                user_id=line.by.user_id,
                before=dict(line.before),
                after=dict(line.after),
                request_id=request_id.get(),
            )
        )
        following[line.merchant_id] += 1
    return Entry.objects.bulk_create(entries)


def entries(merchant_id: int, event: str) -> models.QuerySet[Entry]:
    """Return a merchant's lines about one kind of event."""
    return Entry.objects.filter(merchant=merchant_id, event=event)


def happened_to(order_ids: Iterable[int], event: str) -> set[int]:
    """Return to which of the orders an event has happened."""
    lines = Entry.objects.filter(order_id__in=list(order_ids), event=event)
    return {pk for pk in lines.values_list("order_id", flat=True) if pk is not None}


def _take(merchant_id: int, count: int) -> int:
    """Reserve ``count`` numbers and return the first of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_historycounter AS c (merchant_id, last) VALUES (%s, %s)"
            " ON CONFLICT (merchant_id) DO UPDATE SET last = c.last + excluded.last"
            " RETURNING last",
            [merchant_id, count],
        )
        last: int = cursor.fetchone()[0]
    return last - count + 1
