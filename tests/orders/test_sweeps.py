"""Sweeps: the set-based twins leave the rows of the single verbs; one bad order stops no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.actor import Actor
from orders.domain import deadline_warnings, invariants, overdue, shipments, sweeps
from orders.domain.drafts import ItemDraft
from orders.domain.packages import Package
from orders.models import Order
from tests.factories import (
    PLAIN,
    STAFF,
    ListingFactory,
    MerchantFactory,
    marketplace,
    pending_order,
    unshipped_order,
)

JOB = Actor("job", "sweep")
DAY = timedelta(days=1)
TABLES = (
    "orders_order",
    "orders_item",
    "orders_cancellation",
    "orders_refund",
    "catalog_listing",
    "catalog_stockchange",
    "payments_operation",
    "payments_payment",
    "payments_ledgerline",
    "audit_historycounter",
    "audit_entry",
    "notifications_outbox",
)
DRAWN = {"key", "xid"}  # differ each time; ``id`` only says the order rows were added in


def rows_of(table: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")
        rows = [json.loads(row[0]) for row in cursor.fetchall()]
    added = {"catalog_stockchange", "payments_operation", "audit_entry", "notifications_outbox"}
    left_out = DRAWN | ({"id"} if table in added else set())
    if table in added:
        rows.sort(key=lambda row: row["id"])
    return [{name: row[name] for name in row.keys() - left_out} for row in rows]


def everything() -> dict[str, list[dict[str, Any]]]:
    return {table: rows_of(table) for table in TABLES}


@contextmanager
def taken_back():
    """Do something that no one will remember, with the checks of a commit."""
    with transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        transaction.set_rollback(True)


def what_is_left(act: Callable[[], object]) -> dict[str, list[dict[str, Any]]]:
    with taken_back():
        act()
        return everything()


# The twins ------------------------------------------------------------------------------------

LINES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=3)
KINDS = st.sampled_from(
    ["due"] * 5 + ["pending", "early", "confirming", "channel", "platform", "partly", "slow"]
)
ORDERS = st.lists(st.tuples(st.sampled_from("abj"), KINDS, LINES), min_size=1, max_size=6)


class World:
    """Two British shops, one with a clock of its own, and one whose deadline follows ship-by."""

    def __init__(self) -> None:
        self.shops = {
            "a": MerchantFactory(),
            "b": MerchantFactory(is_sandbox=True, clock_ahead=timedelta(days=40)),
            "j": MerchantFactory(marketplace=marketplace("JP_2022"), country="JP"),
        }
        self.listings = {
            name: [ListingFactory(merchant=shop) for _ in range(3)]
            for name, shop in self.shops.items()
        }

    def order(self, name: str, kind: str, lines: Sequence[tuple[int, int]]) -> Order:
        shop = self.shops[name]
        items = [ItemDraft(self.listings[name][i].sku, units, PLAIN) for i, units in lines]
        make = pending_order if kind == "pending" else unshipped_order
        changes: dict[str, Any] = {"lines": items, "age": timedelta(hours=1) - shop.clock_ahead}
        if kind == "platform":
            changes["fulfilment_channel"] = "platform"
        if kind == "slow":
            changes["payment_token"] = "unavailable"
        order = make(shop, **changes)
        if kind == "channel":
            Order.objects.filter(pk=order.pk).update(payment_state="external")
        if kind == "partly" and sum(units for _i, units in lines) > 1:
            first = order.items.order_by("line").first()
            confirm(order, {first.pk: 1})
        if kind in ("confirming", "slow"):
            confirm(order, None, token="unavailable")
        return order


def confirm(order: Order, quantities: dict[int, int] | None, token: str = "ok") -> None:
    order.payment.token = token
    order.payment.save()
    today = order.marketplace.local_date(clock.now() + order.merchant.clock_ahead)
    wanted = shipments.Confirmation(order.pk, Package(today, "Royal Mail"), quantities)
    shipments.confirm_shipments(wanted=[wanted], by=STAFF)


@pytest.mark.req("AUTO-02", "AUTO-03", "AUTO-04", "AUTO-06", "AUTO-11", "AUTO-14", "INV-10")
@pytest.mark.parametrize("sweep", [overdue.SWEEP, deadline_warnings.SWEEP], ids=["cancel", "warn"])
def test_the_twin_leaves_the_rows_of_the_single_verb(db, sweep):
    world = World()

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(specs=ORDERS, days=st.sampled_from([20, 26, 31, 400]))
    def agree(specs, days):
        with taken_back():
            orders = [world.order(*spec) for spec in specs]
            early = [o.pk for o, spec in zip(orders, specs, strict=True) if spec[1] == "early"]
            Order.objects.filter(pk__in=early).update(
                deadline_at=clock.now() + 500 * DAY, email_warning_at=clock.now() + 490 * DAY
            )
            with clock.stopped(clock.now() + days * DAY):
                due = sorted(sweeps.due(sweep))
                by_sets_ = what_is_left(lambda: sweeps.run(sweep, by=JOB))
                alone = what_is_left(lambda: [sweep.verb([pk], JOB) for pk in due])
                assert by_sets_ == alone
                with taken_back():
                    swept = sweeps.run(sweep, by=JOB)
                    assert swept.done + swept.skipped == len(due)
                    assert swept.failed == 0
                    done = [o for o, refusal in sweeps.judged(sweep, by=JOB) if not refusal]
                    assert done == []
                    assert found(world) == []

    agree()


def found(world: World) -> list[object]:
    shops = {shop.pk for shop in world.shops.values()}
    rows = [row for rows in invariants.verify(most=1000).values() for row in rows]
    return [
        row for row in rows if row.merchant_id in shops and not row.check.startswith("INVENTORY-07")
    ]
