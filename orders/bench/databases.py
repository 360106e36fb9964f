"""Databases of the benchmark's own: made, filled, kept and dropped beside the product's."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from accounts.domain import members
from accounts.models import User
from core import clock
from core.actor import Actor
from core.limits import long_statements

Say = Callable[[str], None]
FILL = Path(__file__).with_name("fill.sql")
OWNER = "owner@bench.example"
BIG = "bench-big"
SMALL_SHOPS = 100
MOST_LISTINGS = 4000
FRESH = timedelta(hours=12)  # older data has lost its newest orders to the calendar
LONGEST_STEP = 3600  # seconds


class CannotFill(Exception):
    """The database server does not let this role fill by sets; ``str()`` says what is needed."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled database. orders: of its big merchant. wrapper: a connection of its own to it."""

    name: str
    orders: int
    wrapper: Any

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let the product's code work on this database within the block."""
        outside = connections["default"]
        connections["default"] = self.wrapper
        try:
            yield
        finally:
            connections["default"] = outside

    def close(self) -> None:
        self.wrapper.close()


def name_of(orders: int) -> str:
    """Return what the database of so many orders is called."""
    return f"{connection.settings_dict['NAME']}_bench_{orders}"


def open_filled(orders: int, *, say: Say) -> Filled:
    """Return a migrated and filled database: the one kept, or a new one. Raises CannotFill."""
    _insist_on_a_superuser()
    name = name_of(orders)
    filled = Filled(name, orders, _connection_to(name))
    if _is_fresh(_label_of(name)):
        with filled.entered():
            call_command("migrate", verbosity=0, skip_checks=True)
        say(f"{name}: kept from an earlier run")
        return filled
    _drop(name)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    with filled.entered():
        call_command("migrate", verbosity=0, skip_checks=True)
        _fill(orders, say)
    label = json.dumps({"made_of": _digest(), "at": clock.now().isoformat()})
    with connection.cursor() as cursor:
        cursor.execute(f'COMMENT ON DATABASE "{name}" IS %s', [label])
    return filled


def drop_all() -> list[str]:
    """Drop every database of the benchmark on this server; return their names."""
    like = connection.settings_dict["NAME"].replace("_", r"\_") + r"\_bench\_%"
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [like])
        names = [row[0] for row in cursor.fetchall()]
    for name in names:
        _drop(name)
    return names


def _connection_to(name: str) -> Any:
    to_it = {**connection.settings_dict, "NAME": name, "CONN_HEALTH_CHECKS": False}
    return connections["default"].__class__(to_it, "default")


def _drop(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _label_of(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [name],
        )
        row = cursor.fetchone()
    return (row and row[0]) or ""


def _is_fresh(label: str) -> bool:
    if not label:
        return False
    known = json.loads(label)
    at = datetime.fromisoformat(known["at"])
    return known["made_of"] == _digest() and clock.now() - at < FRESH


def _digest() -> str:
    """Name what a database is made of: how it is filled, and its schema."""
    digest = hashlib.sha256(FILL.read_bytes())
    for migration in sorted(settings.BASE_DIR.glob("*/migrations/*.py")):
        digest.update(migration.name.encode() + migration.read_bytes())
    return digest.hexdigest()[:16]


def _fill(orders: int, say: Say) -> None:
    _open_shops()
    started = time.monotonic()
    values: dict[str, int | datetime] = {
        "orders": orders,
        "listings": max(min(MOST_LISTINGS, orders // 2), 50),
        "now": clock.now(),
    }
    with long_statements(LONGEST_STEP), triggers_at_rest():
        for step in FILL.read_text(encoding="utf-8").split("\n-- == ")[1:]:
            words, _line, text = step.partition("\n")
            with connection.cursor() as cursor:
                cursor.execute(text, values)
            say(f"{orders:>9,} orders: {words} ({time.monotonic() - started:.0f} s)")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
    say(f"{orders:>9,} orders: ready ({time.monotonic() - started:.0f} s)")


def _open_shops() -> None:
    by = Actor("job", "benchmark")
    big = members.open_account(name="Big Bench Ltd", slug=BIG, marketplace="UK_CHECKOUT", by=by)
    owner = User.objects.create_user(OWNER, None, name="Robin Hale")
    members.add_owner(merchant=big, user=owner, by=by)
    for number in range(1, SMALL_SHOPS + 1):
        members.open_account(
            name=f"Small Bench {number}",
            slug=f"bench-small-{number}",
            marketplace="UK_CHECKOUT",
            by=by,
        )


def _insist_on_a_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            raise CannotFill(
                "Filling by sets needs a superuser of PostgreSQL. The quick start's own server has"
                " one; for another server name one in DATABASE_OWNER_URL."
            )


@contextmanager
def triggers_at_rest() -> Iterator[None]:
    """Let rows come in without their triggers and foreign keys; constraints of a row still hold."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '512MB'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET session_replication_role")
            cursor.execute("RESET work_mem")
            cursor.execute("RESET maintenance_work_mem")
