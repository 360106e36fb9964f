"""Jobs of the order desk: a task means "look for work"; each makes one domain call."""

from __future__ import annotations

from celery import shared_task

from core.actor import Actor
from orders.domain import settling, verification


@shared_task(name="orders.check_payments", ignore_result=True)
def check_payments(**_: object) -> None:
    """Ask the gateway about payments being verified (PENDING-02)."""
    verification.check_payments(by=Actor("gateway", "payment check"))


@shared_task(name="orders.settle_operations", ignore_result=True)
def settle_operations(**_: object) -> None:
    """Finish operations at the gateway that nobody finished (FT-03)."""
    settling.settle_open_operations(by=Actor("job", "settlement of operations"))
