"""The plan of every statement of list, home and searches, and whether one reads a table whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from orders.bench import desk as desks
from orders.bench.desk import Desk

MANY_ROWS = 5000  # smaller tables may be read whole: it is what the planner does best with them
_TABLES = ("orders_", "catalog_", "payments_", "audit_")


@dataclass(frozen=True, slots=True)
class Plan:
    """How PostgreSQL goes about one statement of a page. whole: big tables it reads whole."""

    page: str
    statement: str
    text: str
    whole: tuple[str, ...]


def plans(desk: Desk) -> Iterator[Plan]:
    """Return the plans of the statements of every page of these, each shape once."""
    pages = {
        **desks.list_addresses(),
        **desks.home_addresses(),
        **desks.search_addresses(),
    }
    met: set[str] = set()
    for page, address in pages.items():
        _ms, statements = desk.ask(address(desk.known))
        for sql, params in statements.asked:
            if not any(table in sql for table in _TABLES) or sql in met:
                continue
            met.add(sql)
            yield _plan(desk, page, sql, params)


def _plan(desk: Desk, page: str, sql: str, params: Any) -> Plan:
    with desk.filled.entered(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", params)
        text = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (tree,) = cursor.fetchone()
        tree = json.loads(tree) if isinstance(tree, str) else tree
        read = sorted(set(_read_whole(tree[0]["Plan"])))
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND reltuples >= %s",
            [read, MANY_ROWS],
        )
        big = tuple(row[0] for row in cursor.fetchall())
    return Plan(page, sql, text, big)


def _read_whole(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _read_whole(child)
