"""Workload report: a file of every order of a shop, beside the plain COPY of the same columns."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection, transaction

from accounts.models import Merchant
from core import clock, stored_files
from core.instants import EARLIEST
from core.limits import long_statements
from orders.bench.databases import BIG, Filled
from orders.bench.measure import Figure, Sample, in_turn
from reports.domain import building
from reports.enums import Origin, ReportKind
from reports.models import Report

GOAL = 0.6  # of the rows a second of the floor
MOST_MEGABYTES = 150  # above rest
STEP = 600  # seconds a statement may take
_PAGE = os.sysconf("SC_PAGE_SIZE")

# What the fixed columns are made of, as it stands in the tables, by the statement a person would
# write to get it out.
_FLOOR = """COPY (
SELECT o.number, o.purchased_at, o.verified_at, o.buyer_name, c.buyer_email, o.ship_service_level,
       c.recipient_name, c.address_1, c.address_2, c.address_3, c.city, c.region, c.postal_code,
       c.country, i.number, i.sku, i.title, i.quantity_purchased, i.item_price, i.shipping_price,
       o.sales_channel
FROM orders_order o JOIN orders_item i ON i.order_id = o.id
JOIN orders_contact c ON c.order_id = o.id
WHERE o.merchant_id = %s AND o.verified_at IS NOT NULL AND o.status <> 'cancelled'
ORDER BY o.purchased_at, o.id, i.id
) TO STDOUT"""


def figures(filled: Filled, rounds: int) -> Iterator[Figure]:
    """Make the file and copy the columns in turn; then see how much memory making it takes."""
    with filled.entered(), long_statements(STEP):
        report = _report_of_everything()
        taken = Sample(
            (_megabytes(lambda: _make(report)),)
        )  # first: what is free is not given back
        counted: set[int] = set()
        ours, floor = in_turn(
            rounds,
            _rate(lambda: _make(report), counted),
            _rate(lambda: _copy(report.merchant_id), counted),
            warm=1,
        )
        if len(counted) != 1:
            raise RuntimeError(f"Product and floor wrote different numbers of rows: {counted}")
        case = f"file of {counted.pop():,} rows"
        yield Figure("report", case, filled.orders, ours, floor, "plain COPY", GOAL, unit="/s")
        most = Sample((MOST_MEGABYTES,))
        yield Figure(
            "report", "memory above rest", filled.orders, taken, most, "limit", 1.0, unit="MB"
        )


def _report_of_everything() -> Report:
    """A report of all that the big shop ever sold; no row of it is kept."""
    now = clock.now()
    return Report(
        merchant=Merchant.objects.select_related("marketplace").get(slug=BIG),
        kind=ReportKind.ORDERS,
        origin=Origin.API,
        from_at=now.replace(year=EARLIEST.year),
        to_at=now,
        requested_at=now,
    )


def _make(report: Report) -> int:
    made = building.build(report)
    stored_files.remove(made.kept.name)
    return made.rows


def _copy(merchant_id: int) -> int:
    with (
        Path(os.devnull).open("wb") as nowhere,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.copy_expert(cursor.mogrify(_FLOOR, [merchant_id]).decode(), nowhere)
        rows: int = cursor.rowcount
    return rows


def _rate(act: Callable[[], int], counted: set[int]) -> Callable[[], float]:
    """Return the act that says how many rows a second another one writes."""

    def run() -> float:
        started = time.perf_counter()
        rows = act()
        seconds = time.perf_counter() - started
        counted.add(rows)
        return rows / seconds

    return run


def _megabytes(act: Callable[[], object]) -> float:
    """Return by how much this process grew at most while it did something."""
    rest = most = _resident()
    ended = threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.01):
            most = max(most, _resident())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        act()
    finally:
        ended.set()
        watching.join()
    return (most - rest) / 1024 / 1024


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
