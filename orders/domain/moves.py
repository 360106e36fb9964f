"""Table 4.2 of the requirements, as data: which act moves an order from where to where.

The database's own guard (``order_moves_as_the_table_says``) is made from the same table; a test
holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.actor import Door
from orders.enums import Act, OrderStatus

S = OrderStatus


@dataclass(frozen=True, slots=True)
class Move:
    """One row of table 4.2. ``doors``: by which it may come."""

    name: str
    act: Act
    source: OrderStatus
    target: OrderStatus
    doors: frozenset[Door]


_MERCHANT: frozenset[Door] = frozenset({"form", "file", "api"})
_PAGE_OR_PROGRAM: frozenset[Door] = frozenset({"form", "api"})
_GATEWAY: frozenset[Door] = frozenset({"gateway", "job"})
_BUYER: frozenset[Door] = frozenset({"buyer"})
_OPERATOR: frozenset[Door] = frozenset({"operator"})
_JOB: frozenset[Door] = frozenset({"job"})

MOVES: tuple[Move, ...] = (
    Move("T02", Act.VERIFY, S.PENDING, S.UNSHIPPED, _GATEWAY),
    Move("T03", Act.DECLINE, S.PENDING, S.CANCELLED, _GATEWAY | _OPERATOR),
    Move("T04", Act.BUYER_CANCEL, S.PENDING, S.CANCELLED, _BUYER),
    Move("T05", Act.CONFIRM, S.UNSHIPPED, S.PARTIALLY_SHIPPED, _MERCHANT),
    Move("T06", Act.CONFIRM, S.UNSHIPPED, S.SHIPPED, _MERCHANT),
    Move("T07", Act.CONFIRM, S.PARTIALLY_SHIPPED, S.PARTIALLY_SHIPPED, _MERCHANT),
    Move("T08", Act.CONFIRM, S.PARTIALLY_SHIPPED, S.SHIPPED, _MERCHANT),
    Move("T09", Act.CANCEL, S.UNSHIPPED, S.CANCELLED, _MERCHANT),
    Move("T10", Act.AUTO_CANCEL, S.UNSHIPPED, S.CANCELLED, _JOB),
    Move("T11", Act.BUYER_CANCEL, S.UNSHIPPED, S.CANCELLED, _BUYER),
    Move("T12", Act.ACCEPT_REQUEST, S.UNSHIPPED, S.CANCELLED, _PAGE_OR_PROGRAM),
    Move("T13", Act.OPERATOR_CANCEL, S.UNSHIPPED, S.CANCELLED, _OPERATOR),
)

_BY_ACT_AND_SOURCE: Mapping[tuple[Act, OrderStatus], tuple[Move, ...]] = {
    (act, source): tuple(m for m in MOVES if (m.act, m.source) == (act, source))
    for act in Act
    for source in S
}

# Acts that leave the status alone, and the statuses they are possible in.
STANDING_ACTS: Mapping[Act, frozenset[OrderStatus]] = {
    Act.REFUND: frozenset({S.UNSHIPPED, S.PARTIALLY_SHIPPED, S.SHIPPED}),
    Act.REFUND_IN_FULL: frozenset({S.UNSHIPPED, S.PARTIALLY_SHIPPED, S.SHIPPED}),
    Act.PRINT: frozenset({S.UNSHIPPED, S.PARTIALLY_SHIPPED, S.SHIPPED}),
    Act.CORRECT: frozenset({S.PARTIALLY_SHIPPED, S.SHIPPED}),
    Act.BUYER_EDIT: frozenset({S.PENDING, S.UNSHIPPED}),
    Act.FILE_REQUEST: frozenset({S.UNSHIPPED}),
    Act.ESCALATE_REQUEST: frozenset({S.UNSHIPPED}),
    Act.DECLINE_REQUEST: frozenset({S.UNSHIPPED}),
    Act.DELIVER: frozenset({S.SHIPPED}),
    Act.WARN: frozenset({S.UNSHIPPED}),
    Act.REVISE_DATES: frozenset({S.UNSHIPPED, S.PARTIALLY_SHIPPED, S.SHIPPED}),
}


def moves_from(act: Act, source: OrderStatus) -> tuple[Move, ...]:
    """Return the moves an act can make from a status; empty when there is none."""
    return _BY_ACT_AND_SOURCE[act, source]


def move_for(act: Act, source: OrderStatus, target: OrderStatus) -> Move | None:
    """Return the move of an act between two statuses, or None when the table has none."""
    return next((m for m in moves_from(act, source) if m.target == target), None)


def possible(act: Act, source: OrderStatus) -> bool:
    """Whether an act is possible at all in a status."""
    standing = STANDING_ACTS.get(act)
    return source in standing if standing is not None else bool(moves_from(act, source))
