"""Writing a report's file: one statement, one moment, streamed from the database to the disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from core import failpoints, stored_files
from core.stored_files import Kept, Writer
from orders.domain import contacts
from orders.enums import OrderStatus
from reports.domain.columns import FROM, columns_of
from reports.enums import Origin, ReportKind
from reports.models import Report

FOLDER = "reports"
SECONDS = 230  # a statement may take: a little less than a task
_PIECE = 256 * 1024  # bytes handed on at once

_RELEASED = "\nJOIN reports_release r ON r.order_id = o.id"
_OF_THE_MERCHANT = "o.merchant_id = %(merchant)s AND o.verified_at IS NOT NULL"
_NOT_CANCELLED = f"o.status <> '{OrderStatus.CANCELLED.value}'"
_TO_SHIP = (
    f"o.status IN ('{OrderStatus.UNSHIPPED.value}', '{OrderStatus.PARTIALLY_SHIPPED.value}')"
    " AND i.quantity_purchased > i.quantity_shipped + i.quantity_not_sent"
)
# Fields come as they are, between tabs. Only one that holds a tab, a line break or the sign of
# quoting is quoted, and that sign is a carriage return: so whatever holds none needs no mending.
_FORMAT = r"(FORMAT csv, DELIMITER E'\t', QUOTE E'\r', ENCODING 'UTF8')"
_QUOTED = re.compile(rb"\r((?:[^\r]|\r\r)*)\r")
# Line breaks that COPY knows nothing of, but some readers of the file do.
_BREAKS = (b"\x0b", b"\x0c", "\u0085".encode(), "\u2028".encode(), "\u2029".encode())


@dataclass(frozen=True, slots=True)
class Made:
    """A file made: where it is kept, and how many rows follow its first line."""

    kept: Kept
    rows: int


def build(report: Report) -> Made:
    """Write the file of a report, whole or not at all (REPORT-08, INV-14).

    Raises stored_files.NoRoom, and what the database raises.
    """
    names = [column.name for column in columns_of(report.kind, report.extra_columns)]
    with stored_files.writing(FOLDER) as writer:
        lines = Lines(writer)
        writer.write("\t".join(names).encode() + b"\r\n")
        failpoints.hit("report.half_written")
        with _one_moment(), connection.cursor() as cursor:
            query = cursor.mogrify(*_query(report)).decode()
            cursor.copy_expert(f"COPY ({query}) TO STDOUT {_FORMAT}", lines)
        lines.flush()
    assert writer.kept is not None
    return Made(writer.kept, lines.count)


class Lines:
    """Takes rows as COPY sends them, each with a line feed; hands on whole pieces with CRLF.

    Tabs and line breaks within a field become blanks (REPORT-08): looked for here, in a whole piece
    at once, for in SQL each field of each row would be looked through.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: list[bytes] = []
        self._size = 0
        self.count = 0

    def write(self, row: bytes) -> int:
        self._waiting.append(row)
        self._size += len(row)
        if self._size >= _PIECE:
            self.flush()
        return len(row)

    def flush(self) -> None:
        self.count += len(self._waiting)
        piece = b"".join(self._waiting)
        if b"\r" in piece:
            piece = b"".join(_QUOTED.sub(_mended, row) for row in self._waiting)
        for sign in _BREAKS:
            piece = piece.replace(sign, b" ")
        self._writer.write(piece.replace(b"\n", b"\r\n"))
        self._waiting.clear()
        self._size = 0


def _mended(quoted: re.Match[bytes]) -> bytes:
    """Return a quoted field without quotes; within it, each carriage return stands twice."""
    field = quoted[1].replace(b"\r\r", b" ")
    return field.replace(b"\t", b" ").replace(b"\n", b" ")


def _query(report: Report) -> tuple[str, dict[str, Any]]:
    """Return what a report holds as one statement with its values."""
    tables, where = FROM, [_OF_THE_MERCHANT]
    if report.kind == ReportKind.UNSHIPPED:
        where += [_TO_SHIP]
    elif report.origin == Origin.SCHEDULED:
        tables += _RELEASED
        where += ["r.report_id = %(report)s"]
    else:
        where += ["o.purchased_at BETWEEN %(from)s AND %(to)s"]
    if not report.include_cancelled:
        where += [_NOT_CANCELLED]
    select = ",\n".join(
        f'{column.sql} AS "{column.name}"'
        for column in columns_of(report.kind, report.extra_columns)
    )
    values: dict[str, int | str | datetime | None] = {
        "merchant": report.merchant_id,
        "report": report.pk,
        "from": report.from_at,
        "to": report.to_at,
        "reporting_date": report.merchant.marketplace.local_date(report.to_at).isoformat(),
        "gone": contacts.gone(),
    }
    order = "o.purchased_at, o.id, i.id"
    return f"SELECT {select}{tables}\nWHERE {' AND '.join(where)}\nORDER BY {order}", values


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read one snapshot and write nothing; inside an open transaction read as that one does."""
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(
            "SELECT set_config('datestyle', 'ISO, YMD', true),"
            " set_config('statement_timeout', %s, true)",
            [f"{SECONDS}s"],
        )
        yield
