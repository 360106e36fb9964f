"""What a list is asked for, and the pieces of SQL that say so.

Every statement begins with the merchant, reads an index in its order and stops at the page's end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orders.enums import STATUS_RANK, OrderStatus

OPEN_RANKS = (STATUS_RANK[OrderStatus.UNSHIPPED], STATUS_RANK[OrderStatus.PARTIALLY_SHIPPED])
COLUMNS = "o.id, o.status_rank, o.purchased_at, o.number"


@dataclass(frozen=True, slots=True)
class Pressing:
    """Open orders that press at an instant, for any of some reasons.

    reasons: of ``REASONS``. day_ends: the last second of the local day of the instant.
    """

    at: datetime
    reasons: tuple[str, ...]
    day_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is looked for, of one merchant.

    statuses: the ones shown; empty stands for all. pressing: instead of statuses and dates.
    from_at, to_at: bounds of the purchase instant, the latter exclusive; None is open.
    by: "", or what the bounds are about instead: "confirmed", "cancelled" or "refunded".
    search: "", "order_id", "buyer_email", "sku", "listing_id" or "product_name"; with ``keyword``.
    """

    merchant_id: int
    statuses: tuple[OrderStatus, ...] = ()
    pressing: Pressing | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    sub_types: tuple[str, ...] = ()
    search: str = ""
    keyword: str = ""
    by: str = ""


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

    @property
    def way(self) -> str:
        return "DESC" if self.descending else "ASC"

    def columns(self) -> str:
        """Return what a page is ordered by."""
        first = f"status_rank {self.way}, " if self.by == "status" else ""
        return f"{first}purchased_at {self.way}, number {self.way}"


@dataclass(slots=True)
class Sql:
    """A piece of a statement with its values."""

    text: str
    values: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """One walk along an index: which rows, from where, in which direction, how many.

    ranks: of the statuses read together; empty reads all.
    """

    criteria: Criteria
    sort: Sort
    limit: int
    cursor: Cursor | None = None
    ranks: tuple[int, ...] = ()

    def conditions(self) -> list[Sql]:
        """Return what an order of this walk fulfils, of the order's table ``o``."""
        parts = conditions(self.criteria, ranks=self.ranks)
        return parts + self._behind()

    def span(self, table: str) -> list[Sql]:
        """Bound the purchase instant that another table repeats, so that its index is cut, too."""
        parts = span(self.criteria, table)
        if self.cursor is not None and self.sort.by == "date":
            sign = "<=" if self.sort.descending else ">="
            parts.append(Sql(f"{table}.purchased_at {sign} %s", [self.cursor.purchased_at]))
        return parts

    def _behind(self) -> list[Sql]:
        """Leave out what was read before the cursor, which stands in one of the walks."""
        cursor, sort = self.cursor, self.sort
        if cursor is None:
            return []
        sign = "<" if sort.descending else ">"
        values = [cursor.purchased_at, cursor.number]
        key = Sql(f"(o.purchased_at, o.number) {sign} (%s, %s)", values)
        if sort.by == "date" or self.ranks == (cursor.rank,):
            return [key]
        (rank,) = self.ranks
        ahead = rank < cursor.rank if sort.descending else rank > cursor.rank
        return [] if ahead else [Sql("false")]


def conditions(criteria: Criteria, *, ranks: Sequence[int]) -> list[Sql]:
    """Return what an order fulfils, the merchant first."""
    parts = [Sql("o.merchant_id = %s", [criteria.merchant_id])]
    if len(ranks) == 1:
        parts.append(Sql("o.status_rank = %s", [ranks[0]]))
    elif ranks:
        parts.append(Sql("o.status_rank = ANY(%s)", [list(ranks)]))
    if criteria.pressing is not None:
        parts.append(is_pressing(criteria.merchant_id, criteria.pressing))
    elif not criteria.by:
        parts += span(criteria, "o")
    if criteria.sub_types:
        parts.append(Sql("o.sub_type = ANY(%s)", [list(criteria.sub_types)]))
    return parts


def span(criteria: Criteria, table: str) -> list[Sql]:
    """Bound the purchase instant of a table."""
    parts = []
    if criteria.from_at is not None:
        parts.append(Sql(f"{table}.purchased_at >= %s", [criteria.from_at]))
    if criteria.to_at is not None:
        parts.append(Sql(f"{table}.purchased_at < %s", [criteria.to_at]))
    return parts


def _late(merchant_id: int, now: Pressing) -> Sql:
    return Sql("o.ship_by_at < %s", [now.at])


def _at_risk(merchant_id: int, now: Pressing) -> Sql:
    return Sql("o.status = 'unshipped' AND o.page_warning_at <= %s", [now.at])


def _asked_back(merchant_id: int, now: Pressing) -> Sql:
    """A cancellation request waits for an answer; found by the requests' own index."""
    return Sql(
        "o.id IN (SELECT r.order_id FROM orders_buyerrequest r WHERE r.merchant_id = %s"
        " AND r.state IN ('open', 'escalated') AND r.answer_by_at IS NOT NULL)",
        [merchant_id],
    )


def _today(merchant_id: int, now: Pressing) -> Sql:
    return Sql("o.ship_by_at >= %s AND o.ship_by_at <= %s", [now.at, now.day_ends or now.at])


# Why an open order presses, each with the column of the index that finds it.
REASONS: Mapping[str, tuple[Callable[[int, Pressing], Sql], str]] = {
    "late": (_late, "o.ship_by_at"),
    "at_risk": (_at_risk, "o.page_warning_at"),
    "asked_back": (_asked_back, "o.purchased_at"),
    "today": (_today, "o.ship_by_at"),
}
ATTENTION = ("late", "at_risk", "asked_back")


def is_pressing(merchant_id: int, now: Pressing) -> Sql:
    """Whether an open order presses for a reason (SHIP-19, AUTO-08, BUYERCANCEL-03)."""
    parts = [REASONS[reason][0](merchant_id, now) for reason in now.reasons]
    return Sql(
        "(" + " OR ".join(f"({part.text})" for part in parts) + ")",
        [value for part in parts for value in part.values],
    )


def pressing_for(reason: str, merchant_id: int, now: Pressing) -> Sql:
    """Open orders of a merchant that press for one reason, as its own index finds them."""
    why = REASONS[reason][0](merchant_id, now)
    return Sql(
        "o.merchant_id = %s AND o.status IN ('unshipped', 'partially_shipped') AND " + why.text,
        [merchant_id, *why.values],
    )


# Where it stands what happened to orders, when, and what does not count.
_HAPPENED: Mapping[str, tuple[str, str]] = {
    "confirmed": ("orders_shipment", "confirmed_at"),
    "cancelled": ("orders_cancellation", "cancelled_at"),
    "refunded": ("orders_refund", "submitted_at"),
}


def happened(criteria: Criteria, most: int) -> Sql:
    """Return the keys of the orders to which it happened within the bounds, the last ``most``."""
    table, column = _HAPPENED[criteria.by]
    where = [Sql("e.merchant_id = %s", [criteria.merchant_id])]
    if criteria.from_at is not None:
        where.append(Sql(f"e.{column} >= %s", [criteria.from_at]))
    if criteria.to_at is not None:
        where.append(Sql(f"e.{column} < %s", [criteria.to_at]))
    if criteria.by == "refunded":
        where.append(Sql("e.state <> 'failed'"))
    found = all_of(where)
    return Sql(
        f"SELECT DISTINCT order_id FROM (SELECT e.order_id FROM {table} e WHERE {found.text}"
        f" ORDER BY e.{column} DESC LIMIT %s) AS newest",
        [*found.values, most],
    )


def all_of(parts: Iterable[Sql]) -> Sql:
    """Join conditions."""
    parts = list(parts)
    return Sql(
        " AND ".join(part.text for part in parts) or "true",
        [value for part in parts for value in part.values],
    )


def one_of(parts: Iterable[Sql], *, by: str = "UNION ALL") -> Sql:
    """Put walks together."""
    parts = list(parts)
    return Sql(
        f" {by} ".join(f"({part.text})" for part in parts),
        [value for part in parts for value in part.values],
    )
