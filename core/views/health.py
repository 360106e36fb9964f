"""Health addresses: whether the process lives, and whether it can work (TECH-11)."""

from __future__ import annotations

import ipaddress

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError


def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return _answer({"live": "ok"}, 200)


def ready(request: HttpRequest) -> JsonResponse:
    """Database writable and migrated; without Redis the product works, degraded."""
    parts = {"database": _database(), "migrations": _migrations(), "redis": _redis()}
    broken = parts["database"] != "ok" or parts["migrations"] != "ok"
    if _internal(request):
        return _answer(parts, 503 if broken else 200)
    return _answer({"ready": "no" if broken else "ok"}, 503 if broken else 200)


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


def _migrations() -> str:
    global _migrated
    if _migrated:
        return "ok"
    try:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    return "ok" if _migrated else "waiting"


def _redis() -> str:
    try:
        cache.set("health", "ok", 5)
        return "ok"
    except (RedisError, OSError):
        return "degraded"


def _internal(request: HttpRequest) -> bool:
    """Tell whether somebody of this machine or network asks, and no proxy for somebody else."""
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False


def _answer(parts: dict[str, str], status: int) -> JsonResponse:
    response = JsonResponse(parts, status=status)
    response["Cache-Control"] = "no-store"
    return response
