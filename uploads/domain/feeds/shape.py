"""The shape that every kind of file has: judge what a record asks, do it, or pretend to.

Judging is the same for a check and for the real thing; the verbs of the order desk, which judge
again under their locks, have the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audit.domain.submissions import Once
from core.actor import Actor
from uploads.codes import Kind as MessageKind
from uploads.domain.desks import Desk
from uploads.domain.messages import Message


@dataclass(frozen=True, slots=True)
class Given:
    """One record: its number and its cells by column."""

    number: int
    values: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass(slots=True)
class Judged:
    """What becomes of the records of one act.

    messages: of each record, by number. wanted: what the good ones ask of the order desk together,
    or None; in the words of the verb.
    """

    messages: dict[int, list[Message]] = field(default_factory=dict)
    wanted: Any = None

    def say(self, number: int, *messages: Message) -> None:
        self.messages.setdefault(number, []).extend(messages)

    def fails(self, number: int) -> bool:
        return any(m.kind == MessageKind.ERROR for m in self.messages.get(number, ()))

    def good(self, given: Sequence[Given]) -> list[Given]:
        """Return the records without an error so far."""
        return [one for one in given if not self.fails(one.number)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the verb answered. problem: the refusal as a message, else None; effect: what it did.

    later: the gateway has not answered; ask again.
    """

    problem: Message | None = None
    effect: Mapping[str, Any] = field(default_factory=dict)
    later: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file.

    judge: the records of one act, in their order, against their order's desk.
    do: acts on different orders of one merchant; each is answered in its place.
    pretend: write on the desk what an act would do; return its effect.
    keep, restore: what an act asks for, as plain values and back: so that a file that is taken up
        again does what was judged, and is answered with it.
    """

    judge: Callable[[Sequence[Given], Desk, Once], Judged]
    do: Callable[[Sequence[Any], Actor], list[Outcome]]
    pretend: Callable[[Any, Desk], Mapping[str, Any]]
    keep: Callable[[Any], Mapping[str, Any]]
    restore: Callable[[Mapping[str, Any], Once], Any]
