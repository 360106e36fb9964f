"""Jobs of the order desk: a task means "look for work"; each makes one domain call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from core.actor import Actor
from core.jobs import Done, Planned, job
from orders.domain import settling, verification

CHECKS, OPERATIONS = 500, 200  # at most in one batch


def _planned_checks() -> Iterator[Planned]:
    for payment in verification.due_checks().iterator():
        yield Planned(payment.order.number, "ask the gateway about the payment")


@job("check-payments", plan=_planned_checks)
def check_payments() -> Done:
    """Ask the gateway about payments being verified (PENDING-02)."""
    asked = verification.check_payments(by=Actor("gateway", "payment check"), limit=CHECKS)
    return Done({"payments checked": asked}, more=asked == CHECKS)


def _planned_settlements() -> Iterator[Planned]:
    for operation in settling.open_operations():
        yield Planned(operation.order.number, f"settle the {operation.purpose} at the gateway")


@job("settle-operations", plan=_planned_settlements)
def settle_operations() -> Done:
    """Finish operations at the gateway that nobody finished (FT-03)."""
    by = Actor("job", "settlement of operations")
    settled = settling.settle_open_operations(by=by, limit=OPERATIONS)
    counts = Counter(f"operations: {one.outcome}" for one in settled)
    return Done(counts, more=len(settled) == OPERATIONS)
