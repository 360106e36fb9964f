"""The status of an order is written in one layer, whatever door an act comes by (TECH-12)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# A new row, the one writer, its twin by sets; the bench writes to a database of its own.
WRITERS = {
    "orders/domain/placing.py",
    "orders/domain/lifecycle.py",
    "orders/domain/by_sets.py",
    "orders/bench/floors.py",
}
IN_SQL = re.compile(r"UPDATE\s+orders_order\b[^;]*?\bstatus\s*=", re.IGNORECASE)


def product() -> Iterator[Path]:
    ours = {Path(each.path) for each in apps.get_app_configs() if ROOT in Path(each.path).parents}
    for app in sorted(path for path in ours if ".venv" not in path.parts):
        for file in sorted(app.rglob("*.py")):
            if "migrations" not in file.parts:
                yield file


def writes_a_status(text: str) -> bool:
    """Whether code assigns ``….status``, updates rows by it, creates orders, or does it in SQL."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if ast.unparse(node).endswith(".status") and ast.unparse(node) != "asked.status":
                return True
        elif isinstance(node, ast.Call):
            called, named = ast.unparse(node.func), {each.arg for each in node.keywords}
            if called.endswith(".update") and "status" in named:
                return True
            if re.search(r"\bOrder\.objects\.(\w+_)?create", called):
                return True
    return bool(IN_SQL.search(text))


@pytest.mark.req("TECH-12")
def test_no_code_outside_the_domain_writes_the_status_of_an_order():
    found = {
        file.relative_to(ROOT).as_posix()
        for file in product()
        if writes_a_status(file.read_text(encoding="utf-8"))
    }
    assert found <= WRITERS
    assert {"orders/domain/lifecycle.py", "orders/domain/by_sets.py"} <= found


@pytest.mark.req("TECH-12")
@pytest.mark.parametrize(
    "line",
    [
        "order.status = 'shipped'",
        "Order.objects.filter(pk=1).update(status='shipped')",
        "Order.objects.create(number='1')",
        "cursor.execute('UPDATE orders_order SET version = 2, status = 1')",
    ],
)
def test_the_search_finds_each_way_of_writing(line):
    assert writes_a_status(line)
