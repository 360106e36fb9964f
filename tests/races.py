"""Acts released together on connections of their own, and guards taken away to see a race lost."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, connections

from core.refusal import Refused
from orders.models import Order
from payments.gateways import sandbox

Act = Callable[[], Any]
Run = Callable[..., list[Any]]

ROUNDS = int(os.environ.get("RACE_ROUNDS", "0"))


def rounds(few: int) -> int:
    """Return how often a race is run: a few times, or as often as RACE_ROUNDS says (G-1).

    Controls that take a guard away keep their own number: they show that the race is one.
    """
    return max(few, ROUNDS)


@contextmanager
def racers(count: int) -> Iterator[Run]:
    """Yield a function that runs so many acts at once and returns what each led to, in its place.

    An act that is refused is answered with its code, one that a last guard stopped with the error.
    """
    barrier = Barrier(count, timeout=30)

    def start(act: Act) -> Any:
        connection.ensure_connection()
        barrier.wait()
        try:
            return act()
        except Refused as refused:
            return refused.code
        except (DatabaseError, ValueError) as error:
            return error

    def leave() -> None:
        barrier.wait()  # each thread takes part once, so each closes its own
        connections.close_all()
        books = getattr(sandbox._books, "connection", None)
        if books is not None:
            books.close()

    with ThreadPoolExecutor(count) as pool:

        def run(*acts: Act) -> list[Any]:
            assert len(acts) == count
            places = list(range(count))
            random.shuffle(places)
            futures = {place: pool.submit(start, acts[place]) for place in places}
            return [futures[place].result() for place in range(count)]

        try:
            yield run
        finally:
            for future in [pool.submit(leave) for _thread in range(count)]:
                future.result()


def unlocked(order_ids: Sequence[int]) -> dict[int, Order]:
    """Read orders as ``lifecycle.lock`` does, but lock nothing."""
    rows = Order.objects.filter(pk__in=set(order_ids)).order_by("pk")
    rows = rows.select_related("merchant", "marketplace")
    return {order.pk: order for order in rows}


def broken(answers: Sequence[Any]) -> bool:
    """Whether the database had to stop something that the code let through."""
    return any(isinstance(answer, IntegrityError) for answer in answers)


@contextmanager
def without_guards(constraints: Sequence[str], triggers: Sequence[str]) -> Iterator[None]:
    """Take constraints and triggers of orders away; empty the tables and put them back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE conname = ANY(%s)",
            [list(constraints)],
        )
        taken = cursor.fetchall()
        assert len(taken) == len(constraints)
        for table, name, _definition in taken:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name in triggers:
            cursor.execute(f"ALTER TABLE orders_order DISABLE TRIGGER {name}")
        try:
            yield
        finally:
            cursor.execute("TRUNCATE orders_order CASCADE")
            for table, name, definition in taken:
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
            for name in triggers:
                cursor.execute(f"ALTER TABLE orders_order ENABLE TRIGGER {name}")
