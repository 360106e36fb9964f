"""How long statements may take: pages are short, commands and jobs may work longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def long_statements(seconds: int = 600) -> Iterator[None]:
    """Let statements of this connection take so many seconds instead of a page's few."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        before: str = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{seconds}s"])
    try:
        yield
    finally:
        if connection.connection is not None and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, false)", [before])
