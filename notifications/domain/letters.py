"""Letters: the e-mails of requirements 8.1, written by the app whose facts they tell.

An app registers a writer for its kinds; the outbox asks it when a row is to be sent, so that
addresses and texts are those of that moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from notifications.models import Outbox


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail, plain text. reply_to: an address, or empty."""

    to: tuple[str, ...]
    subject: str
    body: str
    reply_to: str = ""


Writer = Callable[
    [Outbox], Letter | None
]  # None: what it would tell no longer holds; nobody is told

WRITERS: dict[str, Writer] = {}


def writes(*kinds: str) -> Callable[[Writer], Writer]:
    """Declare a function as the writer of letters of these kinds."""

    def declare(writer: Writer) -> Writer:
        WRITERS.update(dict.fromkeys(kinds, writer))
        return writer

    return declare
