"""The sweeps' verbs written by sets: the same rows as the single verbs, a statement a table.

The single verb is ``cancellations.cancel_overdue`` and ``deadline_warnings.warn``; a property test
holds each to its twin. Callers hold the locks of the orders, in key order, and have asked the
guards; what is locked here follows in the same order as everywhere: listings, then the counters of
the history, each by key (reliability 0.5).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from core import clock
from core.actor import Actor
from core.jobs import nudge
from core.logs import request_id
from notifications.domain import outbox
from orders.domain import moves
from orders.effects import due_messages
from orders.enums import Act, CancelCause, OrderEvent, OrderStatus, PaymentState
from orders.models import Order

# The orders, their merchants and instants, as every statement below reads them. A big table is
# asked for its rows by ``= ANY`` beside the join, so that no plan reads it whole.
_DUE = """
WITH due AS (
  SELECT * FROM unnest(%(orders)s::bigint[], %(merchants)s::bigint[], %(instants)s::timestamptz[])
    AS d (order_id, merchant_id, at)
)"""

_LOCK_LISTINGS = """
SELECT id FROM catalog_listing
WHERE id IN (SELECT listing_id FROM orders_item WHERE order_id = ANY(%(orders)s))
ORDER BY id FOR NO KEY UPDATE"""

# Each order's units go back to each listing; the journal says from what to what, order by order.
_RETURN_UNITS = (
    _DUE
    + """, moved AS (
  SELECT i.listing_id, i.order_id, d.at, min(i.line) AS line, sum(i.quantity_purchased) AS units
  FROM due d JOIN orders_item i USING (order_id) WHERE i.order_id = ANY(%(orders)s)
  GROUP BY i.listing_id, i.order_id, d.at
), journal AS (
  INSERT INTO catalog_stockchange (merchant_id, listing_id, order_id, cause, before, after,
                                   changed_at)
  SELECT merchant_id, listing_id, order_id, 'cancellation', after - units, after, at
  FROM (SELECT m.*, l.merchant_id, l.quantity_available
               + sum(m.units) OVER (PARTITION BY m.listing_id ORDER BY m.order_id) AS after
        FROM moved m JOIN catalog_listing l ON l.id = m.listing_id) AS running
  ORDER BY order_id, line
)
UPDATE catalog_listing l SET quantity_available = l.quantity_available + back.units
FROM (SELECT listing_id, sum(units) AS units FROM moved GROUP BY listing_id) AS back
WHERE l.id = back.listing_id"""
)

_CANCEL = (
    _DUE
    + """, reasons AS (
  INSERT INTO orders_cancellation (order_id, merchant_id, move, reason, counts, zeroed_out, note,
                                   cancelled_at, cancelled_by, door)
  SELECT order_id, merchant_id, %(move)s, %(reason)s, true, false, '', at, %(name)s, %(door)s
  FROM due ORDER BY order_id
), voids AS (
  INSERT INTO payments_operation (order_id, merchant_id, purpose, sequence, key, amount, currency,
                                  state, plan, reference, error_code, attempts, created_at)
  SELECT d.order_id, d.merchant_id, 'void', 1 + COALESCE(p.last, 0), gen_random_uuid(), o.total,
         o.currency, 'intended', '{}', '', '', 0, %(now)s
  FROM due d JOIN orders_order o ON o.id = d.order_id
  LEFT JOIN (SELECT order_id, max(sequence) AS last FROM payments_operation
             WHERE order_id = ANY(%(orders)s) AND purpose = 'void' GROUP BY order_id) AS p
    ON p.order_id = d.order_id
  WHERE o.id = ANY(%(orders)s) ORDER BY d.order_id
)
UPDATE orders_order o
SET status = %(status)s, payment_state = %(payment)s, version = o.version + 1, cancelled_at = d.at
FROM due d WHERE o.id = d.order_id AND o.id = ANY(%(orders)s)"""
)

# A line of the history each, numbered on per merchant, and what it owes.
_TELL = (
    _DUE
    + """, per_merchant AS (
  SELECT merchant_id, count(*) AS lines FROM due GROUP BY merchant_id
), counted AS (
  INSERT INTO audit_historycounter AS c (merchant_id, last)
  SELECT merchant_id, lines FROM per_merchant ORDER BY merchant_id
  ON CONFLICT (merchant_id) DO UPDATE SET last = c.last + excluded.last
  RETURNING merchant_id, last
), told AS (
  INSERT INTO audit_entry (merchant_id, number, order_id, event, happened_at, door, actor, before,
                           after, request_id)
  SELECT d.merchant_id,
         c.last - m.lines + row_number() OVER (PARTITION BY d.merchant_id ORDER BY d.order_id),
         d.order_id, %(event)s, d.at, %(door)s, %(name)s, %(before)s::jsonb, %(after)s::jsonb,
         %(request)s
  FROM due d JOIN per_merchant m USING (merchant_id) JOIN counted c USING (merchant_id)
  ORDER BY d.order_id
  RETURNING merchant_id, order_id, number, happened_at
)
INSERT INTO notifications_outbox (merchant_id, order_id, channel, kind, event_key, payload, state,
                                  attempts, created_at, available_at, last_error, request_id)
SELECT t.merchant_id, t.order_id, owed.channel, owed.kind,
       'history-' || t.merchant_id || '-' || t.number || ':' || owed.kind,
       jsonb_build_object('history', t.number), 'queued', 0, t.happened_at, owed.available_at, '',
       %(request)s
FROM told t JOIN unnest(%(owed_by)s::bigint[], %(kinds)s::text[], %(channels)s::text[],
                        %(available)s::timestamptz[])
  WITH ORDINALITY AS owed (order_id, kind, channel, available_at, place) USING (order_id)
ORDER BY t.order_id, owed.place"""
)


def cancel_overdue(orders: Sequence[Order], instants: Mapping[int, datetime], by: Actor) -> None:
    """Cancel orders at their deadline (T10), of which none was paid in advance."""
    move = moves.move_for(Act.AUTO_CANCEL, OrderStatus.UNSHIPPED, OrderStatus.CANCELLED)
    assert move is not None, "table 4.2 has T10"
    reason = CancelCause.NOT_CONFIRMED.value
    values = _values(orders, instants, by) | {
        "move": move.name,
        "reason": reason,
        "status": OrderStatus.CANCELLED.value,
        "payment": PaymentState.VOIDED.value,
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        for statement in (_LOCK_LISTINGS, _RETURN_UNITS, _CANCEL):
            cursor.execute(statement, values)
    _tell(
        orders,
        values,
        OrderEvent.AUTO_CANCELLED,
        before={"status": OrderStatus.UNSHIPPED.value},
        after={
            "reason": reason,
            "zeroed_out": False,
            "move": move.name,
            "status": OrderStatus.CANCELLED.value,
        },
    )


def warn(orders: Sequence[Order], instants: Mapping[int, datetime], by: Actor) -> None:
    """Warn of the deadlines of orders (N07)."""
    _tell(orders, _values(orders, instants, by), OrderEvent.CONFIRMATION_WARNED)


def _values(orders: Sequence[Order], instants: Mapping[int, datetime], by: Actor) -> dict[str, Any]:
    return {
        "orders": [order.pk for order in orders],
        "merchants": [order.merchant_id for order in orders],
        "instants": [instants[order.pk] for order in orders],
        "name": by.name,
        "door": by.door,
        "request": request_id.get(),
    }


def _tell(
    orders: Sequence[Order],
    values: Mapping[str, Any],
    event: OrderEvent,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    owed = [
        (order.pk, message.kind, outbox.channel_of(message.kind), message.available_at)
        for order, at in zip(orders, values["instants"], strict=True)
        for message in due_messages(event, order, at=at)
    ]
    told: dict[str, Any] = {
        "event": event.value,
        "before": json.dumps(before or {}),
        "after": json.dumps(after or {}),
    }
    for place, name in enumerate(("owed_by", "kinds", "channels", "available")):
        told[name] = [one[place] for one in owed]
    with connection.cursor() as cursor:
        cursor.execute(_TELL, {**values, **told})
    if owed:
        nudge(outbox.SEND)
