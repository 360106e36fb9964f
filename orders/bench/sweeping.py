"""Workload sweep: orders at their deadline cancelled, merchants warned before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from django.db import connection

from accounts.models import Merchant
from core.actor import Actor
from core.limits import long_statements
from orders.bench import floors
from orders.bench.databases import BIG, Filled, triggers_at_rest
from orders.bench.measure import Figure, in_turn, took
from orders.domain import deadline_warnings, overdue, sweeps
from orders.domain.sweeps import Sweep

GOAL = 3.0
SHARE = 10  # one order in so many falls due
STEP = 600  # seconds a statement may take
BY = Actor("job", "benchmark")

_NUMBER = (
    "regexp_replace(lpad((%s::numeric * 6364136223846793 %%%% 10000000000000000)::text, 16, '0'),"
    " '^(..)(.......)(.......)$', '7\\1-\\2-\\3')"
)
# Orders of the big shop once more, as they stand when nobody confirmed them. {table: (key, what
# differs)}; amounts, products and lines are those of the newest orders.
_FRESH: Mapping[str, tuple[str, dict[str, str]]] = {
    "orders_order": (
        "id",
        {
            "id": "d.id",
            "number": _NUMBER % "d.id",
            "merchant_order_number": "''",
            "status": "'unshipped'",
            "payment_state": "'authorised'",
            "version": "2",
            "purchased_at": "d.deadline - interval '30 days'",
            "verified_at": "d.deadline - interval '29 days'",
            "charged_at": "NULL",
            "advance_paid_at": "NULL",
            "cancelled_at": "NULL",
            "delivered_at": "NULL",
            "deadline_at": "d.deadline",
            "page_warning_at": "d.deadline - interval '7 days'",
            "email_warning_at": "d.deadline - interval '5 days'",
            "refunded_total": "0",
            "quantity_confirmed": "0",
        },
    ),
    "orders_item": (
        "order_id",
        {
            "id": "nextval(pg_get_serial_sequence('orders_item', 'id'))",
            "order_id": "d.id",
            "number": _NUMBER % "(d.id * 64 + t.line)",
            "purchased_at": "d.deadline - interval '30 days'",
            "quantity_shipped": "0",
            "quantity_not_sent": "0",
            "refunded_item_price": "0",
        },
    ),
}


def figures(filled: Filled, rounds: int) -> Iterator[Figure]:
    """Let orders fall due, sweep them; let as many fall due, write the same rows by one chain."""
    count = filled.orders // SHARE
    with filled.entered():
        for case, sweep, floor, deadline in (
            ("cancel", overdue.SWEEP, floors.cancel_chain, "-1 hour"),
            ("warn", deadline_warnings.SWEEP, floors.warn_chain, "4 days"),
        ):
            _product(sweep)()  # what the filled shop itself has due
            bench = _Due(count, deadline)
            ours, chain = in_turn(rounds, bench.timed(_product(sweep)), bench.timed(floor), warm=1)
            name = f"{case} {count:,} due orders"
            yield Figure("sweep", name, filled.orders, ours, chain, "one chain by sets", GOAL)


def _product(sweep: Sweep) -> Callable[[], None]:
    def run() -> None:
        while sweeps.run(sweep, by=BY).more:
            pass

    return run


class _Due:
    """Lets orders fall due, and counts what a sweep wrote about them."""

    def __init__(self, count: int, deadline: str) -> None:
        self.count, self.deadline = count, deadline
        self.merchant = Merchant.objects.get(slug=BIG)
        self.written: set[tuple[int, ...]] = set()

    def timed(self, sweep: Callable[[], None]) -> Callable[[], float]:
        def run() -> float:
            self._fall_due()
            before = self._rows()
            with long_statements(STEP):
                ms = took(sweep)()
            wrote = tuple(a - b for a, b in zip(self._rows(), before, strict=True))
            self.written.add(wrote)
            if len(self.written) != 1 or wrote[0] != self.count:
                raise RuntimeError(f"Product and floor wrote different rows: {self.written}")
            return ms

        return run

    def _fall_due(self) -> None:
        values: dict[str, int | str] = {
            "merchant": self.merchant.pk,
            "count": self.count,
            "deadline": self.deadline,
        }
        with long_statements(STEP), triggers_at_rest(), connection.cursor() as cursor:
            cursor.execute(
                "DROP TABLE IF EXISTS d_order; CREATE TEMP TABLE d_order AS"
                " SELECT o.id AS source, now() + %(deadline)s::interval AS deadline,"
                " nextval(pg_get_serial_sequence('orders_order', 'id')) AS id FROM"
                " (SELECT id FROM orders_order WHERE merchant_id = %(merchant)s"
                "  AND merchant_order_number <> '' ORDER BY id DESC LIMIT %(count)s) AS o",
                values,
            )
            for table, (key, changes) in _FRESH.items():
                columns = floors.columns_of(table)
                select = ", ".join(changes.get(name, f"t.{name}") for name in columns)
                cursor.execute(
                    f"INSERT INTO {table} ({', '.join(columns)})"
                    f" SELECT {select} FROM d_order d JOIN {table} t ON t.{key} = d.source"
                    " ORDER BY d.id",
                    values,
                )
            cursor.execute("ANALYZE orders_order, orders_item")

    def _rows(self) -> tuple[int, ...]:
        tables = (
            "audit_entry",
            "notifications_outbox",
            "orders_cancellation",
            "payments_operation",
            "catalog_stockchange",
        )
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        with long_statements(STEP), connection.cursor() as cursor:
            cursor.execute(f"SELECT {counts}")
            return tuple(cursor.fetchone())
