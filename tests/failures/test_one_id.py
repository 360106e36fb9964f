"""One id follows an action through real processes: web, broker, worker, mail server."""

from __future__ import annotations

import json

import pytest

from tests.failures.person import promised
from tests.failures.stack import RECOVERY, wait_until


def lines_of(stack, name: str, request: str) -> list[dict[str, object]]:
    """Return the lines that a process wrote about an action."""
    told = (line for line in stack.log(name).splitlines() if request in line and line[0] == "{")
    return [line for line in map(json.loads, told) if line.get("request") == request]


@pytest.mark.req("TECH-11", "IMPL-04", "NOTIF-01")
def test_the_worker_and_the_mail_name_the_request(stack, stage, alice):
    (number,) = stage.orders(status="unshipped")
    assert promised(alice.confirm(number))
    [(request,)] = stack.rows(
        "SELECT DISTINCT e.request_id FROM audit_entry e JOIN orders_order o ON o.id = e.order_id"
        " WHERE o.number = %s AND e.event = 'order.shipment_confirmed'",
        number,
    )

    def events() -> set[object]:
        return {line["event"] for line in lines_of(stack, "worker", request)}

    wait_until(lambda: "mail.sent" in events(), RECOVERY, "the mail leaves under the id")
    # The task that the page asked for; the job may just have been running for somebody else.
    assert events() & {"job.ran", "job.runs_elsewhere"}
    assert "request" in {line["event"] for line in lines_of(stack, "web", request)}
