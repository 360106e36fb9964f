"""Letters: the e-mails of requirements 8.1, written by the app whose facts they tell.

An app registers a writer for its kinds; the outbox asks it when a row is to be sent, so that
addresses and texts are those of that moment.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from notifications.models import Outbox

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail, plain text. reply_to: an address, or empty."""

    to: tuple[str, ...]
    subject: str
    body: str
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A letter that could not be written. why: the kind of failure, no text of it."""

    why: str


Writer = Callable[
    [Outbox], Letter | None
]  # None: what it would tell no longer holds; nobody is told
Reader = Callable[[Sequence[Outbox]], Writer]

READERS: dict[str, Reader] = {}


def writes(*kinds: str) -> Callable[[Writer], Writer]:
    """Declare a function as the writer of letters of these kinds, one row at a time."""

    def declare(writer: Writer) -> Writer:
        READERS.update(dict.fromkeys(kinds, lambda rows: writer))
        return writer

    return declare


def reads(*kinds: str) -> Callable[[Reader], Reader]:
    """Declare a function that reads what a batch of rows tells and returns the writer of each."""

    def declare(reader: Reader) -> Reader:
        READERS.update(dict.fromkeys(kinds, reader))
        return reader

    return declare


def write(rows: Sequence[Outbox]) -> dict[int, Letter | Unwritten | None]:
    """Write the letters of a batch, by row; one that cannot be written leaves the others alone."""
    by_reader: dict[Reader, list[Outbox]] = defaultdict(list)
    for row in rows:
        by_reader[READERS[row.kind]].append(row)
    written: dict[int, Letter | Unwritten | None] = {}
    for reader, group in by_reader.items():
        try:
            writer = reader(group)
        except DatabaseError:
            raise  # nobody's fault: the rows are tried again when their lease lapses
        except Exception as error:
            written |= {row.pk: _unwritten(row, error) for row in group}
            continue
        for row in group:
            try:
                written[row.pk] = writer(row)
            except Exception as error:
                written[row.pk] = _unwritten(row, error)
    return written


def _unwritten(row: Outbox, error: Exception) -> Unwritten:
    """Tell a fault without its text: that may hold what somebody wrote."""
    fault = type(error).__name__
    log.error("letter.not_written", extra={"code": f"{row.kind} {fault}", "order": row.order_id})
    return Unwritten(fault)
