"""One verb, one transaction; what lost a fight between transactions is repeated whole."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from weakref import WeakSet

from django.db import DatabaseError, connection, transaction

from core import counts, failpoints, security
from core.metrics import REPEATED, VIOLATED
from core.runbook import runbook
from core.security import Event

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 3
# serialization_failure, deadlock_detected; unique_violation of keys that are drawn or looked up
# first: the second try sees the row of the winner.
_REPEATABLE = frozenset({"40001", "40P01"})
_CHECK_VIOLATION, _DISK_FULL = "23514", "53100"
_REPEATABLE_KEYS = (
    "a_shop_order_comes_in_once",
    "orders_order_number",
    "orders_item_number",
    "a_payment_number_is_given_once",
    "one_operation_per_purpose_and_sequence",
    "one_listing_per_sku",
)

log = logging.getLogger(__name__)
_noted: WeakSet[BaseException] = WeakSet()


def unit_of_work(verb: Callable[P, R]) -> Callable[P, R]:
    """Run a verb in a transaction of its own, again if another one made it fail (reliability 0.5).

    Inside an open transaction it runs once, as a part of it.
    """
    point = f"{verb.__module__.rpartition('.')[2]}.{verb.__name__.lstrip('_')}"

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return verb(*args, **kwargs)
        for left in reversed(range(TRIES)):
            try:
                with transaction.atomic():
                    result = verb(*args, **kwargs)
                    failpoints.hit(f"{point}.before_commit")
                failpoints.hit(f"{point}.after_commit")
                return result
            except DatabaseError as error:
                if not left or not _repeatable(error):
                    note_trouble(error)
                    raise
                log.info("transaction.repeated", extra={"verb": verb.__qualname__})
                REPEATED.labels(getattr(error.__cause__, "pgcode", "")).inc()
        raise AssertionError("unreachable")

    return run


def insist_on_the_database() -> None:
    """Raise ConnectionError when not the work failed but the connection it was done on.

    Whoever goes on with other work after a failure asks this first; jobs come back anyway.
    """
    if connection.connection is None or not connection.is_usable():
        raise ConnectionError("The database is away.")


def _repeatable(error: DatabaseError) -> bool:
    code = getattr(error.__cause__, "pgcode", None)
    if code == "23505":
        return any(key in str(error) for key in _REPEATABLE_KEYS)
    return code in _REPEATABLE


def note_trouble(error: BaseException) -> None:
    """Tell what somebody must know of: a guard had to stop a write, or the disk is full.

    Once for each error, however many places it passes on its way up.
    """
    cause = error.__cause__
    code = getattr(cause, "pgcode", None)
    if cause is None or cause in _noted or code not in (_CHECK_VIOLATION, _DISK_FULL):
        return
    _noted.add(cause)
    if code == _DISK_FULL:
        counts.add(counts.DATABASE_FULL)
        log.error("database.full", extra={"alert": runbook("database-full")})
        return
    guard = getattr(getattr(cause, "diag", None), "constraint_name", None) or "unnamed"
    VIOLATED.labels(guard).inc()
    counts.add(counts.VIOLATIONS)
    security.note(Event.GUARD_VIOLATED, guard, alert=runbook("guard-violated"))
