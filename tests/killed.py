"""Confirms, refunds or changes in a process that is killed on the way: `python -m tests.killed`.

Reads a JSON list of [act, order id, point, token] from standard input; each line of work is done in
a process of its own that dies by SIGKILL at its point.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import django

POINTS = (
    "before the intent is committed",
    "after the intent is committed",
    "before the gateway acts",
    "after the gateway acted",
    "before the outcome is committed",
    "after the outcome is committed",
)


def die(*args: object, **kwargs: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def and_die(step: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        step(*args, **kwargs)
        die()

    return run


def act_and_die(act: str, order_id: int, point: str, token: str) -> None:
    from audit.domain.submissions import Once
    from orders.domain import edits, refunds, shipments
    from orders.domain.amounts import Everything
    from orders.domain.packages import Package
    from orders.enums import RefundReason
    from orders.models import Item
    from payments.domain import operations
    from payments.gateways.sandbox import SandboxGateway
    from tests.buyers import BUYER
    from tests.factories import STAFF

    if point == POINTS[0]:
        operations.intend = and_die(operations.intend)
    elif point == POINTS[1]:
        operations.call = die
    elif point == POINTS[2]:
        SandboxGateway._act = die
    elif point == POINTS[3]:
        SandboxGateway._act = and_die(SandboxGateway._act)
    elif point == POINTS[4]:
        operations.finish = and_die(operations.finish)
    once = Once(token, "as typed")
    if act == "confirm":
        package = Package(date.fromisoformat(os.environ["SHIP_DATE"]), "Royal Mail")
        wanted = shipments.Confirmation(order_id, package, once=once)
        shipments.confirm_shipment(wanted=wanted, by=STAFF)
    elif act == "change":
        units = dict.fromkeys(Item.objects.filter(order=order_id).values_list("pk", flat=True), 3)
        edits.edit_order(wanted=edits.Edit(order_id, quantities=units, once=once), by=BUYER)
    else:
        asked = refunds.RefundRequest(
            order_id,
            Everything(),
            RefundReason.CUSTOMER_RETURN,
            expected_refunded=Decimal(0),
            once=once,
        )
        refunds.refund_order(wanted=asked, by=STAFF)
    die()


def main() -> int:
    django.setup()
    for work in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            act_and_die(*work)
        _pid, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            print(f"{work} was not killed: {status}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
