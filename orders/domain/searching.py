"""The five searches: the catalogue or the contacts first, orders from them (performance 3)."""

from __future__ import annotations

from django.db import connection

from orders.domain import numbers
from orders.domain.criteria import COLUMNS, Criteria, Reading, Sql, all_of, conditions, one_of, span
from orders.enums import OrderStatus

MOST_FOUND = 1000  # beyond it the counts of a search are a lower bound

_BY_ITEM = frozenset({"sku", "listing_id", "product_name"})
_EMAILS = (
    "c.merchant_id = %s AND lower(c.buyer_email) = lower(%s)",
    "c.merchant_id = %s AND lower(c.relay_email) = lower(%s) AND c.relay_email <> ''",
)


def walk(reading: Reading) -> Sql:
    """Return the statement that finds the first rows of a search, in no order."""
    criteria = reading.criteria
    if criteria.search in _BY_ITEM:
        return _by_item(reading)
    if criteria.search == "buyer_email":
        return one_of((_by_email(reading, matching) for matching in _EMAILS), by="UNION")
    where = all_of([*reading.conditions(), Sql("o.number = %s", [criteria.keyword])])
    return Sql(f"SELECT {COLUMNS} FROM orders_order o WHERE {where.text}", where.values)


def kind_of(merchant_id: int, text: str) -> str:
    """Tell by its shape, then by the catalogue, what a text typed in the plain box looks for."""
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


def counts(criteria: Criteria) -> tuple[dict[str, int], bool]:
    """Count what a search finds by status, and tell whether there is more than was counted."""
    found = _found(criteria)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, count(DISTINCT id), count(*)"
            f" FROM ({found.text} LIMIT %s) AS found GROUP BY status",
            [*found.values, MOST_FOUND + 1],
        )
        rows = cursor.fetchall()
    by_status = {status: orders for status, orders, _met in rows}
    is_bounded = sum(met for _status, _orders, met in rows) > MOST_FOUND
    return {status.value: by_status.get(status.value, 0) for status in OrderStatus}, is_bounded


def _by_item(reading: Reading) -> Sql:
    """Find the titles first, then walk along each one's items: the same cost at any size.

    Of many titles only those are walked whose first item is among the first: behind so many
    instants nothing of another title can stand on the page. WITH TIES, because items are in the
    order of instants only: an order left out at the page's edge would never be met again.
    """
    way, titles = reading.sort.way, _titles(reading.criteria)
    where = all_of([*reading.span("i"), *reading.conditions()])
    walk = (
        "FROM orders_item i JOIN orders_order o ON o.id = i.order_id"
        f" WHERE i.sold_as_id = t.id AND {where.text} ORDER BY i.purchased_at {way}"
    )
    first = (
        f"SELECT t.id, dense_rank() OVER (ORDER BY edge.purchased_at {way}) AS place"
        f" FROM ({titles.text}) AS t,"
        f" LATERAL (SELECT i.purchased_at {walk} LIMIT 1) AS edge"
    )
    return Sql(
        f"SELECT DISTINCT found.* FROM (SELECT id FROM ({first}) AS t WHERE place <= %s) AS t,"
        f" LATERAL (SELECT {COLUMNS} {walk} FETCH FIRST %s ROWS WITH TIES) AS found",
        [*titles.values, *where.values, reading.limit, *where.values, reading.limit],
    )


def _by_email(reading: Reading, matching: str) -> Sql:
    """Walk along one buyer's contacts, in the order of their instants, ties as above."""
    criteria = reading.criteria
    mine = Sql(matching, [criteria.merchant_id, criteria.keyword])
    where = all_of([mine, *reading.span("c"), *reading.conditions()])
    return Sql(
        f"SELECT {COLUMNS} FROM orders_contact c JOIN orders_order o ON o.id = c.order_id"
        f" WHERE {where.text} ORDER BY c.purchased_at {reading.sort.way}"
        " FETCH FIRST %s ROWS WITH TIES",
        [*where.values, reading.limit],
    )


def _found(criteria: Criteria) -> Sql:
    """Orders that a search finds, of whatever status; one stands as often as it is met."""
    about = conditions(criteria, ranks=())
    columns = "SELECT o.id, o.status FROM orders_order o"
    if criteria.search in _BY_ITEM:
        titles = _titles(criteria)
        where = all_of([*span(criteria, "i"), *about])
        return Sql(
            f"{columns} JOIN orders_item i ON i.order_id = o.id"
            f" WHERE i.sold_as_id = ANY(ARRAY({titles.text})) AND {where.text}",
            [*titles.values, *where.values],
        )
    if criteria.search == "buyer_email":
        mine = [criteria.merchant_id, criteria.keyword]
        emails = one_of(
            (
                Sql(f"SELECT c.order_id FROM orders_contact c WHERE {where.text}", where.values)
                for matching in _EMAILS
                for where in [all_of([Sql(matching, mine), *span(criteria, "c")])]
            ),
            by="UNION",
        )
        where = all_of(about)
        return Sql(
            f"{columns} JOIN ({emails.text}) AS c ON c.order_id = o.id WHERE {where.text}",
            [*emails.values, *where.values],
        )
    where = all_of([*about, Sql("o.number = %s", [criteria.keyword])])
    return Sql(f"{columns} WHERE {where.text}", where.values)


def _titles(criteria: Criteria) -> Sql:
    """The titles sold that match: all of a listing's for its SKU or ID, else by their words."""
    merchant, keyword = criteria.merchant_id, criteria.keyword
    if criteria.search == "product_name":
        escaped = keyword.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return Sql(
            "SELECT id FROM catalog_listingtitle"
            " WHERE upper(title) LIKE upper(%s) AND merchant_id = %s",
            [f"%{escaped}%", merchant],
        )
    return Sql(
        "SELECT t.id FROM catalog_listing l JOIN catalog_listingtitle t ON t.listing_id = l.id"
        f" WHERE l.merchant_id = %s AND lower(l.{criteria.search}) = lower(%s)",
        [merchant, keyword],
    )
