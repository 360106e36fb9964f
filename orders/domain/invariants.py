"""Re-proving on the data what must never be false (reliability section 6), by set-based SQL."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from audit.domain import digests
from core import clock
from core.limits import long_statements
from core.runbook import runbook
from orders.enums import COMPONENTS, PROMOTIONS
from orders.models import InvariantCheck

CHECK_SECONDS = 180  # longest statement of the daily look

log = logging.getLogger(__name__)


def _signed(prefix: str = "") -> str:
    parts = (f"{'-' if c in PROMOTIONS else '+'} i.{prefix}{c}" for c in COMPONENTS)
    return " ".join(parts)


_LEDGER_KINDS = "('refund', 'refund_returned')"

# Each finds rows that should not be: (merchant, order, what is wrong).
CHECKS: Mapping[str, str] = {
    "INV-01 refund counters agree with the ledger": f"""
        SELECT i.merchant_id, i.order_id, 'item ' || i.id
        FROM orders_item i
        LEFT JOIN (SELECT item_id, sum(amount) AS amount FROM payments_ledgerline
                   WHERE kind IN {_LEDGER_KINDS} GROUP BY item_id) l ON l.item_id = i.id
        WHERE {_signed("refunded_")} <> -COALESCE(l.amount, 0)""",
    "INV-01 an order gives back what its items give back": f"""
        SELECT o.merchant_id, o.id, 'refunded ' || o.refunded_total
        FROM orders_order o
        JOIN (SELECT i.order_id, sum({_signed("refunded_")}) AS total FROM orders_item i
              GROUP BY i.order_id) s ON s.order_id = o.id
        WHERE o.refunded_total <> s.total OR o.refunded_total > o.total""",
    "INV-01 an order gives back what its refunds say": """
        SELECT o.merchant_id, o.id, 'refunded ' || o.refunded_total
        FROM orders_order o
        LEFT JOIN (SELECT order_id, sum(total) AS total FROM orders_refund
                   WHERE state <> 'failed' GROUP BY order_id) r ON r.order_id = o.id
        WHERE o.refunded_total <> COALESCE(r.total, 0)""",
    "INV-02 one capture per order": """
        SELECT merchant_id, order_id, count(*) || ' captures' FROM payments_operation
        WHERE purpose = 'capture' AND state = 'done' GROUP BY merchant_id, order_id
        HAVING count(*) > 1""",
    "INV-02 what was charged was captured": """
        SELECT o.merchant_id, o.id, 'charged without a capture' FROM orders_order o
        WHERE o.charged_at IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM payments_operation p WHERE p.order_id = o.id
          AND p.purpose = 'capture' AND p.state = 'done' AND p.amount = o.total)""",
    "INV-03 an order's total is the sum of its items": f"""
        SELECT o.merchant_id, o.id, 'total ' || o.total
        FROM orders_order o
        JOIN (SELECT i.order_id, sum({_signed()}) AS total, count(*) AS items,
                     sum(i.quantity_purchased) AS units,
                     sum(i.quantity_shipped + i.quantity_not_sent) AS confirmed
              FROM orders_item i GROUP BY i.order_id) s ON s.order_id = o.id
        WHERE (o.total, o.item_count, o.quantity_purchased, o.quantity_confirmed)
           <> (s.total, s.items, s.units, s.confirmed)""",
    "INV-03 the ledger's charges are the paid totals": """
        SELECT o.merchant_id, o.id, 'charged ' || COALESCE(l.amount, 0) || ' of ' || o.total
        FROM orders_order o
        LEFT JOIN (SELECT order_id, sum(amount) AS amount FROM payments_ledgerline
                   WHERE kind = 'charge' GROUP BY order_id) l ON l.order_id = o.id
        WHERE CASE WHEN o.charged_at IS NOT NULL OR o.advance_paid_at IS NOT NULL
                   THEN o.total ELSE 0 END <> COALESCE(l.amount, 0)""",
    "INV-04 the last move of the history is the status": """
        SELECT o.merchant_id, o.id, o.status || ' after ' || e.status
        FROM orders_order o
        JOIN LATERAL (SELECT after ->> 'status' AS status FROM audit_entry a
                      WHERE a.order_id = o.id AND after ? 'status'
                      ORDER BY a.number DESC LIMIT 1) e ON true
        WHERE e.status <> o.status""",
    "INV-05 no cancelled order has shipped or was charged": """
        SELECT o.merchant_id, o.id, 'cancelled and shipped' FROM orders_order o
        WHERE o.status = 'cancelled' AND (o.charged_at IS NOT NULL OR EXISTS (
          SELECT 1 FROM orders_shipment s WHERE s.order_id = o.id))""",
    "INV-05 every cancelled order says why": """
        SELECT o.merchant_id, o.id, 'no reason' FROM orders_order o
        WHERE (o.status = 'cancelled') <> EXISTS (
          SELECT 1 FROM orders_cancellation c WHERE c.order_id = o.id)""",
    "BUYERCANCEL-07 only an unshipped order has an open request": """
        SELECT r.merchant_id, r.order_id, o.status || ' with a request'
        FROM orders_buyerrequest r JOIN orders_order o ON o.id = r.order_id
        WHERE r.state IN ('open', 'escalated') AND o.status <> 'unshipped'""",
    "INV-06 units shipped are units in packages": """
        SELECT i.merchant_id, i.order_id, 'item ' || i.id
        FROM orders_item i
        LEFT JOIN (SELECT item_id, sum(quantity) AS units FROM orders_shipmentline
                   GROUP BY item_id) l ON l.item_id = i.id
        WHERE i.quantity_shipped <> COALESCE(l.units, 0)""",
    "INV-07 nobody is warned or cancelled at the wrong time": """
        SELECT o.merchant_id, o.id, e.event || ' at ' || e.happened_at
        FROM audit_entry e JOIN orders_order o ON o.id = e.order_id
        WHERE e.event = 'order.auto_cancelled' AND e.happened_at < o.deadline_at
           OR e.event = 'order.confirmation_warned'
              AND (e.happened_at < o.email_warning_at OR e.happened_at >= o.deadline_at)""",
    "INV-09 every fact's messages are owed": """
        SELECT e.merchant_id, e.order_id, e.event || ' ' || e.number FROM audit_entry e
        WHERE e.event IN ('order.placed', 'order.verified', 'order.shipment_confirmed',
                          'order.cancelled', 'order.auto_cancelled', 'order.refund_completed',
                          'order.confirmation_warned', 'order.request_overdue',
                          'order.request_declined',
                          'order.request_closed')
          AND NOT EXISTS (SELECT 1 FROM notifications_outbox m
            WHERE m.order_id = e.order_id
              AND m.event_key LIKE 'history-' || e.merchant_id || '-' || e.number || ':%')""",
    "INV-10 history is numbered without gaps": """
        SELECT e.merchant_id, NULL::bigint, count(*) || ' lines, last ' || max(e.number)
        FROM audit_entry e GROUP BY e.merchant_id
        HAVING count(*) <> max(e.number) OR min(e.number) <> 1""",
    "TH-56 history is as it was when it was digested": digests.ALTERED,
    "LIST-16 days are tallied as their orders are": """
        SELECT COALESCE(t.merchant_id, o.merchant_id), NULL::bigint,
               COALESCE(t.day, o.day) || ': ' || COALESCE(t.orders, 0) || ' for '
               || COALESCE(o.orders, 0)
        FROM orders_daytally t
        FULL JOIN (SELECT merchant_id, status_rank,
                          (purchased_at AT TIME ZONE 'UTC')::date AS day, count(*) AS orders
                   FROM orders_order GROUP BY 1, 2, 3) o
          ON (o.merchant_id, o.status_rank, o.day) = (t.merchant_id, t.status_rank, t.day)
        WHERE COALESCE(t.orders, 0) <> COALESCE(o.orders, 0)""",
    "INVENTORY-07 stock is the sum of its journal": """
        SELECT l.merchant_id, NULL::bigint, 'listing ' || l.id
        FROM catalog_listing l
        JOIN (SELECT listing_id, sum(after - before) AS units FROM catalog_stockchange
              GROUP BY listing_id) j ON j.listing_id = l.id
        WHERE l.quantity_available <> j.units""",
}

SUMS = """
    SELECT m.slug, count(o.id), COALESCE(sum(o.total) FILTER (
             WHERE o.charged_at IS NOT NULL OR o.advance_paid_at IS NOT NULL), 0),
           COALESCE(sum(o.refunded_total), 0)
    FROM accounts_merchant m LEFT JOIN orders_order o ON o.merchant_id = m.id
    GROUP BY m.slug ORDER BY m.slug"""


@dataclass(frozen=True, slots=True)
class Violation:
    check: str
    merchant_id: int
    order_id: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one merchant: number of orders, pounds or yen charged, given back."""

    merchant: str
    orders: int
    charged: object
    refunded: object


def verify(*, merchant_id: int | None = None, most: int = 20) -> dict[str, list[Violation]]:
    """Run every check; return what each found, at most so many rows. Empty lists are good."""
    found: dict[str, list[Violation]] = {}
    with connection.cursor() as cursor:
        for name, text in CHECKS.items():
            wrapped = f"SELECT * FROM ({text}) AS wrong (merchant_id, order_id, what)"
            if merchant_id is not None:
                wrapped += f" WHERE merchant_id = {int(merchant_id)}"
            # No parameters: the texts above hold percent signs of LIKE.
            cursor.execute(f"{wrapped} LIMIT {int(most)}")
            found[name] = [Violation(name, *row) for row in cursor.fetchall()]
    return found


def check() -> InvariantCheck:
    """Run every check on all merchants and keep what it found, for the operator's page."""
    started_at = clock.now()
    with long_statements(CHECK_SECONDS):
        found = {name: rows for name, rows in verify().items() if rows}
        money = sums()
    for name, rows in found.items():
        told = {"alert": runbook("invariant-violated"), "code": name, "count": len(rows)}
        log.error("invariant.violated", extra=told)
    return InvariantCheck.objects.create(
        started_at=started_at,
        finished_at=clock.now(),
        checks=len(CHECKS),
        violations={
            name: [[row.merchant_id, row.order_id, row.what] for row in rows]
            for name, rows in found.items()
        },
        sums=[[one.merchant, one.orders, str(one.charged), str(one.refunded)] for one in money],
    )


def last_check() -> InvariantCheck | None:
    """Return the last proof that was kept."""
    return InvariantCheck.objects.order_by("-pk").first()


def sums() -> list[Sums]:
    """Return the sums of each merchant."""
    with connection.cursor() as cursor:
        cursor.execute(SUMS)
        return [Sums(*row) for row in cursor.fetchall()]
