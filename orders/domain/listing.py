"""Finding orders: pages by keyset, counts with a bound, searches by the catalogue first.

Every statement begins with the merchant, reads an index in its order and stops at the page's end,
so that a page costs the same at any number of orders (performance 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from orders.enums import STATUS_RANK, OrderStatus
from orders.models import Item, Order

MOST_COUNTED = 10_000  # beyond it a count reads "10,000+"
MOST_PINNED = 50

S = OrderStatus
OPEN_RANKS = (STATUS_RANK[S.UNSHIPPED], STATUS_RANK[S.PARTIALLY_SHIPPED])


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is looked for, of one merchant.

    statuses: the ones shown; empty stands for all. attention: instead of statuses and dates, open
        orders that are late or at risk at that instant.
    from_at, to_at: bounds of the purchase instant, the latter exclusive; None is open.
    search: "", "order_id", "buyer_email", "sku", "listing_id" or "product_name"; with ``keyword``.
    """

    merchant_id: int
    statuses: tuple[OrderStatus, ...] = ()
    attention: datetime | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    sub_types: tuple[str, ...] = ()
    search: str = ""
    keyword: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind an order, in the direction of reading.

    key: status rank, purchase instant and Order ID of that order. position: rows before the page.
    backwards: the page ends before the order instead.
    """

    rank: int
    purchased_at: datetime
    number: str
    position: int
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """by: "date" or "status"; ties by purchase instant, then Order ID (LIST-09)."""

    by: str = "date"
    descending: bool = False


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


@dataclass(slots=True)
class _Sql:
    text: str
    values: list[Any] = field(default_factory=list)


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

    before: the beginning of the range shown.
    """
    older = Criteria(merchant_id, to_at=before)
    branches = [_branch(older, Sort(), 1, None, rank) for rank in OPEN_RANKS]
    first = " UNION ALL ".join(f"({branch.text})" for branch in branches)
    values = [value for branch in branches for value in branch.values]
    statement = (
        f"(SELECT id FROM ({first}) AS oldest ORDER BY purchased_at, number LIMIT 1)"
        " UNION (SELECT o.id FROM orders_order o WHERE o.merchant_id = %s"
        " AND o.status = 'unshipped' AND o.page_warning_at <= %s AND o.purchased_at < %s"
        " ORDER BY o.page_warning_at LIMIT %s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, merchant_id, at, before, MOST_PINNED])
        return [row[0] for row in cursor.fetchall()]


def _read(keys: Sequence[int]) -> dict[int, Order]:
    return Order.objects.with_facts().select_related("cancellation").in_bulk(keys)


def counts(criteria: Criteria, *, at: datetime) -> dict[str, int]:
    """Return how many orders each quick view holds, each up to ``MOST_COUNTED`` + 1.

    Keys: the statuses, "attention" (whatever the range), and "older": open orders outside it.
    """
    parts: list[_Sql] = []
    names: list[str] = []
    if criteria.search:
        return _search_counts(criteria, at)
    for status, rank in STATUS_RANK.items():
        conditions = _conditions(criteria, "o", ranks=(rank,))
        parts.append(_capped("orders_order o", conditions))
        names.append(status.value)
    parts.append(_capped("orders_order o", _attention(criteria.merchant_id, at, "o")))
    names.append("attention")
    parts.append(_older(criteria))
    names.append("older")
    return _numbers(names, parts)


def items_shown(orders: Sequence[Order], most: int = 2) -> dict[int, list[Item]]:
    """Return the first items of each order by order."""
    shown: dict[int, list[Item]] = {order.pk: [] for order in orders}
    rows = Item.objects.of_orders(list(shown)).filter(line__lte=most)
    for item in rows.only("order_id", "line", "sku", "title", "quantity_purchased"):
        shown[item.order_id].append(item)
    return shown


def kind_of(merchant_id: int, text: str) -> str:
    """Tell by its shape, then by the catalogue, what a text typed in the plain box looks for."""
    from orders.domain import numbers

    if numbers.normalised(text) is not None:
        return "order_id"
    if "@" in text:
        return "buyer_email"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lower(sku) = lower(%s) FROM catalog_listing WHERE merchant_id = %s"
            " AND (lower(sku) = lower(%s) OR lower(listing_id) = lower(%s)) LIMIT 1",
            [text, merchant_id, text, text],
        )
        row = cursor.fetchone()
    if row is None:
        return "product_name"
    return "sku" if row[0] else "listing_id"


def _keys(
    criteria: Criteria, sort: Sort, limit: int, cursor: Cursor | None
) -> list[tuple[int, int, datetime, str]]:
    """Return (key, rank, purchase instant, Order ID) of the rows of a page, in reading order."""
    branches = [_branch(criteria, sort, limit, cursor, rank) for rank in _ranks(criteria, sort)]
    text = " UNION ALL ".join(f"({branch.text})" for branch in branches)
    values = [value for branch in branches for value in branch.values]
    statement = (
        f"SELECT id, status_rank, purchased_at, number FROM ({text}) AS found"
        f" ORDER BY {_order(sort)} LIMIT %s"
    )
    with connection.cursor() as database:
        database.execute(statement, [*values, limit])
        return list(database.fetchall())


def _ranks(criteria: Criteria, sort: Sort) -> list[int | None]:
    """Return which statuses are read in branches of their own; None reads all in one."""
    wanted = criteria.statuses or (tuple(S) if sort.by == "status" else ())
    if criteria.attention is not None:
        return list(OPEN_RANKS)
    return [STATUS_RANK[status] for status in wanted] or [None]


def _branch(
    criteria: Criteria, sort: Sort, limit: int, cursor: Cursor | None, rank: int | None
) -> _Sql:
    """Read the first rows of one status, in the order of its index."""
    ranks = () if rank is None else (rank,)
    conditions = _conditions(criteria, "o", ranks=ranks)
    if criteria.attention is not None:
        conditions.append(_is_pressing("o", criteria.attention))
    if cursor is not None:
        conditions += _behind(cursor, sort, rank)
    way = "DESC" if sort.descending else "ASC"
    columns = "o.id, o.status_rank, o.purchased_at, o.number"
    if criteria.search in _BY_ITEM:
        return _by_item(criteria, conditions, columns, way, limit)
    source, extra = _source(criteria)
    where = _and([*extra, *conditions])
    return _Sql(
        f"SELECT {columns} FROM {source} WHERE {where.text}"
        f" ORDER BY o.purchased_at {way}, o.number {way} LIMIT %s",
        [*where.values, limit],
    )


def _by_item(
    criteria: Criteria, conditions: Sequence[_Sql], columns: str, way: str, limit: int
) -> _Sql:
    """Find the titles first, then walk each one's newest items: the same cost at any size.

    WITH TIES, because items are in the order of instants only: an order left out at the page's
    edge would never be met again.
    """
    titles = _titles(criteria)
    where = _and(conditions)
    span = _and(_span(criteria, "i"))
    walk = (
        f"SELECT {columns} FROM orders_item i JOIN orders_order o ON o.id = i.order_id"
        f" WHERE i.sold_as_id = t.id AND {span.text} AND {where.text}"
        f" ORDER BY i.purchased_at {way} FETCH FIRST %s ROWS WITH TIES"
    )
    return _Sql(
        f"SELECT DISTINCT found.* FROM ({titles.text}) AS t, LATERAL ({walk}) AS found",
        [*titles.values, *span.values, *where.values, limit],
    )


_BY_ITEM = frozenset({"sku", "listing_id", "product_name"})


def _titles(criteria: Criteria) -> _Sql:
    """The titles sold that match: all of a listing's for its SKU or ID, else by their words."""
    merchant, keyword = criteria.merchant_id, criteria.keyword
    if criteria.search == "product_name":
        escaped = keyword.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return _Sql(
            "SELECT id FROM catalog_listingtitle"
            " WHERE upper(title) LIKE upper(%s) AND merchant_id = %s",
            [f"%{escaped}%", merchant],
        )
    column = criteria.search
    return _Sql(
        "SELECT t.id FROM catalog_listing l JOIN catalog_listingtitle t ON t.listing_id = l.id"
        f" WHERE l.merchant_id = %s AND lower(l.{column}) = lower(%s)",
        [merchant, keyword],
    )


def _source(criteria: Criteria) -> tuple[str, list[_Sql]]:
    if criteria.search == "order_id":
        return "orders_order o", [_Sql("o.number = %s", [criteria.keyword])]
    if criteria.search == "buyer_email":
        email = criteria.keyword
        matching = (
            "SELECT order_id FROM orders_contact WHERE merchant_id = %s"
            " AND lower(buyer_email) = lower(%s)"
            " UNION SELECT order_id FROM orders_contact WHERE merchant_id = %s"
            " AND lower(relay_email) = lower(%s) AND relay_email <> ''"
        )
        merchant = criteria.merchant_id
        return "orders_order o", [_Sql(f"o.id IN ({matching})", [merchant, email, merchant, email])]
    return "orders_order o", []


def _conditions(criteria: Criteria, table: str, *, ranks: Sequence[int]) -> list[_Sql]:
    conditions = [_Sql(f"{table}.merchant_id = %s", [criteria.merchant_id])]
    if len(ranks) == 1:
        conditions.append(_Sql(f"{table}.status_rank = %s", [ranks[0]]))
    elif ranks:
        conditions.append(_Sql(f"{table}.status_rank = ANY(%s)", [list(ranks)]))
    if criteria.attention is None:
        conditions += _span(criteria, table)
    if criteria.sub_types:
        conditions.append(_Sql(f"{table}.sub_type = ANY(%s)", [list(criteria.sub_types)]))
    return conditions


def _span(criteria: Criteria, table: str) -> list[_Sql]:
    span = []
    if criteria.from_at is not None:
        span.append(_Sql(f"{table}.purchased_at >= %s", [criteria.from_at]))
    if criteria.to_at is not None:
        span.append(_Sql(f"{table}.purchased_at < %s", [criteria.to_at]))
    return span or [_Sql("true")]


def _behind(cursor: Cursor, sort: Sort, rank: int | None) -> list[_Sql]:
    """Leave out what was read before the cursor, which stands in one of the branches."""
    sign = "<" if sort.descending else ">"
    key = _Sql(f"(o.purchased_at, o.number) {sign} (%s, %s)", [cursor.purchased_at, cursor.number])
    if sort.by == "date" or rank is None or rank == cursor.rank:
        return [key]
    ahead = rank < cursor.rank if sort.descending else rank > cursor.rank
    return [] if ahead else [_Sql("false")]


def _order(sort: Sort) -> str:
    way = "DESC" if sort.descending else "ASC"
    first = f"status_rank {way}, " if sort.by == "status" else ""
    return f"{first}purchased_at {way}, number {way}"


def _attention(merchant_id: int, at: datetime, table: str) -> list[_Sql]:
    return [
        _Sql(f"{table}.merchant_id = %s", [merchant_id]),
        _Sql(f"{table}.status IN ('unshipped', 'partially_shipped')"),
        _is_pressing(table, at),
    ]


def _is_pressing(table: str, at: datetime) -> _Sql:
    return _Sql(
        f"({table}.ship_by_at < %s"
        f" OR ({table}.status = 'unshipped' AND {table}.page_warning_at <= %s))",
        [at, at],
    )


def _older(criteria: Criteria) -> _Sql:
    """Count open orders outside the chosen range (LIST-05)."""
    outside: list[_Sql] = []
    if criteria.from_at is not None:
        outside.append(_Sql("o.purchased_at < %s", [criteria.from_at]))
    if criteria.to_at is not None:
        outside.append(_Sql("o.purchased_at >= %s", [criteria.to_at]))
    text = " OR ".join(part.text for part in outside) or "false"
    values = [value for part in outside for value in part.values]
    return _capped(
        "orders_order o",
        [
            _Sql("o.merchant_id = %s", [criteria.merchant_id]),
            _Sql("o.status_rank = ANY(%s)", [list(OPEN_RANKS)]),
            _Sql(f"({text})", values),
        ],
    )


def _search_counts(criteria: Criteria, at: datetime) -> dict[str, int]:
    """Count what a search finds, by status."""
    conditions = _and(_conditions(criteria, "o", ranks=()))
    if criteria.search in _BY_ITEM:
        titles, span = _titles(criteria), _and(_span(criteria, "i"))
        found = _Sql(
            "SELECT o.id, o.status_rank, o.status FROM orders_item i"
            " JOIN orders_order o ON o.id = i.order_id"
            f" WHERE i.sold_as_id = ANY(ARRAY({titles.text})) AND {span.text}"
            f" AND {conditions.text} LIMIT %s",
            [*titles.values, *span.values, *conditions.values, MOST_COUNTED + 1],
        )
    else:
        source, extra = _source(criteria)
        where = _and([*extra, conditions])
        found = _Sql(
            f"SELECT o.id, o.status_rank, o.status FROM {source} WHERE {where.text} LIMIT %s",
            [*where.values, MOST_COUNTED + 1],
        )
    statement = f"SELECT status, count(DISTINCT id) FROM ({found.text}) AS found GROUP BY status"
    numbers = {status.value: 0 for status in S}
    with connection.cursor() as cursor:
        cursor.execute(statement, found.values)
        numbers |= dict(cursor.fetchall())
    attention = _capped("orders_order o", _attention(criteria.merchant_id, at, "o"))
    return {**numbers, **_numbers(["attention"], [attention]), "older": 0}


def _capped(source: str, conditions: Sequence[_Sql]) -> _Sql:
    where = _and(conditions)
    return _Sql(
        f"(SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {where.text} LIMIT %s) AS capped)",
        [*where.values, MOST_COUNTED + 1],
    )


def _numbers(names: Sequence[str], parts: Sequence[_Sql]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(part.text for part in parts),
            [value for part in parts for value in part.values],
        )
        return dict(zip(names, cursor.fetchone(), strict=True))


def _and(conditions: Sequence[_Sql]) -> _Sql:
    return _Sql(
        " AND ".join(condition.text for condition in conditions) or "true",
        [value for condition in conditions for value in condition.values],
    )


def total(numbers: Mapping[str, int], statuses: Sequence[OrderStatus]) -> int:
    """Add up the counts of some statuses; all when none is named."""
    return sum(numbers[status.value] for status in statuses or tuple(S))
