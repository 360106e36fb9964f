"""Workloads list, search, home and detail: whole requests, and of the list the database's part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from django.db import connection

from core import clock
from orders.bench import desk as desks
from orders.bench import floors
from orders.bench.databases import OWNER
from orders.bench.desk import Address, Desk, Statements
from orders.bench.floors import Shown
from orders.bench.measure import Act, Figure, Sample, in_turn

LIST_GOAL, DATABASE_GOAL, SEARCH_GOAL, DETAIL_GOAL = 1.2, 3.0, 1.5, 1.1
RANKS = {"pending": 0, "unshipped": 1, "partially shipped": 2, "shipped": 3, "cancelled": 4}


def lists(desk: Desk, base: Desk, rounds: int) -> Iterator[Figure]:
    """Measure pages of the list beside the same at the base, and beside SQL by hand."""
    by_hand = _shown(desk)
    for case, address in desks.list_addresses().items():
        ours = _Asking(desk, address)
        acts: list[Act] = [ours, _by_hand(desk, by_hand[case])]
        if desk is not base:
            acts.append(_Asking(base, address))
        whole, floor, *at_base = in_turn(rounds, *acts)
        database = Sample(tuple(ours.database[-rounds:]))
        size = desk.filled.orders
        for beside in at_base:
            yield Figure(
                "list", case, size, whole, beside, _base(base), LIST_GOAL,
                database_ms=database.median,
            )  # fmt: skip
        yield Figure("list", f"{case}: SQL", size, database, floor, "by hand", DATABASE_GOAL)


def searches(desk: Desk, base: Desk, rounds: int) -> Iterator[Figure]:
    return _beside_base("search", desks.search_addresses(), SEARCH_GOAL, desk, base, rounds)


def homes(desk: Desk, base: Desk, rounds: int) -> Iterator[Figure]:
    return _beside_base("home", desks.home_addresses(), LIST_GOAL, desk, base, rounds)


def details(desk: Desk, base: Desk, rounds: int) -> Iterator[Figure]:
    pages: Mapping[str, Address] = {"order details": desks.detail_address}
    return _beside_base("detail", pages, DETAIL_GOAL, desk, base, rounds)


def _beside_base(
    workload: str,
    pages: Mapping[str, Address],
    goal: float,
    desk: Desk,
    base: Desk,
    rounds: int,
) -> Iterator[Figure]:
    """Measure whole requests beside the same at the base; at the base itself beside once more."""
    for case, address in pages.items():
        ours = _Asking(desk, address)
        whole, floor = in_turn(rounds, ours, _Asking(base, address))
        database = Sample(tuple(ours.database[-rounds:])).median
        yield Figure(
            workload, case, desk.filled.orders, whole, floor, _base(base), goal,
            database_ms=database,
        )  # fmt: skip


class _Asking:
    """An act that asks for a page, and keeps what of its time the database took."""

    def __init__(self, desk: Desk, address: Address) -> None:
        self.desk, self.address = desk, address(desk.known)
        self.database: list[float] = []

    def __call__(self) -> float:
        whole, statements = self.desk.ask(self.address)
        self.database.append(statements.ms)
        return whole


def _by_hand(desk: Desk, shown: Shown) -> Act:
    session = desk.session_key

    def run() -> float:
        statements = Statements()
        with desk.filled.entered(), connection.execute_wrapper(statements):
            floors.list_page(shown, session_key=session, email=OWNER)
        return statements.ms

    return run


def _shown(desk: Desk) -> dict[str, Shown]:
    """What each page of the list shows, for the statements by hand."""
    with desk.filled.entered():
        at = clock.now()
    shop, ready = desk.known.merchant_id, (1, 2)
    days = {count: at - timedelta(days=count) for count in (3, 90)}
    pages = {
        "first page": Shown(shop, at, ready, days[3], pins=True),
        "deep page": Shown(shop, at, descending=True, cursor=desk.known.middle),
        "tab all": Shown(shop, at),
        "tab needs attention": Shown(shop, at, ready, days[3], attention=True),
        "90 days": Shown(shop, at, ready, days[90]),
        "90 days, all": Shown(shop, at, from_at=days[90], descending=True),
    }
    tabs = {f"tab {words}": Shown(shop, at, (rank,)) for words, rank in RANKS.items()}
    return pages | tabs


def _base(base: Desk) -> str:
    return f"at {base.filled.orders:,}"
