"""Money at the gateway in three steps: record the intent, call, record the outcome.

The first and the last step are the caller's transactions; the call runs under no lock. An intent
whose outcome never came is settled by asking the gateway, never by acting again (IMPL-16).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q

from core import clock, failpoints
from core.bulk import update_rows
from core.money import Money
from payments.gateways import Answer, GatewayUnavailable, gateway
from payments.models import Operation, Payment

log = logging.getLogger(__name__)

# How long whoever called may take before the reconciler asks.
LEASE = timedelta(seconds=settings.OPERATION_LEASE_SECONDS)
Purpose = Operation.Purpose
State = Operation.State


@dataclass(frozen=True, slots=True)
class Intent:
    """One act at the gateway to be: amount in the order's currency, and what to write after it."""

    order_id: int
    merchant_id: int
    purpose: Operation.Purpose
    amount: Decimal
    currency: str
    plan: Mapping[str, object] = field(default_factory=dict)


def intend(intents: Sequence[Intent], *, called_at_once: bool = False) -> list[Operation]:
    """Record intents in the caller's transaction, with their orders locked.

    called_at_once: the caller itself goes on to call the gateway after its commit; others leave it
        to the job that settles operations. Leases count in the platform's time, not a sandbox's.
    """
    at = clock.now()
    orders = {intent.order_id for intent in intents}
    used = {
        (row["order_id"], row["purpose"]): row["last"]
        for row in Operation.objects.filter(order_id__in=orders)
        .values("order_id", "purpose")
        .annotate(last=Max("sequence"))
    }
    rows = []
    for intent in intents:
        sequence = used.get((intent.order_id, intent.purpose), 0) + 1
        used[intent.order_id, intent.purpose] = sequence
        rows.append(
            Operation(
                order_id=intent.order_id,
                merchant_id=intent.merchant_id,
                purpose=intent.purpose,
                sequence=sequence,
                key=uuid4(),
                amount=intent.amount,
                currency=intent.currency,
                plan=dict(intent.plan),
                created_at=at,
                lease_until=at + LEASE if called_at_once else None,
            )
        )
    return Operation.objects.bulk_create(rows)


def open_captures(order_ids: Iterable[int]) -> set[int]:
    """Return which of the orders have a capture without an outcome."""
    return set(
        Operation.objects.filter(
            order_id__in=list(order_ids), purpose=Purpose.CAPTURE, state=State.INTENDED
        ).values_list("order_id", flat=True)
    )


def call(operations: Collection[Operation]) -> dict[int, Answer | None]:
    """Ask the gateway to carry out operations, under no lock; return the answers by operation.

    None stands for no answer: the outcome is unknown and stays open for the reconciler.
    """
    tokens = tokens_of(operation.order_id for operation in operations)
    return {
        operation.pk: _call_one(operation, tokens[operation.order_id]) for operation in operations
    }


def find(operation: Operation) -> Answer | None:
    """Settle an operation of unknown outcome by asking the gateway; None when it does not answer.

    A capture or authorisation nobody heard of is closed, so that the order is free and a late call
    charges or holds nothing (FT-03). A refund or void was promised: if nothing was done, it is done
    now, under the same key.
    """
    try:
        if operation.purpose in (Purpose.AUTHORISE, Purpose.CAPTURE):
            return gateway().close(key=operation.key)
        answer = gateway().find(key=operation.key)
    except GatewayUnavailable:
        return None
    if answer is not None:
        return answer
    token = tokens_of([operation.order_id])[operation.order_id]
    return _call_one(operation, token)


def finish(answers: Mapping[Operation, Answer]) -> None:
    """Write outcomes in the caller's transaction, with the orders locked."""
    at = clock.now()
    rows = {}
    for operation, answer in answers.items():
        operation.state = State.DONE if answer.succeeded else State.FAILED
        operation.reference = answer.reference
        operation.error_code = answer.code
        operation.finished_at = at
        operation.lease_until = None
        rows[operation.pk] = (
            operation.state,
            operation.reference,
            operation.error_code,
            at,
            None,
        )
    fields = ["state", "reference", "error_code", "finished_at", "lease_until"]
    update_rows(Operation, fields, rows)


def still_open(operation_ids: Iterable[int]) -> dict[int, Operation]:
    """Return those operations that have no outcome yet, by key; their orders are locked already."""
    rows = Operation.objects.filter(pk__in=list(operation_ids), state=State.INTENDED)
    return {operation.pk: operation for operation in rows}


def attend(*, limit: int) -> list[Operation]:
    """Take open operations that nobody is calling; they are the caller's for the time of a lease.

    Those that waited longest come first: one that the gateway never answers goes to the end of the
    line and keeps no other from being asked about. Two workers at once take different ones.
    """
    at = clock.now()
    lapsed = Q(lease_until__isnull=True) | Q(lease_until__lte=at)
    open_ones = Operation.objects.filter(lapsed, state=State.INTENDED)
    with transaction.atomic():
        rows = list(
            open_ones.order_by(F("lease_until").asc(nulls_first=True), "pk").select_for_update(
                skip_locked=True, no_key=True
            )[:limit]
        )
        taken = Operation.objects.filter(pk__in=[operation.pk for operation in rows])
        taken.update(lease_until=at + LEASE, attempts=F("attempts") + 1)
    return rows


def tokens_of(order_ids: Iterable[int]) -> dict[int, str]:
    """Return the payment method's token by order."""
    rows = Payment.objects.filter(pk__in=set(order_ids)).values_list("pk", "token")
    return dict(rows)


def _call_one(operation: Operation, token: str) -> Answer | None:
    act = {
        Purpose.AUTHORISE: gateway().authorise,
        Purpose.CAPTURE: gateway().capture,
        Purpose.VOID: gateway().void,
        Purpose.REFUND: gateway().refund,
    }[Purpose(operation.purpose)]
    amount = Money(operation.amount, operation.currency)
    failpoints.hit("payment.before_call")
    try:
        answer = act(key=operation.key, token=token, amount=amount, at=operation.created_at)
    except GatewayUnavailable:
        log.warning("gateway.no_answer", extra={"operation": operation.pk})
        return None
    failpoints.hit("payment.after_call")
    return answer
