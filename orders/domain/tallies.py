"""Counting orders by the days they were purchased on; only the days at the edges row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from orders.domain.criteria import Criteria, Sql, all_of, conditions
from orders.enums import STATUS_RANK


def counts(criteria: Criteria) -> dict[str, Sql]:
    """Return what counts a merchant's orders in a span exactly, by status; sub types excluded.

    Whole days come from ``DayTally``; what lies between a bound and the next midnight (UTC) is
    counted along the index of the list.
    """
    first, end = _whole_days(criteria)
    edges = [criteria] if first is None else _edges(criteria, first, end)
    return {
        status.value: _sum(
            ([] if first is None else [_days(criteria.merchant_id, rank, first, end)])
            + [_rows(edge, rank) for edge in edges]
        )
        for status, rank in STATUS_RANK.items()
    }


def _whole_days(criteria: Criteria) -> tuple[date | None, date]:
    """Return the first whole day of a span and the day after the last; None when it has none."""
    first, end = date.min, date.max
    if criteria.from_at is not None:
        first = criteria.from_at.astimezone(UTC).date()
        if _midnight(first) < criteria.from_at:
            first += timedelta(days=1)
    if criteria.to_at is not None:
        end = criteria.to_at.astimezone(UTC).date()
    return (first, end) if first < end else (None, end)


def _edges(criteria: Criteria, first: date, end: date) -> list[Criteria]:
    edges = []
    if criteria.from_at is not None and criteria.from_at < _midnight(first):
        edges.append(replace(criteria, to_at=_midnight(first)))
    if criteria.to_at is not None and criteria.to_at > _midnight(end):
        edges.append(replace(criteria, from_at=_midnight(end)))
    return edges


def _days(merchant_id: int, rank: int, first: date, end: date) -> Sql:
    return Sql(
        "(SELECT COALESCE(sum(orders), 0) FROM orders_daytally WHERE merchant_id = %s"
        " AND status_rank = %s AND day >= %s AND day < %s)",
        [merchant_id, rank, first, end],
    )


def _rows(criteria: Criteria, rank: int) -> Sql:
    where = all_of(conditions(criteria, ranks=(rank,)))
    return Sql(f"(SELECT count(*) FROM orders_order o WHERE {where.text})", where.values)


def _sum(parts: list[Sql]) -> Sql:
    return Sql(
        " + ".join(part.text for part in parts), [value for part in parts for value in part.values]
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)
