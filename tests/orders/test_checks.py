"""The checks at start bite when a table is incomplete."""

from __future__ import annotations

import pytest

from orders import checks
from orders.domain import guards
from orders.enums import Act, OrderEvent


@pytest.mark.req("INV-04")
def test_the_tables_are_complete():
    assert checks.tables_are_complete() == []


@pytest.mark.req("INV-04")
@pytest.mark.parametrize(
    ("table", "value", "found"),
    [
        ("MOVES", (), {"orders.E001", "orders.E004"}),
        ("MESSAGES", {OrderEvent.PLACED: ()}, {"orders.E002"}),
        ("GUARDS", {Act.CONFIRM: guards.GUARDS[Act.CONFIRM]}, {"orders.E003"}),
        ("STANDING_ACTS", {}, {"orders.E004"}),
    ],
)
def test_an_incomplete_table_is_found(monkeypatch, table, value, found):
    monkeypatch.setattr(checks, table, value)
    assert {error.id for error in checks.tables_are_complete()} == found
