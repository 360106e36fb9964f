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

from celery import current_app
from django.db import connections
from django.db.models import F

from accounts.domain import calendar
from accounts.domain.keys import create_key
from accounts.models import Merchant, User
from audit.models import Entry
from core import clock
from core.actor import Actor
from core.jobs import JOBS, LOST
from core.models import JobRun
from notifications.domain import envelopes, letters, outbox
from notifications.models import Outbox
from operators.domain import alerts
from orders.domain import invariants, settling
from orders.models import Order
from payments.gateways import sandbox
from payments.models import Operation, Payment, SandboxEntry
from tests.factories import (
    PASSWORD,
    MembershipFactory,
    MerchantFactory,
    UserFactory,
    pending_order,
    shipped_order,
    unshipped_order,
)
from uploads.models import Upload

SHOP, AHEAD = "harbour-hearth", "time-machine"  # the second one's clock may be moved
EMAIL = "alice@shop.example"
MAKERS = {"pending": pending_order, "unshipped": unshipped_order, "shipped": shipped_order}


def cast() -> dict[str, str]:
    """Make the shop and alice, who owns it, and a sandbox beside it."""
    shop = MerchantFactory(name="Harbour & Hearth Ltd", slug=SHOP)
    MerchantFactory(name="Time Machine Ltd", slug=AHEAD, is_sandbox=True)
    MembershipFactory(merchant=shop, user__name="Alice Owner", user__email=EMAIL, is_owner=True)
    return {"email": EMAIL, "password": PASSWORD}


def operator(email: str, active: bool = True) -> None:
    """Let somebody be told of alerts, or no more."""
    person = User.objects.filter(email=email).first() or UserFactory(email=email)
    User.objects.filter(pk=person.pk).update(is_operator=True, is_active=active)


def open_alerts() -> list[str]:
    return [alert.condition for alert in alerts.open_alerts()]


def orders(
    status: str, count: int = 1, token: str = "ok", shop: str = SHOP, **changes: Any
) -> list[str]:
    """Make orders; return their numbers."""
    merchant = Merchant.objects.get(slug=shop)
    made = [MAKERS[status](merchant, payment_token="ok", **changes) for _ in range(count)]
    payments = Payment.objects.filter(pk__in=[order.pk for order in made])
    payments.update(token=token)
    payments.exclude(next_check_at=None).update(next_check_at=clock.now())
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


def upload(number: int) -> str:
    """Return the state of an upload."""
    return str(Upload.objects.values_list("state", flat=True).get(pk=number))


def today(shop: str = SHOP) -> str:
    """Return the merchant's day, as files write it."""
    merchant = Merchant.objects.get(slug=shop)
    return merchant.marketplace.local_date(calendar.now_for(merchant)).isoformat()


def stories() -> dict[str, dict[str, Any]]:
    return {number: story(number) for number in Order.objects.values_list("number", flat=True)}


def open_operations() -> int:
    return len(settling.open_operations())


def wrong() -> list[str]:
    """Re-prove what must never be false; return where it is, and where the gateway differs."""
    found = [f"{v.check}: order {v.order_id} {v.what}" for v in _violations()]
    return found + settling.differences()


def mails() -> dict[str, Any]:
    """What became of the e-mails owed: ids of those sent, and how many are due or failed.

    Due are those, too, that somebody is sending, and that wait for an earlier one of their order.
    """
    rows = Outbox.objects.filter(channel__in=outbox.MAILS, kind__in=sorted(letters.READERS))
    due = rows.filter(state="queued", available_at__lte=clock.now() + F("merchant__clock_ahead"))
    return {
        "sent": [envelopes.message_id(row) for row in rows.filter(state="sent")],
        "due": due.count(),
        "failed": rows.filter(state="failed").count(),
        "attempts": sum(rows.values_list("attempts", flat=True)),
    }


def key(shop: str = AHEAD) -> str:
    """Make a key for a merchant's program; return its secret."""
    by = Actor("form", "Jo Adair", owner=True)
    return create_key(merchant=Merchant.objects.get(slug=shop), name="till", by=by)[1]


def send_all(times: int) -> list[str]:
    """Send the task of each job so many times; return the jobs."""
    for job in JOBS.values():
        for _ in range(times):
            current_app.tasks[job.task].apply_async()
    return sorted(JOBS)


def send_junk() -> None:
    """Send tasks that nobody knows, with arguments nobody takes, and with a body of another kind."""
    current_app.send_task("orders.make_tea")
    for job in JOBS.values():
        current_app.send_task(job.task, args=[1, "two"], kwargs={"three": 4})
        current_app.send_task(job.task, kwargs={"from_a_newer_version": True})
    current_app.send_task("orders.check_payments", serializer="pickle")


def days_pass(days: float) -> None:
    """Move the sandbox's clock on."""
    shop = Merchant.objects.get(slug=AHEAD)
    shop.clock_ahead += timedelta(days=days)
    shop.save(update_fields=["clock_ahead"])


def runs_ended() -> int:
    """Return how many runs of jobs ended well so far."""
    return JobRun.objects.filter(error="").exclude(finished_at=None).count()


def runs_lost() -> int:
    return JobRun.objects.filter(error=LOST).count()


def confirmed_ago(number: str) -> float:
    """Return how many seconds ago, by the database, an order's first package was confirmed."""
    shipment = Order.objects.get(number=number).shipments.get()
    return (clock.now() - shipment.confirmed_at).total_seconds()


def _violations() -> list[invariants.Violation]:
    return [row for rows in invariants.verify().values() for row in rows if not _seeded(row)]


def _seeded(violation: invariants.Violation) -> bool:
    """Listings of the factories have stock without a journal."""
    return violation.check.startswith("INVENTORY-07")


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
