"""Jobs of the order desk: a task means "look for work"; each makes one domain call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from core.actor import Actor
from core.jobs import Done, Planned, job
from orders.domain import requests, settling, verification

CHECKS, OPERATIONS, REQUESTS = 500, 200, 200  # at most in one batch


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


def _planned_requests() -> Iterator[Planned]:
    for request in requests.overdue().iterator():
        yield Planned(request.order.number, "tell the buyer that no answer came", ("N22",))


@job("cancellation-request-limits", plan=_planned_requests)
def tell_overdue_requests() -> Done:
    """Tell buyers whose cancellation request nobody answered in time (BUYERCANCEL-05)."""
    by = Actor("job", "cancellation-request-limits")
    told, failed = requests.tell_overdue(by=by, limit=REQUESTS)
    counts = {"buyers told": told, "failures": failed}
    return Done(counts, more=bool(told) and told + failed == REQUESTS)
