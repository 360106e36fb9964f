"""Jobs of the order desk: a task means "look for work"; each makes one domain call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from core.actor import Actor
from core.jobs import Done, Planned, job
from orders.domain import (
    deadline_warnings,
    deliveries,
    expiry,
    invariants,
    overdue,
    requests,
    settling,
    sweeps,
    verification,
)
from orders.domain.sweeps import Sweep
from orders.effects import messages_for
from orders.enums import OrderEvent

CHECKS, OPERATIONS, REQUESTS = 500, 200, 200  # at most in one batch
CANCELLER = Actor("job", "auto-cancel")
WARNER = Actor("job", "confirmation warnings")
DELIVERER = Actor("job", "delivery assumption")


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


def _swept(sweep: Sweep, by: Actor, done: str) -> Done:
    swept = sweeps.run(sweep, by=by)
    counts = {done: swept.done, "skipped": swept.skipped, "failed": swept.failed}
    return Done(counts, more=swept.more)


def _planned(sweep: Sweep, by: Actor, act: str, event: OrderEvent) -> Iterator[Planned]:
    for order, refusal in sweeps.judged(sweep, by=by):
        owed = () if refusal else messages_for(event, order)
        yield Planned(order.number, act, owed, str(refusal or ""))


def _planned_cancellations() -> Iterator[Planned]:
    return _planned(overdue.SWEEP, CANCELLER, "cancel", OrderEvent.AUTO_CANCELLED)


@job("auto-cancel", plan=_planned_cancellations)
def cancel_overdue() -> Done:
    """Cancel orders that nobody confirmed until their deadline (AUTO-02)."""
    return _swept(overdue.SWEEP, CANCELLER, "orders cancelled")


def _planned_warnings() -> Iterator[Planned]:
    event = OrderEvent.CONFIRMATION_WARNED
    return _planned(deadline_warnings.SWEEP, WARNER, "warn the merchant", event)


@job("confirmation-warnings", plan=_planned_warnings)
def warn_of_deadlines() -> Done:
    """Warn merchants of orders that will be cancelled unless confirmed (AUTO-06)."""
    return _swept(deadline_warnings.SWEEP, WARNER, "merchants warned")


def _planned_deliveries() -> Iterator[Planned]:
    event = OrderEvent.DELIVERED
    return _planned(deliveries.SWEEP, DELIVERER, "assume that it has arrived", event)


@job("delivery-assumption", plan=_planned_deliveries)
def assume_deliveries() -> Done:
    """Assume that orders have arrived some days after they should have (DETAIL-17)."""
    return _swept(deliveries.SWEEP, DELIVERER, "deliveries assumed")


@job("expiry", plan=expiry.plan)
def expire() -> Done:
    """Blank personal data of old orders, delete what nobody asks for any more (IMPL-22)."""
    return expiry.expire(by=Actor("job", "expiry"))


def _planned_check() -> Iterator[Planned]:
    yield Planned("all merchants", f"re-prove {len(invariants.CHECKS)} invariants on the data")


@job("invariant-check", plan=_planned_check)
def check_invariants() -> Done:
    """Re-prove on the data what must never be false, and keep what was found."""
    found = invariants.check()
    return Done({"checks": found.checks, "violated": len(found.violations)})
