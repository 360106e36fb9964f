"""Settling operations at the gateway whose outcome nobody wrote (IMPL-16, FT-03)."""

from __future__ import annotations

from dataclasses import dataclass

from core.actor import Actor
from orders.domain import cancellations, refunds, shipments
from payments.domain import operations
from payments.models import Operation

Purpose = operations.Purpose


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one operation. outcome: "done", "failed" or "no answer"."""

    operation: Operation
    outcome: str


def settle_open_operations(*, by: Actor, limit: int = 200) -> list[Settled]:
    """Finish operations that nobody is calling: ask the gateway, act only if nothing was done.

    Each stands alone; the gateway is asked under no lock.
    """
    return [settle(operation, by=by) for operation in operations.unattended(limit=limit)]


def settle(operation: Operation, *, by: Actor) -> Settled:
    """Finish one operation from the gateway's answer."""
    answer = operations.find(operation)
    if answer is None:
        return Settled(operation, "no answer")
    if operation.purpose == Purpose.CAPTURE:
        shipments.settle_captures({operation: answer})
    elif operation.purpose == Purpose.REFUND:
        refunds.settle_refunds({operation: answer}, by=by)
    else:
        cancellations.settle_voids({operation: answer}, by=by)
    return Settled(operation, "done" if answer.succeeded else "failed")
