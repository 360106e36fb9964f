"""Settling operations at the gateway whose outcome nobody wrote (IMPL-16, FT-03)."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from core import jobs
from core.actor import Actor
from orders.domain import cancellations, edits, refunds, shipments
from orders.models import Order
from payments.domain import operations
from payments.gateways import Answer, GatewayUnavailable, gateway
from payments.models import Operation

Purpose = operations.Purpose

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one operation. outcome: "done", "failed", "no answer" or "error"."""

    operation: Operation
    outcome: str


def settle_open_operations(*, by: Actor, limit: int = 200) -> list[Settled]:
    """Finish operations that nobody is calling: ask the gateway, act only if nothing was done.

    Each stands alone: one that cannot be finished is logged and tried again later, the others go
    on (AUTO-11). The gateway is asked under no lock.
    """
    return [_settle_alone(operation, by=by) for operation in operations.attend(limit=limit)]


def settle(operation: Operation, *, by: Actor) -> Settled:
    """Finish one operation from the gateway's answer."""
    answer = operations.find(operation)
    if answer is None:
        return Settled(operation, "no answer")
    write(operation, answer, by=by)
    return Settled(operation, "done" if answer.succeeded else "failed")


def write(operation: Operation, answer: Answer, *, by: Actor) -> None:
    """Write the gateway's answer about one operation, unless its outcome is known already."""
    if operation.purpose == Purpose.CAPTURE:
        shipments.settle_captures({operation: answer})
    elif operation.purpose == Purpose.AUTHORISE:
        edits.abandon({operation: answer}, by=by)
    elif operation.purpose == Purpose.REFUND:
        refunds.settle_refunds({operation: answer}, by=by)
    else:
        cancellations.settle_voids({operation: answer}, by=by)


def _settle_alone(operation: Operation, *, by: Actor) -> Settled:
    jobs.still_here()
    try:
        return settle(operation, by=by)
    except Exception:
        log.exception("settling.failed", extra={"operation": operation.pk})
        return Settled(operation, "error")


def open_operations() -> list[Operation]:
    """Return every operation without an outcome, oldest first."""
    return list(Operation.objects.filter(state=operations.State.INTENDED).order_by("pk"))


def differences(*, most: int = 1000) -> list[str]:
    """Compare finished operations with the gateway's own books; return where they differ."""
    told = []
    finished = Operation.objects.exclude(state=operations.State.INTENDED).order_by("-pk")[:most]
    for operation in finished:
        try:
            answer = gateway().find(key=operation.key)
        except GatewayUnavailable:
            told.append(f"{operation}: the gateway does not answer")
            continue
        ours = operation.state == operations.State.DONE
        if answer is None or answer.succeeded != ours:
            order = Order.objects.get(pk=operation.order_id)
            theirs = "unknown" if answer is None else "done" if answer.succeeded else "failed"
            told.append(f"{operation.purpose} of {order}: {operation.state} here, {theirs} there")
    return told
