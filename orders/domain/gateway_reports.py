"""Reports of the gateway: they say where to look; what is true is asked of the gateway (TH-03)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.domain import calendar
from core import counts
from core.actor import Actor
from core.money import Money
from core.refusal import Refusal, Refused
from core.runbook import runbook
from core.transactions import unit_of_work
from orders.domain import lifecycle, packages, settling, verification
from orders.enums import OrderStatus
from orders.models import Order
from payments.domain import operations
from payments.gateways import (
    Answer,
    GatewayUnavailable,
    Verification,
    VerificationOutcome,
    gateway,
)
from payments.models import GatewayEvent, Operation, Payment

Outcome = VerificationOutcome
GOOD = frozenset({Outcome.VERIFIED.value, Outcome.PAID.value})
BAD = frozenset({Outcome.DECLINED.value, Outcome.FRAUD.value})
OPERATION_STATES = frozenset({Operation.State.DONE.value, Operation.State.FAILED.value})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What the gateway says happened.

    event: its own name for this report. order: the Order ID. operation: the key of an act it was
    asked for; None when it speaks of the verification. state: a ``VerificationOutcome``, or "done"
    or "failed" of an operation.
    """

    event: str
    order: str
    operation: UUID | None
    amount: Decimal
    currency: str
    state: str


def act_on(report: Report, *, by: Actor) -> None:
    """Ask the gateway about what it reports, and write its answer; each report acts once.

    Raises Refused: NOT_FOUND, ALREADY_KNOWN, INVALID_INPUT (another amount), INVALID_TRANSITION
        (the order has moved on), GATEWAY_UNAVAILABLE (send it again).
    Source: PENDING-02, TH-03, BI-CB, FT-36, INV-02.
    """
    order = Order.objects.select_related("merchant").filter(number=report.order).first()
    if order is None:
        raise Refused(packages.no_such_order())
    if GatewayEvent.objects.filter(event=report.event).exists():
        raise Refused(_known(order))
    if report.operation is None:
        _verification(report, order, by)
        return
    operation = Operation.objects.filter(key=report.operation, order=order).first()
    if operation is None:
        raise Refused(Refusal("NOT_FOUND", _("Order %s has no such operation.") % order.number))
    _operation(report, order, operation, by)


def _verification(report: Report, order: Order, by: Actor) -> None:
    _insist_on_amount(report, order, order.total)
    if report.state not in set(Outcome):
        raise Refused(Refusal("INVALID_INPUT", _("There is no such state."), field="state"))
    if order.status != OrderStatus.PENDING:
        verified = order.verified_at is not None
        agrees = report.state in (GOOD if verified else BAD)
        raise Refused(_known(order) if agrees else _moved_on(report, order))
    payment = Payment.objects.get(pk=order.pk)
    try:
        answer = gateway().verify(
            token=payment.token,
            amount=Money(order.total, order.currency),
            started_at=payment.started_at,
            at=calendar.now_for(order.merchant),
        )
    except GatewayUnavailable as silent:
        raise Refused(_no_answer(order)) from silent
    _write_verification(report, order.pk, answer, by)


def _operation(report: Report, order: Order, operation: Operation, by: Actor) -> None:
    _insist_on_amount(report, order, operation.amount)
    if report.state not in OPERATION_STATES:
        raise Refused(Refusal("INVALID_INPUT", _("There is no such state."), field="state"))
    if operation.state != Operation.State.INTENDED:
        agrees = report.state == operation.state
        raise Refused(_known(order) if agrees else _moved_on(report, order))
    answer = operations.find(operation)
    if answer is None:
        raise Refused(_no_answer(order))
    _write_operation(report, order.pk, operation, answer, by)


@unit_of_work
def _write_verification(report: Report, order_id: int, answer: Verification, by: Actor) -> None:
    _remember(report, order_id)
    verification.settle_verifications({order_id: answer}, by=by)


@unit_of_work
def _write_operation(
    report: Report, order_id: int, operation: Operation, answer: Answer, by: Actor
) -> None:
    _remember(report, order_id)
    settling.write(operation, answer, by=by)


def _remember(report: Report, order_id: int) -> None:
    """Keep the report's name, with its order locked. Raises Refused when it was kept before."""
    (order,) = lifecycle.lock([order_id]).values()
    event = GatewayEvent(
        event=report.event,
        order=order,
        merchant_id=order.merchant_id,
        state=report.state,
        received_at=lifecycle.Instants(None).of(order),
    )
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(_known(order)) from error


def _insist_on_amount(report: Report, order: Order, amount: Decimal) -> None:
    if (report.amount, report.currency) != (amount, order.currency):
        _alert("gateway.amount_differs", order)
        raise Refused(
            Refusal(
                "INVALID_INPUT",
                _("The amount is not that of order %s.") % order.number,
                {"amount": str(amount), "currency": order.currency},
                field="amount",
            )
        )


def _moved_on(report: Report, order: Order) -> Refusal:
    """The report contradicts what is final: somebody has to look; no money moves (FT-36)."""
    if report.state in GOOD | BAD | OPERATION_STATES:
        _alert("gateway.contradicts", order)
    return Refusal(
        "INVALID_TRANSITION",
        _("Order %s has moved on.") % order.number,
        {"status": order.status, "reported": report.state},
    )


def _alert(event: str, order: Order) -> None:
    counts.add(counts.CONTRADICTIONS)
    log.error(event, extra={"alert": runbook("gateway-contradicts"), "order": order.pk})


def _known(order: Order) -> Refusal:
    return Refusal("ALREADY_KNOWN", _("This is known of order %s already.") % order.number)


def _no_answer(order: Order) -> Refusal:
    return Refusal(
        "GATEWAY_UNAVAILABLE",
        _("The gateway did not answer about order %s.") % order.number,
        remedy=_("Report it again."),
    )
