"""What the product needs to work, part by part, each answering with a word (TECH-11).

An app adds a part of its own with ``@part``. "ok" and words of ``BEARABLE`` let the product be
ready; any other word says what is amiss.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from redis.exceptions import RedisError

from core import clock
from core.models import JobRun

Part = Callable[[], str]

BEARABLE = frozenset({"ok", "degraded", "low", "unknown"})
_SILENCE = timedelta(minutes=3)  # since a job last began
LOW, _FULL = 0.10, 0.01  # free of the disk that files are kept on

PARTS: dict[str, Part] = {}


def part(name: str) -> Callable[[Part], Part]:
    """Declare a part; a database that does not answer makes it "unknown"."""

    def declare(ask: Part) -> Part:
        PARTS[name] = ask
        return ask

    return declare


def words() -> dict[str, str]:
    """Ask every part. While the database is away nothing else is asked that needs it."""
    told = {"database": PARTS["database"]()}
    for name, ask in PARTS.items():
        if name not in told:
            told[name] = _asked(ask) if told["database"] != "away" else "unknown"
    if told["redis"] != "ok" and told["beat"] == "silent":
        told["beat"] = "unknown"  # without a broker no tick arrives; that alone keeps no page away
    return told


def is_ready(told: dict[str, str]) -> bool:
    return all(word in BEARABLE for word in told.values())


def _asked(ask: Part) -> str:
    try:
        return ask()
    except DatabaseError:
        return "unknown"


@part("database")
def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"
            )
            return "read-only" if cursor.fetchone()[0] else "ok"
    except DatabaseError:
        return "away"


_migrated = False  # true once seen: migrations are not taken back under a running process


@part("migrations")
def _migrations() -> str:
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "ok" if _migrated else "waiting"


@part("redis")
def _redis() -> str:
    try:
        cache.set("health", "ok", 5)
        return "ok"
    except (RedisError, OSError):
        return "degraded"


@part("beat")
def _beat() -> str:
    """The timetable ticks: some job began not long ago."""
    last = JobRun.objects.aggregate(last=Max("started_at"))["last"]
    return "ok" if last is not None and clock.now() - last <= _SILENCE else "silent"


def free_disk() -> float:
    """Return which part of the disk that files are kept on is free: 0 to 1."""
    folder = Path(settings.MEDIA_ROOT)
    while not folder.exists():
        folder = folder.parent
    room = os.statvfs(folder)
    return room.f_bavail / room.f_blocks


@part("disk")
def _disk() -> str:
    """There is room for files that merchants send and fetch; a low disk is no reason to stop."""
    free = free_disk()
    return "full" if free < _FULL else "low" if free < LOW else "ok"
