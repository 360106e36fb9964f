"""Checks that the tables of the life cycle are complete; they run at every start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from notifications.domain.letters import READERS
from notifications.domain.outbox import MAILS, channel_of
from orders.domain.guards import GUARDS
from orders.domain.moves import MOVES, STANDING_ACTS
from orders.effects import MESSAGES
from orders.enums import Act, OrderEvent, OrderStatus


@register
def tables_are_complete(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E001: a status nobody reaches. E002: an event without its list of messages.

    E003: an act without guards. E004: an act that is neither a move nor a standing one.
    E005: an e-mail that nobody writes.
    """
    reached, waiting = set[OrderStatus](), [OrderStatus.PENDING]
    while waiting:
        status = waiting.pop()
        if status not in reached:
            reached.add(status)
            waiting += [move.target for move in MOVES if move.source == status]
    known_acts = {move.act for move in MOVES} | set(STANDING_ACTS)
    mails = {m.kind for owed in MESSAGES.values() for m in owed if channel_of(m.kind) in MAILS}
    return [
        *(_error("E001", f"Status {s} is unreachable.") for s in set(OrderStatus) - reached),
        *(
            _error("E002", f"Event {e} has no list of messages.")
            for e in set(OrderEvent) - set(MESSAGES)
        ),
        *(_error("E003", f"Act {a} has no guards.") for a in set(Act) - set(GUARDS)),
        *(_error("E004", f"Act {a} is in no table.") for a in set(Act) - known_acts),
        *(_error("E005", f"Letter {kind} has no writer.") for kind in mails - set(READERS)),
    ]


def _error(number: str, text: str) -> Error:
    return Error(
        text, hint="Complete the table; an empty tuple is an answer.", id=f"orders.{number}"
    )
