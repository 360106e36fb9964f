"""Finding orders: pages by keyset, counts with a bound.

Every statement begins with the merchant, reads an index in its order and stops at the page's end,
so that a page costs the same at any number of orders (performance 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from orders.domain import searching, tallies
from orders.domain.criteria import (
    ATTENTION,
    COLUMNS,
    OPEN_RANKS,
    REASONS,
    Criteria,
    Cursor,
    Pressing,
    Reading,
    Sort,
    Sql,
    all_of,
    conditions,
    happened,
    one_of,
    pressing_for,
)
from orders.enums import STATUS_RANK, OrderStatus
from orders.models import Item, Order

__all__ = [
    "ATTENTION", "Criteria", "Cursor", "Page", "Pressing", "Sort", "counted", "counts",
    "items_shown", "page", "pinned", "total",
]  # fmt: skip

MOST_COUNTED = 10_000  # beyond it a count reads "10,000+"
MOST_PINNED = 100  # as many as the longest page shows; "at risk" lists the others
FEW = 300  # pressing orders that are sorted by hand rather than met along the way

S = OrderStatus


@dataclass(frozen=True, slots=True)
class Page:
    """One page of orders in their order. first: position of the first row, from 1.

    also: other orders that were asked for by key, earliest purchase first.
    """

    orders: list[Order]
    also: list[Order]
    first: int
    next: Cursor | None
    previous: Cursor | None


def page(
    criteria: Criteria,
    sort: Sort,
    size: int,
    cursor: Cursor | None,
    also: Sequence[int] = (),
) -> Page:
    """Return one page of orders, found by keyset. Source: LIST-08 to LIST-11, SEARCH-03.

    also: keys of orders to be read along, in the same query.
    """
    backwards = cursor is not None and cursor.backwards
    reading = Sort(sort.by, sort.descending != backwards)
    rows = _keys(criteria, reading, size + 1, cursor)
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    orders = _read([*also, *(row[0] for row in rows)])
    if cursor is None:
        first = 1
    elif backwards:
        first = max(cursor.position - len(rows) + 1, 1)
    else:
        first = cursor.position + 1
    last = first + len(rows) - 1
    has_next, has_previous = (True, more) if backwards else (more, cursor is not None)
    return Page(
        orders=[orders[row[0]] for row in rows],
        also=sorted((orders[pk] for pk in set(also)), key=lambda o: (o.purchased_at, o.number)),
        first=first,
        next=Cursor(*rows[-1][1:], position=last) if rows and has_next else None,
        previous=(
            Cursor(*rows[0][1:], position=first - 1, backwards=True)
            if rows and has_previous and first > 1
            else None
        ),
    )


def pinned(merchant_id: int, before: datetime, *, at: datetime) -> list[int]:
    """Return keys of older open orders that no range may hide: the oldest, those at risk (LIST-04).

    Of those at risk the ``MOST_PINNED`` whose deadline is nearest.
    before: the beginning of the range shown.
    """
    older = Criteria(merchant_id, to_at=before)
    first = one_of(_walk(Reading(older, Sort(), 1, ranks=(rank,))) for rank in OPEN_RANKS)
    risk = pressing_for("at_risk", merchant_id, Pressing(at, ATTENTION))
    statement = (
        f"(SELECT id FROM ({first.text}) AS oldest ORDER BY purchased_at, number LIMIT 1)"
        f" UNION (SELECT o.id FROM orders_order o WHERE {risk.text} AND o.purchased_at < %s"
        " ORDER BY o.page_warning_at LIMIT %s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*first.values, *risk.values, before, MOST_PINNED])
        return [row[0] for row in cursor.fetchall()]


def counts(criteria: Criteria, *, at: datetime) -> dict[str, int]:
    """Return how many orders each quick view holds, exactly or up to ``MOST_COUNTED`` + 1.

    Keys: the statuses; "attention", "late", "at_risk" and, if it is looked for, "today" (whatever
    the range); "outside": open orders outside it; "more": 1 when a search finds more than was
    counted, so that each number is a lower bound.
    """
    pressing = _pressing_counts(criteria, at)
    if criteria.search:
        found, is_bounded = searching.counts(criteria)
        others = counted({**pressing, "outside": _outside(criteria)})
        return {**found, **others, "more": int(is_bounded)}
    if criteria.by:
        return {**_by_status(criteria), **counted(pressing), "outside": 0, "more": 0}
    plain = Criteria(
        criteria.merchant_id,
        from_at=criteria.from_at,
        to_at=criteria.to_at,
        sub_types=criteria.sub_types,
    )
    if plain.sub_types:  # days are not tallied by sub type
        parts = {
            status.value: capped(all_of(conditions(plain, ranks=(rank,))))
            for status, rank in STATUS_RANK.items()
        }
    else:
        parts = tallies.counts(plain)
    parts |= {**pressing, "outside": _outside(criteria)}
    return {**counted(parts), "more": 0}


def items_shown(orders: Sequence[Order], most: int = 2) -> dict[int, list[Item]]:
    """Return the first items of each order by order."""
    shown: dict[int, list[Item]] = {order.pk: [] for order in orders}
    rows = Item.objects.of_orders(list(shown)).filter(line__lte=most)
    for item in rows.only("order_id", "line", "sku", "title", "quantity_purchased"):
        shown[item.order_id].append(item)
    return shown


def total(numbers: Mapping[str, int], statuses: Sequence[OrderStatus]) -> int:
    """Add up the counts of some statuses; all when none is named."""
    return sum(numbers[status.value] for status in statuses or tuple(S))


def _read(keys: Sequence[int]) -> dict[int, Order]:
    return Order.objects.with_facts().select_related("cancellation").in_bulk(keys)


def _keys(
    criteria: Criteria, sort: Sort, limit: int, cursor: Cursor | None
) -> list[tuple[int, int, datetime, str]]:
    """Return (key, rank, purchase instant, Order ID) of the rows of a page, in reading order."""
    few = _keys_meant(criteria)
    found = one_of(
        _walk(Reading(criteria, sort, limit, cursor, ranks), few)
        for ranks in _read_together(criteria, sort)
    )
    statement = (
        f"SELECT id, status_rank, purchased_at, number FROM ({found.text}) AS found"
        f" ORDER BY {sort.columns()} LIMIT %s"
    )
    with connection.cursor() as database:
        database.execute(statement, [*found.values, limit])
        return list(database.fetchall())


def _read_together(criteria: Criteria, sort: Sort) -> list[tuple[int, ...]]:
    """Return which statuses are read in one walk; an empty tuple reads all.

    The index of the list holds each status apart. A search walks along items or contacts, which
    hold all: there a rare status of its own would be looked for through all that match.
    """
    if criteria.pressing is not None:
        return [(rank,) for rank in OPEN_RANKS]
    ranks = tuple(STATUS_RANK[status] for status in criteria.statuses)
    if sort.by == "status":
        return [(rank,) for rank in ranks or tuple(STATUS_RANK.values())]
    if criteria.search or not ranks:
        return [ranks]
    return [(rank,) for rank in ranks]


def _walk(reading: Reading, few: Sequence[int] | None = None) -> Sql:
    """Return the statement that reads the first rows of some statuses.

    few: keys of all that can be meant, when they are known to be few.
    """
    if reading.criteria.search:
        return searching.walk(reading)
    way = reading.sort.way
    order = f"purchased_at {way}, number {way}"
    if few is not None:
        # Fenced off: the planner would else walk all orders in their order to meet these.
        where = all_of([*reading.conditions(), Sql("o.id = ANY(%s)", [list(few)])])
        return Sql(
            f"SELECT * FROM (SELECT {COLUMNS} FROM orders_order o WHERE {where.text} OFFSET 0)"
            f" AS few ORDER BY {order} LIMIT %s",
            [*where.values, reading.limit],
        )
    where = all_of(reading.conditions())
    return Sql(
        f"SELECT {COLUMNS} FROM orders_order o WHERE {where.text} ORDER BY {order} LIMIT %s",
        [*where.values, reading.limit],
    )


def _keys_meant(criteria: Criteria) -> list[int] | None:
    """Return the keys of all orders that can be meant, when another index knows them.

    None when it does not, or when pressing orders are many, and so are soon met in any order:
    among thousands of open orders a dozen late ones would else be looked for one by one.
    """
    if criteria.by:
        found = happened(criteria, MOST_COUNTED + 1)
    elif criteria.pressing is not None:
        found = _pressing_keys(criteria.merchant_id, criteria.pressing)
    else:
        return None
    with connection.cursor() as cursor:
        cursor.execute(found.text, found.values)
        keys = [row[0] for row in cursor.fetchall()]
    return keys if criteria.by or len(keys) <= FEW else None


def _pressing_keys(merchant_id: int, now: Pressing) -> Sql:
    parts = []
    for reason in now.reasons:
        where, column = pressing_for(reason, merchant_id, now), REASONS[reason][1]
        text = f"SELECT o.id FROM orders_order o WHERE {where.text} ORDER BY {column} LIMIT %s"
        parts.append(Sql(text, [*where.values, FEW + 1]))
    return one_of(parts, by="UNION")


def _outside(criteria: Criteria) -> Sql:
    """Count open orders outside the chosen range (LIST-05)."""
    outside: list[Sql] = []
    if criteria.from_at is not None:
        outside.append(Sql("o.purchased_at < %s", [criteria.from_at]))
    if criteria.to_at is not None:
        outside.append(Sql("o.purchased_at >= %s", [criteria.to_at]))
    shop = Criteria(criteria.merchant_id)
    parts = [
        capped(all_of([*conditions(shop, ranks=(rank,)), side]))
        for rank in OPEN_RANKS
        for side in outside
    ]
    return _sum(parts)


def _pressing_counts(criteria: Criteria, at: datetime) -> dict[str, Sql]:
    """Count late orders, those at risk, and all that press, each once by its index."""
    merchant_id, now = criteria.merchant_id, Pressing(at, ATTENTION)
    risk = pressing_for("at_risk", merchant_id, now)
    # Through the index of warnings alone: of the two indexes the planner would else join both.
    not_late = Sql(
        "(SELECT count(*) FROM (SELECT o.ship_by_at FROM orders_order o"
        f" WHERE {risk.text} ORDER BY o.page_warning_at LIMIT %s) AS warned"
        " WHERE warned.ship_by_at >= %s)",
        [*risk.values, MOST_COUNTED + 1, at],
    )
    late = capped(pressing_for("late", merchant_id, now), "o.ship_by_at")
    asked = pressing_for("asked_back", merchant_id, now)
    neither = Sql(
        f"{asked.text} AND o.ship_by_at >= %s AND o.page_warning_at > %s", [*asked.values, at, at]
    )
    each_once = _sum([late, not_late, capped(neither)])
    parts = {"attention": each_once, "late": late, "at_risk": capped(risk, "o.page_warning_at")}
    if criteria.pressing is not None and "today" in criteria.pressing.reasons:
        parts["today"] = count_pressing("today", merchant_id, criteria.pressing)
    return parts


def count_pressing(reason: str, merchant_id: int, now: Pressing) -> Sql:
    """Count the orders that press for one reason, up to the bound."""
    return capped(pressing_for(reason, merchant_id, now), REASONS[reason][1])


def count_happened(criteria: Criteria) -> Sql:
    """Count the orders to which it happened within the bounds, up to the bound."""
    found = happened(criteria, MOST_COUNTED + 1)
    return Sql(f"(SELECT count(*) FROM ({found.text}) AS happened)", found.values)


def _by_status(criteria: Criteria) -> dict[str, int]:
    """Count the orders to which it happened, by the status they are in now."""
    found = happened(criteria, MOST_COUNTED + 1)
    where = all_of(conditions(criteria, ranks=()))
    numbers = {status.value: 0 for status in S}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT o.status, count(*) FROM ({found.text}) AS happened"
            f" JOIN orders_order o ON o.id = happened.order_id WHERE {where.text} GROUP BY 1",
            [*found.values, *where.values],
        )
        numbers.update(cursor.fetchall())
    return numbers


def capped(where: Sql, order: str = "o.purchased_at, o.number") -> Sql:
    """Count up to the bound. Ordered, so that the planner reads the index and not the table."""
    return Sql(
        f"(SELECT count(*) FROM (SELECT 1 FROM orders_order o WHERE {where.text}"
        f" ORDER BY {order} LIMIT %s) AS capped)",
        [*where.values, MOST_COUNTED + 1],
    )


def _sum(parts: Sequence[Sql]) -> Sql:
    return Sql(
        " + ".join(part.text for part in parts) or "0",
        [value for part in parts for value in part.values],
    )


def counted(parts: Mapping[str, Sql]) -> dict[str, int]:
    """Ask for several numbers at once, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(part.text for part in parts.values()),
            [value for part in parts.values() for value in part.values],
        )
        return dict(zip(parts, cursor.fetchone(), strict=True))
