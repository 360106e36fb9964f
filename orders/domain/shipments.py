"""Confirming that packages have left (T05 to T08); the first one charges the whole order.

Three committed steps: the intent with the package to be, the call, the outcome. What a kill leaves
open is finished by ``settling``, from the package kept with the intent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _

from audit.domain import submissions
from audit.domain.submissions import Once
from core.actor import Actor
from core.bulk import add_to_rows
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.domain import charges, guards, lifecycle, packages, requests
from orders.domain.packages import Package
from orders.enums import Act, OrderEvent, PaymentState
from orders.models import BuyerRequest, Item, Order, Shipment, ShipmentLine
from payments.domain import operations
from payments.gateways import CLOSED, Answer
from payments.models import Operation

ACTION = "confirm"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One package to be confirmed.

    quantities: units by item id, 1 or more each; None stands for everything that remains.
    rest_not_sent: units that then remain are recorded as not sent and count as confirmed (SHIP-20).
    despite_request: it is meant although the buyer asks for a cancellation (SHIP-23).
    seen: the version the caller was shown; None when no page was shown.
    """

    order_id: int
    package: Package
    quantities: Mapping[int, int] | None = None
    rest_not_sent: bool = False
    despite_request: bool = False
    seen: int | None = None
    once: Once | None = None


@dataclass(slots=True)
class _Intended:
    """What the first step leads to: outcomes at hand, and operations whose answer decides."""

    outcomes: dict[int, Shipment | Refusal] = field(default_factory=dict)
    operations: dict[int, Operation] = field(default_factory=dict)


def confirm_shipment(*, wanted: Confirmation, by: Actor) -> Shipment:
    """Confirm one package. Raises Refused, see ``confirm_shipments``."""
    outcome = confirm_shipments(wanted=[wanted], by=by)[0]
    if isinstance(outcome, Refusal) and _is_double(outcome, wanted):
        outcome = _first_answer(wanted) or outcome
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return outcome


def confirm_shipments(
    *, wanted: Sequence[Confirmation], by: Actor, at: Mapping[int, datetime] | None = None
) -> list[Shipment | Refusal]:
    """Confirm packages of different orders of one merchant; each is answered in its place.

    at: instants by order, for replays of the past; None reads the clock.
    Refusals: those of ``guards`` for Act.CONFIRM; INVALID_INPUT (with field), QUANTITY_EXCEEDED
        (facts ``item``, ``maximum``), NOT_FOUND for items of other orders, PAYMENT_CAPTURE_FAILED,
        CANCELLATION_REQUESTED (from the page, field ``despite_request``),
        CONFIRMATION_IN_PROGRESS when the gateway does not answer, TOKEN_REUSED.
    Source: SHIP-08 to SHIP-16, SHIP-20, SHIP-24, INV-02, INV-05, INV-06.
    """
    intended = _intend(wanted, by=by, at=at)
    answers = operations.call(list(intended.operations.values()))
    by_key = {operation.pk: operation for operation in intended.operations.values()}
    answered = {by_key[pk]: answer for pk, answer in answers.items() if answer is not None}
    settled = settle_captures(answered, at=at) if answered else {}
    for index, operation in intended.operations.items():
        order_id = wanted[index].order_id
        intended.outcomes[index] = settled.get(operation.pk) or _in_progress(order_id)
    return [intended.outcomes[index] for index in range(len(wanted))]


@unit_of_work
def settle_captures(
    answers: Mapping[Operation, Answer], *, at: Mapping[int, datetime] | None = None
) -> dict[int, Shipment | Refusal]:
    """Write what captures led to, by operation: packages and charges, or failures (SHIP-11).

    An operation settled meanwhile by someone else is answered with what they wrote.
    """
    orders = lifecycle.lock(operation.order_id for operation in answers)
    still_open = operations.still_open(operation.pk for operation in answers)
    operations.finish({op: answer for op, answer in answers.items() if op.pk in still_open})
    ready: list[_Ready] = []
    failed: list[Operation] = []
    outcomes: dict[int, Shipment | Refusal] = {}
    items = lifecycle.items_of(orders.values())
    for operation, answer in answers.items():
        order = orders[operation.order_id]
        plan = packages.Plan.from_json(operation.plan)
        if operation.pk not in still_open:
            outcomes[operation.pk] = _settled_before(operation, plan)
        elif answer.succeeded:
            ready.append(_Ready(order, items[order.pk], plan, operation))
        else:
            failed.append(operation)
    instants = lifecycle.Instants(at)
    for one in ready:
        one.order.charged_at = instants.of(one.order)
        one.order.payment_state = PaymentState.CAPTURED
    charges.post([one.order for one in ready])
    shipments, changes = _ship(ready, instants)
    for one, shipment in zip(ready, shipments, strict=True):
        assert one.operation is not None
        outcomes[one.operation.pk] = shipment
        _conclude(one.plan, one.order, {"shipment": shipment.number})
    for operation in failed:
        order, plan = orders[operation.order_id], packages.Plan.from_json(operation.plan)
        changes.append(_not_charged(order, plan, operation, instants.of(order)))
        outcomes[operation.pk] = _why_not(order, operation)
        _conclude(plan, order, {"refused": operation.error_code})
    lifecycle.record(changes)
    return outcomes


def capture_failed(order: Order) -> Refusal:
    """F12: the charge was declined; nothing counts as shipped."""
    return Refusal(
        "PAYMENT_CAPTURE_FAILED",
        _("The buyer could not be charged for order %s, so the shipment is not recorded.")
        % order.number,
        remedy=_(
            "Do not ship yet. The order stays unshipped; the buyer is asked to update the payment."
            " Confirm again later."
        ),
    )


def lapsed(order: Order) -> Refusal:
    """The charge never reached the gateway and never will: the order is free again (FT-03)."""
    return Refusal(
        "PAYMENT_CAPTURE_FAILED",
        _("The confirmation of order %s did not come through; nobody was charged.") % order.number,
        {"gateway": "not reached"},
        remedy=_("Confirm again."),
    )


@dataclass(frozen=True, slots=True)
class _Ready:
    """A package of a locked order, checked and paid for, about to be written."""

    order: Order
    items: Sequence[Item]
    plan: packages.Plan
    operation: Operation | None = None


@unit_of_work
def _intend(
    wanted: Sequence[Confirmation], *, by: Actor, at: Mapping[int, datetime] | None
) -> _Intended:
    """Check each package; write those already paid for, and intents to charge for the others."""
    lifecycle.each_once(one.order_id for one in wanted)
    result = _Intended()
    orders = lifecycle.lock(one.order_id for one in wanted)
    items = lifecycle.items_of(orders.values())
    open_captures = operations.open_captures(orders)
    asked = requests.open_of(orders)
    numbers = _next_numbers(orders)
    instants = lifecycle.Instants(at)
    ready: dict[int, _Ready] = {}
    for index, one in enumerate(wanted):
        order = orders.get(one.order_id)
        if order is None:
            result.outcomes[index] = packages.no_such_order()
            continue
        instant = instants.of(order)
        try:
            first = submissions.claim(
                one.once, merchant_id=order.merchant_id, action=ACTION, by=by, at=instant
            )
            if first is not None:
                result.outcomes[index] = _answer_again(order, first)
                continue
        except Refused as refused:
            result.outcomes[index] = refused.refusal
            continue
        facts = guards.Facts(order, by, instant, order.pk in open_captures, one.seen)
        units = (
            guards.ask(Act.CONFIRM, facts)
            or _unheard(one, asked.get(order.pk), by)
            or packages.check(
                order, items[order.pk], one.package, one.quantities, one.rest_not_sent, at=instant
            )
        )
        if isinstance(units, Refusal):
            submissions.withdraw(one.once, merchant_id=order.merchant_id)
            result.outcomes[index] = units
            continue
        plan = packages.Plan(one.package, units, numbers[order.pk], by, one.once)
        ready[index] = _Ready(order, items[order.pk], plan)

    _write_paid(ready, result, instants)
    _intend_captures(ready, result)
    return result


def _unheard(wanted: Confirmation, request: BuyerRequest | None, by: Actor) -> Refusal | None:
    """Whoever looks at the page says that a request was seen; files and programs cannot tick."""
    sees_it = by.door == "form" and request is not None and request.answer_by_at is not None
    if not sees_it or wanted.despite_request:
        return None
    return Refusal(
        "CANCELLATION_REQUESTED",
        _("The buyer has asked for a cancellation."),
        field="despite_request",
        remedy=_("Answer the request, or tick that the order ships all the same."),
    )


def _write_paid(
    ready: Mapping[int, _Ready], result: _Intended, instants: lifecycle.Instants
) -> None:
    """Write packages of orders that are charged or paid in advance: one step is enough."""
    paid = {index: one for index, one in ready.items() if one.order.paid_at is not None}
    if not paid:
        return
    shipments, changes = _ship(list(paid.values()), instants)
    for (index, one), shipment in zip(paid.items(), shipments, strict=True):
        result.outcomes[index] = shipment
        _conclude(one.plan, one.order, {"shipment": shipment.number})
    lifecycle.record(changes)


def _intend_captures(ready: Mapping[int, _Ready], result: _Intended) -> None:
    unpaid = {index: one for index, one in ready.items() if one.order.paid_at is None}
    intents = [
        operations.Intent(
            order_id=one.order.pk,
            merchant_id=one.order.merchant_id,
            purpose=operations.Purpose.CAPTURE,
            amount=one.order.total,
            currency=one.order.currency,
            plan=one.plan.to_json(),
        )
        for one in unpaid.values()
    ]
    rows = operations.intend(intents, called_at_once=True)
    result.operations = dict(zip(unpaid, rows, strict=True))


def _ship(
    ready: Sequence[_Ready], instants: lifecycle.Instants
) -> tuple[list[Shipment], list[lifecycle.Change]]:
    """Write packages and their units; return them with the changes to be recorded."""
    shipments = Shipment.objects.bulk_create(
        Shipment(
            merchant_id=one.order.merchant_id,
            order=one.order,
            number=one.plan.number,
            ship_date=one.plan.package.ship_date,
            carrier=one.plan.package.carrier,
            carrier_name=one.plan.package.carrier_name,
            method=one.plan.package.method,
            tracking_id=one.plan.package.tracking_id,
            confirmed_at=instants.of(one.order),
            confirmed_by=one.plan.by.name,
            door=one.plan.by.door,
        )
        for one in ready
    )
    pairs = list(zip(ready, shipments, strict=True))
    ShipmentLine.objects.bulk_create(
        (
            ShipmentLine(
                order_id=one.order.pk, shipment=shipment, item_id=item_id, quantity=quantity
            )
            for one, shipment in pairs
            for item_id, quantity in one.plan.units.shipped.items()
        ),
        batch_size=2000,
    )
    add_to_rows(
        Item,
        ["quantity_shipped", "quantity_not_sent"],
        {
            item_id: (
                one.plan.units.shipped.get(item_id, 0),
                one.plan.units.not_sent.get(item_id, 0),
            )
            for one in ready
            for item_id in {*one.plan.units.shipped, *one.plan.units.not_sent}
        },
    )
    changes = []
    for one, shipment in pairs:
        units = one.plan.units
        one.order.quantity_confirmed += units.total
        changes.append(
            lifecycle.Change(
                one.order,
                OrderEvent.SHIPMENT_CONFIRMED,
                one.plan.by,
                instants.of(one.order),
                Act.CONFIRM,
                after={
                    "shipment": shipment.number,
                    "units": sum(units.shipped.values()),
                    "not_sent": sum(units.not_sent.values()),
                    "charged": str(one.order.total) if one.operation else "",
                },
            )
        )
    shipped = [(one.order, one.plan.by) for one in ready]
    return shipments, changes + requests.close_for_shipped(shipped, instants)


def _not_charged(
    order: Order, plan: packages.Plan, operation: Operation, at: datetime
) -> lifecycle.Change:
    """Note that a capture failed, or that it never happened and the order is as it was."""
    event = OrderEvent.CONFIRMATION_LAPSED
    if operation.error_code != CLOSED:
        event = OrderEvent.CAPTURE_FAILED
        order.payment_state = PaymentState.CAPTURE_FAILED
    return lifecycle.Change(order, event, plan.by, at, after={"code": operation.error_code})


def _why_not(order: Order, operation: Operation) -> Refusal:
    return lapsed(order) if operation.error_code == CLOSED else capture_failed(order)


def _next_numbers(orders: Mapping[int, Order]) -> dict[int, int]:
    last = dict(
        Shipment.objects.filter(order_id__in=list(orders))
        .values_list("order_id")
        .annotate(last=Max("number"))
    )
    return {pk: last.get(pk, 0) + 1 for pk in orders}


def _conclude(plan: packages.Plan, order: Order, result: submissions.Result) -> None:
    submissions.conclude(plan.once, merchant_id=order.merchant_id, result=result)


def _answer_again(order: Order, first: submissions.Result) -> Shipment | Refusal:
    if "refused" in first:
        return lapsed(order) if first["refused"] == CLOSED else capture_failed(order)
    return Shipment.objects.get(order=order, number=first["shipment"])


def _settled_before(operation: Operation, plan: packages.Plan) -> Shipment | Refusal:
    written = Shipment.objects.filter(order_id=operation.order_id, number=plan.number).first()
    if written is not None:
        return written
    operation.refresh_from_db()
    return _why_not(Order.objects.get(pk=operation.order_id), operation)


def _in_progress(order_id: int) -> Refusal:
    number = Order.objects.values_list("number", flat=True).get(pk=order_id)
    return Refusal(
        "CONFIRMATION_IN_PROGRESS",
        _("Order %s is being confirmed; the payment gateway has not answered yet.") % number,
        {"gateway": "no answer"},
        remedy=_("You need not repeat anything; look again in a minute."),
    )


def _is_double(refusal: Refusal, wanted: Confirmation) -> bool:
    """Whether another request asks the same of the gateway; who asked it has nobody to wait for."""
    asked_itself = "gateway" in refusal.facts
    in_progress = refusal.code == "CONFIRMATION_IN_PROGRESS"
    return in_progress and not asked_itself and wanted.once is not None


def _first_answer(wanted: Confirmation) -> Shipment | Refusal | None:
    assert wanted.once is not None
    order = Order.objects.select_related("merchant").get(pk=wanted.order_id)
    first = submissions.wait_for(wanted.once, merchant_id=order.merchant_id)
    return _answer_again(order, first) if first is not None else None
