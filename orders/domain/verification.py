"""Payment verification (T02, T03): the gateway says whether an order may be shipped."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F

from accounts.domain import calendar
from core import clock
from core.actor import Actor
from core.bulk import update_rows
from core.jobs import OutOfTime
from core.money import Money
from core.refusal import Refusal
from core.transactions import insist_on_the_database, unit_of_work
from orders.domain import charges, goods, guards, lifecycle
from orders.enums import Act, CancelCause, OrderEvent, PaymentState
from orders.models import Cancellation, Order
from payments.domain import operations
from payments.gateways import GatewayUnavailable, Verification, VerificationOutcome, gateway
from payments.models import Payment

Outcome = VerificationOutcome
log = logging.getLogger(__name__)

_RECHECK = timedelta(minutes=1)
_USUAL = timedelta(minutes=15)  # N03 leaves when verification takes longer (PENDING-03)

_CAUSES: Mapping[VerificationOutcome, CancelCause] = {
    Outcome.DECLINED: CancelCause.PAYMENT_DECLINED,
    Outcome.FRAUD: CancelCause.FRAUD_SUSPECTED,
}


def due_checks() -> models.QuerySet[Payment]:
    """Return the payments whose time for a check has come, each by its merchant's clock."""
    return (
        Payment.objects.filter(next_check_at__lte=clock.now() + F("merchant__clock_ahead"))
        .select_related("order__merchant", "order__marketplace")
        .order_by("next_check_at")
    )


def check_payments(*, by: Actor, limit: int = 500) -> int:
    """Ask the gateway about payments due for a check, act on the answers; return how many.

    The gateway is asked under no lock. Source: PENDING-02, PENDING-03, PENDING-10, PENDING-12.
    """
    answers: dict[int, Verification] = {}
    for payment in due_checks()[:limit]:
        order = payment.order
        try:
            answers[order.pk] = gateway().verify(
                token=payment.token,
                amount=Money(order.total, order.currency),
                started_at=payment.started_at,
                at=calendar.now_for(order.merchant),
            )
        except GatewayUnavailable:
            answers[order.pk] = Verification(Outcome.CHECKING)
    try:
        settle_verifications(answers, by=by)
    except OutOfTime:
        raise
    except Exception:
        log.exception("verification.batch_failed", extra={"count": len(answers)})
        insist_on_the_database()
        _settle_one_by_one(answers, by)
    return len(answers)


def _settle_one_by_one(answers: Mapping[int, Verification], by: Actor) -> None:
    """Settle each alone, so that one bad order stops no other; it stays due (AUTO-11)."""
    for pk, answer in answers.items():
        try:
            settle_verifications({pk: answer}, by=by)
        except OutOfTime:
            raise
        except Exception:
            log.exception("verification.failed", extra={"order": pk})
            insist_on_the_database()


@unit_of_work
def settle_verifications(
    answers: Mapping[int, Verification], *, by: Actor, at: Mapping[int, datetime] | None = None
) -> None:
    """Apply the gateway's answers, by order.

    An answer that comes twice, or late, changes nothing: only pending orders move.
    at: instants by order, for replays of the past; None reads the clock.
    """
    orders = lifecycle.lock(answers)
    payments = Payment.objects.in_bulk(list(orders))
    instants = lifecycle.Instants(at)
    verified: list[Order] = []
    refused: dict[int, CancelCause] = {}
    waiting: list[Order] = []
    for pk, order in orders.items():
        outcome = answers[pk].outcome
        act = Act.VERIFY if outcome in (Outcome.VERIFIED, Outcome.PAID) else Act.DECLINE
        if guards.ask(act, guards.Facts(order, by, instants.of(order))) is not None:
            continue
        if act == Act.VERIFY:
            _accept(order, outcome, instants.of(order))
            verified.append(order)
        elif (cause := _cause(order, payments[pk], outcome, instants.of(order))) is not None:
            refused[pk] = cause
        else:
            waiting.append(order)
    settled = set(orders) - {order.pk for order in waiting}
    Payment.objects.filter(pk__in=settled).update(next_check_at=None)
    slow = _keep_waiting(waiting, payments, by, instants)
    charges.post([order for order in verified if order.advance_paid_at])
    changes = _refuse([orders[pk] for pk in refused], refused, by, instants)
    changes += [
        lifecycle.Change(
            order,
            OrderEvent.VERIFIED,
            by,
            instants.of(order),
            Act.VERIFY,
            after={"payment": order.payment_state},
        )
        for order in verified
    ]
    lifecycle.record(changes)
    lifecycle.remember(slow)


def decline(*, order_id: int, cause: CancelCause, by: Actor) -> Refusal | None:
    """Cancel a pending order whose payment is not secured (T03); a refusal if it moved on."""
    outcome = {cause_: outcome for outcome, cause_ in _CAUSES.items()}[cause]
    order = Order.objects.select_related("merchant", "marketplace").get(pk=order_id)
    refusal = guards.ask(Act.DECLINE, guards.Facts(order, by, calendar.now_for(order.merchant)))
    if refusal is None:
        settle_verifications({order_id: Verification(outcome)}, by=by)
    return refusal


def _accept(order: Order, outcome: VerificationOutcome, at: datetime) -> None:
    order.verified_at = at
    if outcome == Outcome.PAID:
        order.payment_state = PaymentState.PAID_IN_ADVANCE
        order.advance_paid_at = at
    else:
        order.payment_state = PaymentState.AUTHORISED


def _cause(
    order: Order, payment: Payment, outcome: VerificationOutcome, at: datetime
) -> CancelCause | None:
    """Return why a pending order ends now, or None while it may go on waiting."""
    if outcome in _CAUSES:
        return _CAUSES[outcome]
    in_advance = order.payment_state == PaymentState.AWAITING_PAYMENT
    if in_advance and outcome != Outcome.AWAITING:
        return None  # the money may have come: only the gateway can say that it has not
    if payment.pay_by_at is not None and at >= payment.pay_by_at:
        return CancelCause.ADVANCE_OVERDUE
    timeout = timedelta(days=order.marketplace.pending_timeout_days)
    if at >= order.purchased_at + timeout:
        return CancelCause.PAYMENT_TIMEOUT
    return None


def _refuse(
    orders: Sequence[Order],
    causes: Mapping[int, CancelCause],
    by: Actor,
    instants: lifecycle.Instants,
) -> list[lifecycle.Change]:
    if not orders:
        return []
    goods.release(orders, at=instants.last_of(orders))
    Cancellation.objects.bulk_create(
        Cancellation(
            order=order,
            merchant_id=order.merchant_id,
            move="T03",
            reason=causes[order.pk],
            counts=False,
            cancelled_at=instants.of(order),
            cancelled_by=by.name,
            door=by.door,
        )
        for order in orders
    )
    operations.intend(
        [
            operations.Intent(
                order.pk, order.merchant_id, operations.Purpose.VOID, order.total, order.currency
            )
            for order in orders
        ]
    )
    for order in orders:
        order.cancelled_at = instants.of(order)
        order.payment_state = PaymentState.DECLINED
    return [
        lifecycle.Change(
            order,
            OrderEvent.PAYMENT_REFUSED,
            by,
            instants.of(order),
            Act.DECLINE,
            after={"reason": causes[order.pk].value},
        )
        for order in orders
    ]


def _keep_waiting(
    orders: Sequence[Order],
    payments: Mapping[int, Payment],
    by: Actor,
    instants: lifecycle.Instants,
) -> list[lifecycle.Change]:
    """Plan the next check; return the orders whose buyer is told once that it takes long (N03)."""
    slow = []
    rows = {}
    for order in orders:
        payment, at = payments[order.pk], instants.of(order)
        told = payment.delay_told_at
        card = order.payment_state == PaymentState.UNVERIFIED
        if told is None and card and at - payment.started_at > _USUAL:
            told = at
            slow.append(lifecycle.Change(order, OrderEvent.VERIFICATION_DELAYED, by, at))
        rows[payment.pk] = (at + _RECHECK, payment.checks + 1, told)
    update_rows(Payment, ["next_check_at", "checks", "delay_told_at"], rows)
    return slow
