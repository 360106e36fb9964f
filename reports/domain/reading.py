"""Reading a report's file: page by page by places in it, never whole (REPORT-14).

A place is the byte at which a line begins. Each reading hands out personal data of many buyers, so
each is a line of the history (REPORT-21).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.db import transaction

from accounts.domain import calendar
from audit.domain import history
from core import stored_files
from core.actor import Actor
from core.stored_files import Damaged
from reports.models import Report

DOWNLOADED, VIEWED = "report.downloaded", "report.viewed"
LINES = 50  # on a page
_BLOCK = 1024 * 1024  # bytes read at once


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a file. previous, next: places where other pages begin, None where none does."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    previous: int | None
    next: int | None


class NoPlace(Exception):
    """No line of the file begins there."""


@transaction.atomic
def download(*, report: Report, by: Actor) -> BinaryIO:
    """Return a report's file, found to be what was written; whoever asks closes it.

    Raises stored_files.Damaged when it is not, or when there is none.
    """
    kept = report.kept
    if kept is None or not stored_files.is_whole(kept):
        raise Damaged(report.name)
    file = stored_files.hand_out(kept)
    _remember(DOWNLOADED, report, by)
    return file


@transaction.atomic
def view(*, report: Report, place: int | None, by: Actor) -> Page:
    """Return the page that begins at a place; None is the first row.

    Raises NoPlace, and stored_files.Damaged as ``download``.
    """
    with _opened(report) as file:
        columns = _fields(file.readline())
        first = file.tell()
        begin = first if place is None else place
        if begin != first and not _is_place(file, begin, first):
            raise NoPlace
        file.seek(begin)
        lines = [line for _number in range(LINES) if (line := file.readline())]
        following = file.tell()
        goes_on = file.read(1) != b""
        page = Page(
            columns,
            [_fields(line) for line in lines],
            previous=_before(file, begin, first) if begin > first else None,
            next=following if goes_on else None,
        )
    _remember(VIEWED, report, by)
    return page


def find(*, report: Report, order_number: str) -> int | None:
    """Return the place of an order's first row, None when the report does not hold it.

    The file is looked through a block at a time; in memory there is never more than one.
    """
    wanted = f"\n{order_number}\t".encode()
    with _opened(report) as file:
        at, rest = 0, b""
        while block := file.read(_BLOCK):
            text = rest + block
            if (found := text.find(wanted)) >= 0:
                return at - len(rest) + found + 1
            at += len(block)
            rest = text[-len(wanted) :]
    return None


def _opened(report: Report) -> BinaryIO:
    if report.kept is None:
        raise Damaged(report.name)
    return stored_files.hand_out(report.kept)


def _is_place(file: BinaryIO, place: int, first: int) -> bool:
    if place < first:
        return False
    file.seek(place - 1)
    return file.read(1) == b"\n" and file.read(1) != b""


def _before(file: BinaryIO, begin: int, first: int) -> int:
    """Return where the page before a place begins, reading backwards as far as that takes."""
    at, tail = begin, b""
    while at > first and tail.count(b"\n") <= LINES:
        step = min(_BLOCK // 8, at - first)
        at -= step
        file.seek(at)
        tail = file.read(step) + tail
    ends = [place for place, byte in enumerate(tail) if byte == 10]
    return at + ends[-LINES - 1] + 1 if len(ends) > LINES else first


def _fields(line: bytes) -> list[str]:
    return line.decode().rstrip("\r\n").split("\t")


def _remember(event: str, report: Report, by: Actor) -> None:
    at = calendar.now_for(report.merchant)
    told = {"report": report.pk, "kind": report.kind}
    history.append([history.Line(report.merchant_id, event, at, by, after=told)])
