"""Sets the stage in a process of its own, on the stack's database: ``python -m …stagehand``.

Reads calls of the functions below as JSON lines from standard input and answers each with one.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.db import connections

from accounts.models import Merchant
from audit.models import Entry
from core.models import JobRun
from notifications.models import Outbox
from orders.domain import invariants, settling
from orders.models import Order
from payments.gateways import sandbox
from payments.models import Operation, Payment, SandboxEntry
from tests.factories import (
    PASSWORD,
    MembershipFactory,
    MerchantFactory,
    pending_order,
    shipped_order,
    unshipped_order,
)

SLUG, EMAIL = "harbour-hearth", "alice@shop.example"
MAKERS = {"pending": pending_order, "unshipped": unshipped_order, "shipped": shipped_order}


def cast() -> dict[str, str]:
    """Make the shop and alice, who owns it."""
    shop = MerchantFactory(name="Harbour & Hearth Ltd", slug=SLUG)
    MembershipFactory(merchant=shop, user__name="Alice Owner", user__email=EMAIL, is_owner=True)
    return {"email": EMAIL, "password": PASSWORD}


def orders(
    status: str, count: int = 1, days: float = 0.05, token: str = "ok", **changes: Any
) -> list[str]:
    """Make orders of so many days of age; return their numbers."""
    made = [
        MAKERS[status](_shop(), age=timedelta(days=days), payment_token="ok", **changes)
        for _ in range(count)
    ]
    Payment.objects.filter(pk__in=[order.pk for order in made]).update(token=token)
    return [order.number for order in made]


def pays_with(number: str, token: str) -> None:
    Payment.objects.filter(order__number=number).update(token=token)


def story(number: str) -> dict[str, Any]:
    """Everything that may have happened to an order, here and in the gateway's books."""
    order = Order.objects.get(number=number)
    operations = Operation.objects.filter(order=order)
    done = SandboxEntry.objects.filter(key__in=operations.values("key"), succeeded=True)
    return {
        "status": order.status,
        "total": str(order.total),
        "refunded": str(order.refunded_total),
        "shipments": order.shipments.count(),
        "refunds": sorted([str(r.total), r.state] for r in order.refunds.all()),
        "books": dict(Counter(done.values_list("act", flat=True))),
        "open": operations.filter(state="intended").count(),
        "mails": dict(Counter(Outbox.objects.filter(order=order).values_list("kind", flat=True))),
        "events": dict(Counter(Entry.objects.filter(order=order).values_list("event", flat=True))),
    }


def stories() -> dict[str, dict[str, Any]]:
    return {number: story(number) for number in Order.objects.values_list("number", flat=True)}


def open_operations() -> int:
    return len(settling.open_operations())


def wrong() -> list[str]:
    """Re-prove what must never be false; return where it is, and where the gateway differs."""
    found = [f"{v.check}: order {v.order_id} {v.what}" for v in _violations()]
    return found + settling.differences()


def days_pass(days: float) -> None:
    """Move the shop's clock on."""
    shop = _shop()
    shop.clock_ahead += timedelta(days=days)
    shop.save(update_fields=["clock_ahead"])


def runs(job: str) -> list[list[Any]]:
    """Return a job's runs, oldest first: how long ago they ended, what they did, the error."""
    rows = JobRun.objects.filter(job=job).order_by("pk")
    return [[row.finished_at and row.finished_at.isoformat(), row.counts, row.error] for row in rows]


def _violations() -> list[invariants.Violation]:
    return [row for rows in invariants.verify().values() for row in rows if not _seeded(row)]


def _seeded(violation: invariants.Violation) -> bool:
    """Listings of the factories have stock without a journal."""
    return violation.check.startswith("INVENTORY-07")


def _shop() -> Merchant:
    return Merchant.objects.get(slug=SLUG)


def main() -> None:
    known: dict[str, Callable[..., Any]] = {
        name: what for name, what in globals().items() if callable(what) and name[0] != "_"
    }
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"answer": known[name](**arguments)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        finally:
            connections.close_all()
            sandbox.close_books()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
