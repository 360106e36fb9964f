"""The floors: the same work by hand, with the same effects.

Of the list: the statements one would write for exactly this page. Of placing: every row the verb
wrote, inserted by one statement a table, with all constraints and triggers of the database. Of
slips: the same words in the plainest document that still is a slip. Of sweeps: one chain of
statements over all orders that are due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from django.db import connection, transaction

from orders.documents import Slip
from orders.domain.listing import MOST_COUNTED, MOST_PINNED, Cursor

# Who is asking: the session, then the person with shop, policy and rights.
SESSION = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > now()"
PERSON = """
SELECT u.id, u.email, u.name, m.id, m.is_owner, m.list_page_size, m.paper_size, shop.*, place.*,
       ARRAY(SELECT function || level FROM accounts_grant g WHERE g.membership_id = m.id)
FROM accounts_user u
JOIN accounts_membership m ON m.user_id = u.id AND m.removed_at IS NULL
JOIN accounts_merchant shop ON shop.id = m.merchant_id
JOIN accounts_marketplace place ON place.id = shop.marketplace_id
WHERE u.email = %s"""
ROWS = """
WITH page AS (SELECT * FROM ({branches}) AS branches ORDER BY {order} LIMIT 26)
SELECT o.*, c.reason, i.line, i.sku, i.title, i.quantity_purchased
FROM page JOIN orders_order o ON o.id = page.id
LEFT JOIN orders_cancellation c ON c.order_id = o.id
JOIN orders_item i ON i.order_id = o.id AND i.line <= 2"""
BRANCH = """
(SELECT id, purchased_at, number FROM orders_order WHERE merchant_id = %(merchant)s {conditions}
 ORDER BY {order} LIMIT 26)"""
PRESSING = """
AND (ship_by_at < %(at)s OR (status = 'unshipped' AND page_warning_at <= %(at)s))"""
PINNED = """
WITH older AS (
  (SELECT id FROM orders_order WHERE merchant_id = %(merchant)s AND status_rank IN (1, 2)
     AND purchased_at < %(from)s ORDER BY purchased_at LIMIT 1)
  UNION
  (SELECT id FROM orders_order WHERE merchant_id = %(merchant)s AND status = 'unshipped'
     AND page_warning_at <= %(at)s AND purchased_at < %(from)s
   ORDER BY page_warning_at LIMIT %(most_pinned)s))
SELECT o.*, i.line, i.sku, i.title, i.quantity_purchased
FROM older JOIN orders_order o ON o.id = older.id
JOIN orders_item i ON i.order_id = o.id AND i.line <= 2"""
COUNTED = """
(SELECT count(*) FROM (SELECT 1 FROM orders_order WHERE merchant_id = %(merchant)s {conditions}
                       LIMIT %(most)s) AS capped)"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one page of the list shows.

    ranks: of the statuses shown, each in a branch of its own; empty reads all in one.
    attention: open orders that are late or at risk, whatever ``from_at`` says.
    """

    merchant_id: int
    at: datetime
    ranks: tuple[int, ...] = ()
    from_at: datetime | None = None
    descending: bool = False
    cursor: Cursor | None = None
    attention: bool = False
    pins: bool = False


def list_page(shown: Shown, *, session_key: str, email: str) -> None:
    """Read everything a page of the list shows: who asks, its rows, the counts of its tabs."""
    values: dict[str, Any] = {
        "merchant": shown.merchant_id,
        "at": shown.at,
        "from": shown.from_at,
        "most": MOST_COUNTED + 1,
        "most_pinned": MOST_PINNED,
    }
    span = "AND purchased_at >= %(from)s" if shown.from_at is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(SESSION, [session_key])
        cursor.execute(PERSON, [email])
        if shown.pins:
            cursor.execute(PINNED, values)
        cursor.execute(_rows(shown, span, values), values)
        cursor.execute(_counts(span, shown.from_at is not None), values)
        cursor.fetchall()


def _rows(shown: Shown, span: str, values: dict[str, Any]) -> str:
    way, sign = ("DESC", "<") if shown.descending else ("ASC", ">")
    order = f"purchased_at {way}, number {way}"
    conditions = PRESSING if shown.attention else span
    if shown.cursor is not None:
        conditions += f" AND (purchased_at, number) {sign} (%(after)s, %(number)s)"
        values |= {"after": shown.cursor.purchased_at, "number": shown.cursor.number}
    branches = [
        BRANCH.format(conditions=f"AND status_rank = {rank} {conditions}", order=order)
        for rank in shown.ranks
    ] or [BRANCH.format(conditions=conditions, order=order)]
    return ROWS.format(branches=" UNION ALL ".join(branches), order=order)


def _counts(span: str, ranged: bool) -> str:
    conditions = [f"AND status_rank = {rank} {span}" for rank in range(5)]
    conditions.append(f"AND status IN ('unshipped', 'partially_shipped') {PRESSING}")
    if ranged:
        conditions.append("AND status_rank IN (1, 2) AND purchased_at < %(from)s")
    return "SELECT " + ", ".join(COUNTED.format(conditions=text) for text in conditions)


# Rows of one batch as they stand, with what makes each a row of its own: keys, numbers, stock.
# {table: (key of the order, columns that move on)}
STAGED: dict[str, tuple[str, dict[str, str]]] = {
    "orders_order": (
        "id",
        {
            "id": "id + %(orders)s",
            "number": "translate(number, '0123456789', '3456789012')",
            "merchant_order_number": "merchant_order_number || %(round)s",
        },
    ),
    "orders_item": (
        "order_id",
        {
            "id": "id + %(items)s",
            "order_id": "order_id + %(orders)s",
            "number": "translate(number, '0123456789', '3456789012')",
        },
    ),
    "orders_contact": ("order_id", {"order_id": "order_id + %(orders)s"}),
    "payments_payment": ("order_id", {"order_id": "order_id + %(orders)s"}),
    "catalog_stockchange": (
        "order_id",
        {
            "id": "nextval(pg_get_serial_sequence('catalog_stockchange', 'id'))",
            "order_id": "order_id + %(orders)s",
            "before": "before + moved.units",
            "after": "after + moved.units",
        },
    ),
    "audit_entry": (
        "order_id",
        {
            "id": "nextval(pg_get_serial_sequence('audit_entry', 'id'))",
            "order_id": "order_id + %(orders)s",
            "number": "number + %(entries)s",
        },
    ),
    "notifications_outbox": (
        "order_id",
        {
            "id": "nextval(pg_get_serial_sequence('notifications_outbox', 'id'))",
            "order_id": "order_id + %(orders)s",
            "event_key": "event_key || %(round)s",
        },
    ),
}


class Batch:
    """A batch that the verb placed, staged so that the same rows can be inserted once more."""

    def __init__(self, order_ids: Sequence[int], number: int) -> None:
        self.order_ids = list(order_ids)
        self.number = number
        self.columns: dict[str, str] = {}

    def stage(self) -> None:
        """Copy the batch's rows into temporary tables, made rows of their own. Not timed."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT count(*) FROM orders_item WHERE order_id = ANY(%(ids)s)),"
                " (SELECT count(*) FROM audit_entry WHERE order_id = ANY(%(ids)s))",
                {"ids": self.order_ids},
            )
            items, entries = cursor.fetchone()
            values = {
                "ids": self.order_ids,
                "orders": len(self.order_ids),
                "items": items,
                "entries": entries,
                "round": f"-{self.number}",
            }
            cursor.execute(
                "DROP TABLE IF EXISTS moved; CREATE TEMP TABLE moved AS"
                " SELECT listing_id, sum(after - before)::int AS units FROM catalog_stockchange"
                " WHERE order_id = ANY(%(ids)s) GROUP BY listing_id",
                values,
            )
            for table, (key, changes) in STAGED.items():
                columns = columns_of(table)
                self.columns[table] = ", ".join(columns)
                select = ", ".join(
                    changes[name] + f" AS {name}" if name in changes else f"t.{name}"
                    for name in columns
                )
                join = " JOIN moved USING (listing_id)" if table == "catalog_stockchange" else ""
                cursor.execute(
                    f"DROP TABLE IF EXISTS staged_{table}; CREATE TEMP TABLE staged_{table} AS"
                    f" SELECT {select} FROM {table} t{join} WHERE t.{key} = ANY(%(ids)s)"
                    f" ORDER BY t.{key}",
                    values,
                )
            for table, count in (("orders_order", len(self.order_ids)), ("orders_item", items)):
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT max(id) FROM "
                    f"{table}) + %s)",
                    [table, count],
                )

    def insert(self) -> None:
        """Insert the staged rows by one statement a table, inside the caller's transaction."""
        with connection.cursor() as cursor:
            for table, columns in self.columns.items():
                cursor.execute(
                    f"INSERT INTO {table} ({columns}) SELECT {columns} FROM staged_{table}"
                )
            cursor.execute(
                "UPDATE catalog_listing l SET quantity_available = quantity_available + m.units"
                " FROM moved m WHERE m.listing_id = l.id"
            )
            cursor.execute(
                "UPDATE audit_historycounter c SET last = c.last + e.lines"
                " FROM (SELECT merchant_id, count(*) AS lines FROM staged_audit_entry"
                " GROUP BY merchant_id) AS e"
                " WHERE e.merchant_id = c.merchant_id"
            )


def columns_of(table: str) -> list[str]:
    """Return the columns of a table that are written, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND is_generated = 'NEVER' AND column_name <> 'xid' ORDER BY ordinal_position",
            [table],
        )
        return [row[0] for row in cursor.fetchall()]


# One chain over all orders that are due, in one transaction: no guards, no chunks.
_TAKE_OVERDUE = """
CREATE TEMP TABLE swept ON COMMIT DROP AS
SELECT id, merchant_id, total, currency, clock_timestamp() AS at FROM orders_order
WHERE status = 'unshipped' AND deadline_at <= now() ORDER BY id FOR UPDATE"""
_TAKE_TO_WARN = """
CREATE TEMP TABLE swept ON COMMIT DROP AS
SELECT id, merchant_id, clock_timestamp() AS at FROM orders_order
WHERE status = 'unshipped' AND email_warning_at <= now() AND deadline_at > now()
  AND NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.order_id = orders_order.id
                  AND e.event = 'order.confirmation_warned')
ORDER BY id FOR UPDATE"""
_CANCEL = (
    """
INSERT INTO catalog_stockchange (merchant_id, listing_id, order_id, cause, before, after,
                                 changed_at)
SELECT l.merchant_id, l.id, m.order_id, 'cancellation',
       l.quantity_available + m.running - m.units, l.quantity_available + m.running, m.at
FROM (SELECT i.listing_id, i.order_id, s.at, sum(i.quantity_purchased) AS units,
             sum(sum(i.quantity_purchased)) OVER (PARTITION BY i.listing_id ORDER BY i.order_id)
               AS running
      FROM swept s JOIN orders_item i ON i.order_id = s.id
      GROUP BY i.listing_id, i.order_id, s.at) AS m
JOIN catalog_listing l ON l.id = m.listing_id ORDER BY m.order_id""",
    """
UPDATE catalog_listing l SET quantity_available = l.quantity_available + b.units
FROM (SELECT i.listing_id, sum(i.quantity_purchased) AS units
      FROM swept s JOIN orders_item i ON i.order_id = s.id GROUP BY i.listing_id) AS b
WHERE l.id = b.listing_id""",
    """
INSERT INTO orders_cancellation (order_id, merchant_id, move, reason, counts, zeroed_out, note,
                                 cancelled_at, cancelled_by, door)
SELECT id, merchant_id, 'T10', 'NotConfirmedInTime', true, false, '', at, 'benchmark', 'job'
FROM swept""",
    """
INSERT INTO payments_operation (order_id, merchant_id, purpose, sequence, key, amount, currency,
                                state, plan, reference, error_code, attempts, created_at)
SELECT id, merchant_id, 'void', 1, gen_random_uuid(), total, currency, 'intended', '{}', '', '', 0,
       at
FROM swept""",
    """
UPDATE orders_order o SET status = 'cancelled', payment_state = 'voided', version = version + 1,
       cancelled_at = s.at
FROM swept s WHERE s.id = o.id""",
)
_HISTORY = """
WITH counted AS (
  UPDATE audit_historycounter c SET last = last + n.lines
  FROM (SELECT merchant_id, count(*) AS lines FROM swept GROUP BY merchant_id) AS n
  WHERE n.merchant_id = c.merchant_id RETURNING c.merchant_id, c.last - n.lines AS before
), told AS (
  INSERT INTO audit_entry (merchant_id, number, order_id, event, happened_at, door, actor, before,
                           after)
  SELECT merchant_id, c.before + row_number() OVER (PARTITION BY merchant_id ORDER BY s.id), s.id,
         %(event)s, s.at, 'job', 'benchmark', %(before)s, %(after)s
  FROM swept s JOIN counted c USING (merchant_id) RETURNING merchant_id, order_id, number,
       happened_at
)
INSERT INTO notifications_outbox (merchant_id, order_id, channel, kind, event_key, payload, state,
                                  attempts, created_at, available_at, last_error)
SELECT merchant_id, order_id, channel, kind,
       'history-' || merchant_id || '-' || number || ':' || kind,
       jsonb_build_object('history', number), 'queued', 0, happened_at, happened_at, ''
FROM told, unnest(%(kinds)s, %(channels)s) AS owed (kind, channel)"""


def cancel_chain() -> None:
    """Cancel every order that is overdue, with all its rows."""
    values: dict[str, Any] = {
        "event": "order.auto_cancelled",
        "before": '{"status": "unshipped"}',
        "after": '{"move": "T10", "status": "cancelled", "reason": "NotConfirmedInTime",'
        ' "zeroed_out": false}',
        "kinds": ["N08", "N09", "OrderCancelledNotification"],
        "channels": ["merchant_email", "buyer_email", "notification"],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_TAKE_OVERDUE, *_CANCEL):
            cursor.execute(statement)
        cursor.execute(_HISTORY, values)


def warn_chain() -> None:
    """Warn of every order whose time has come, with all its rows."""
    values: dict[str, Any] = {
        "event": "order.confirmation_warned",
        "before": "{}",
        "after": "{}",
        "kinds": ["N07"],
        "channels": ["merchant_email"],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE_TO_WARN)
        cursor.execute(_HISTORY, values)


def slips_html(slips: Sequence[Slip]) -> str:
    """Return a minimal document with the words of the slips, a page each."""
    pages = "".join(_slip(slip) for slip in slips)
    return (
        "<!doctype html><html lang='en-GB'><head><meta charset='utf-8'><style>"
        "@page { size: A4; margin: 14mm } article { break-after: page } table { width: 100% }"
        " td, th { text-align: left; vertical-align: top } </style></head>"
        f"<body>{pages}</body></html>"
    )


def _slip(slip: Slip) -> str:
    order = slip.order
    shop = order.merchant
    lines = "".join(
        f"<tr><td>{line['item'].quantity_purchased}</td>"
        f"<td>{escape(line['item'].title)}<br>SKU {escape(line['item'].sku)}"
        f" Listing ID {line['item'].listing.listing_id}<br>order-item-id {line['item'].number}</td>"
        f"<td>{'<br>'.join(f'{label} £{amount}' for label, amount in line['parts'])}</td>"
        f"<td>£{line['total']}</td><td></td></tr>"
        for line in slip.items
    )
    address = "<br>".join(map(escape, slip.address_lines))
    sender = ", ".join(map(escape, slip.sender))
    purchased = order.purchased_at.astimezone(order.marketplace.zone)
    return (
        f"<article><p>From {escape(shop.name)} {sender}</p>"
        f"<p>Service {slip.service} Ship by {order.ship_by_at:%d %b %Y}</p>"
        f"<p>Ship to<br>{address}</p><p>{order.number} {slip.units} units</p>"
        "<p>Cut here. The label goes on the parcel, the slip goes inside.</p>"
        f"<p>{escape(shop.name)} {sender}</p><h1>Packing slip</h1>"
        f"<h2>Ship to</h2><p>{address}</p><h2>Order</h2>"
        f"<table><tr><th>Order ID</th><td>{order.number}</td></tr>"
        f"<tr><th>Purchase date</th><td>{purchased:%d %b %Y}</td></tr>"
        f"<tr><th>Buyer</th><td>{escape(order.buyer_name)}</td></tr>"
        f"<tr><th>Shipping service</th><td>{slip.service}</td></tr></table>"
        f"<table><caption>{len(slip.items)} products, {slip.units} units</caption>"
        "<thead><tr><th>Quantity</th><th>Product details</th><th>Amounts</th><th>Total</th>"
        f"<th>Packed</th></tr></thead><tbody>{lines}<tr><td></td><td>Order total</td><td></td>"
        f"<td>£{order.total}</td><td></td></tr></tbody></table>"
        "<h2>Returns</h2><p>Ask the seller before you send anything back.</p>"
        "<h2>Questions</h2></article>"
    )
