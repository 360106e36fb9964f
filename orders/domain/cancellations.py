"""Ending orders before anything has shipped (T04, T09 to T13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from audit.domain import submissions
from audit.domain.submissions import Once
from core.actor import Actor
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.domain import goods, guards, lifecycle, moves, packages, refunds, requests
from orders.domain.drafts import is_plain
from orders.enums import (
    Act,
    CancelCause,
    CancelReason,
    OrderEvent,
    OrderStatus,
    PaymentState,
    RequestState,
)
from orders.models import BuyerRequest, Cancellation, Order
from payments.domain import operations
from payments.gateways import Answer
from payments.models import Operation

ACTION = "cancel"
MAX_NOTE = 1000

_EVENTS: Mapping[Act, OrderEvent] = {
    Act.CANCEL: OrderEvent.CANCELLED,
    Act.ACCEPT_REQUEST: OrderEvent.CANCELLED,
    Act.BUYER_CANCEL: OrderEvent.BUYER_CANCELLED,
    Act.AUTO_CANCEL: OrderEvent.AUTO_CANCELLED,
    Act.OPERATOR_CANCEL: OrderEvent.OPERATOR_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """One order to be cancelled.

    zero_out: empty the listings instead of returning the units; only with NO_INVENTORY and the
        account's setting (CANCEL-10).
    counts: for an operator only: the merchant caused it.
    seen: the version the caller was shown; None when no page was shown.
    """

    order_id: int
    reason: CancelReason | CancelCause
    zero_out: bool = False
    note: str = ""
    counts: bool = False
    seen: int | None = None
    once: Once | None = None


def cancel_order(*, wanted: CancelRequest, by: Actor) -> Order:
    """Cancel a whole order by its merchant (T09). Raises Refused, see ``cancel_orders``."""
    return _one(cancel_orders(wanted=[wanted], act=Act.CANCEL, by=by))


def cancel_for_buyer(*, order_id: int, by: Actor, once: Once | None = None) -> Order:
    """Cancel an order that is pending, or verified within the edit window (T04, T11).

    Raises Refused: CANCEL_WINDOW_CLOSED, and those of ``cancel_orders``.
    """
    wanted = CancelRequest(order_id, CancelCause.BUYER, once=once)
    return _one(cancel_orders(wanted=[wanted], act=Act.BUYER_CANCEL, by=by))


def accept_request(*, order_id: int, by: Actor, seen: int | None, once: Once | None) -> Order:
    """Cancel an order because its merchant accepts the buyer's request; it never counts (T12).

    Raises Refused: NO_OPEN_REQUEST, and those of ``cancel_orders``. Source: BUYERCANCEL-04.
    """
    wanted = CancelRequest(order_id, CancelReason.BUYER_CANCELLED, seen=seen, once=once)
    return _one(cancel_orders(wanted=[wanted], act=Act.ACCEPT_REQUEST, by=by))


def cancel_for_platform(*, order_id: int, note: str, by: Actor, counts: bool = False) -> Order:
    """Cancel an order by an operator, who says why (T13). Raises Refused, see ``cancel_orders``."""
    wanted = CancelRequest(order_id, CancelCause.PLATFORM, note=note, counts=counts)
    return _one(cancel_orders(wanted=[wanted], act=Act.OPERATOR_CANCEL, by=by))


def cancel_overdue(
    *, order_ids: Sequence[int], by: Actor, at: Mapping[int, datetime] | None = None
) -> list[Order | Refusal]:
    """Cancel orders whose deadline has come unconfirmed (T10); others are skipped (F20)."""
    wanted = [CancelRequest(pk, CancelCause.NOT_CONFIRMED) for pk in order_ids]
    return cancel_orders(wanted=wanted, act=Act.AUTO_CANCEL, by=by, at=at)


@unit_of_work
def cancel_orders(
    *,
    wanted: Sequence[CancelRequest],
    act: Act,
    by: Actor,
    at: Mapping[int, datetime] | None = None,
) -> list[Order | Refusal]:
    """Cancel orders; each is answered in its place.

    Goods go back to stock, an authorisation is released, an advance payment given back: those are
    intents here, carried out after commit. The buyer is never charged.
    at: instants by order, for replays of the past; None reads the clock.
    Refusals: those of ``guards`` for the act; INVALID_INPUT, TOKEN_REUSED.
    Source: CANCEL-03 to CANCEL-10, AUTO-02 to AUTO-05, PERF-04, INV-05.
    """
    lifecycle.each_once(one.order_id for one in wanted)
    orders = lifecycle.lock(one.order_id for one in wanted)
    open_captures = operations.open_captures(orders)
    asked = requests.open_of(orders)
    instants = lifecycle.Instants(at)
    outcomes: dict[int, Order | Refusal] = {}
    accepted: dict[int, CancelRequest] = {}
    for index, one in enumerate(wanted):
        order = orders.get(one.order_id)
        if order is None:
            outcomes[index] = packages.no_such_order()
            continue
        instant = instants.of(order)
        try:
            first = submissions.claim(
                one.once, merchant_id=order.merchant_id, action=ACTION, by=by, at=instant
            )
        except Refused as refused:
            outcomes[index] = refused.refusal
            continue
        if first is not None:
            outcomes[index] = order
            continue
        confirming, request = order.pk in open_captures, asked.get(order.pk)
        facts = guards.Facts(order, by, instant, confirming, one.seen, request)
        refusal = guards.ask(act, facts) or _problem(one, act)
        if refusal is not None:
            submissions.withdraw(one.once, merchant_id=order.merchant_id)
            outcomes[index] = refusal
        else:
            outcomes[index] = order
            accepted[order.pk] = one
            submissions.conclude(
                one.once, merchant_id=order.merchant_id, result={"cancelled": order.number}
            )
    if accepted:
        ended = {pk: orders[pk] for pk in accepted}
        _write(ended, accepted, {pk: asked[pk] for pk in asked if pk in ended}, act, by, instants)
    return [outcomes[index] for index in range(len(wanted))]


@unit_of_work
def settle_voids(answers: Mapping[Operation, Answer], *, by: Actor) -> None:
    """Write whether authorisations were released, in the operations and the history."""
    orders = lifecycle.lock(operation.order_id for operation in answers)
    still_open = operations.still_open(operation.pk for operation in answers)
    operations.finish({op: answer for op, answer in answers.items() if op.pk in still_open})
    instants = lifecycle.Instants(None)
    changes = [
        lifecycle.Change(
            orders[operation.order_id],
            OrderEvent.VOIDED,
            by,
            instants.of(orders[operation.order_id]),
            after={"succeeded": answer.succeeded},
        )
        for operation, answer in answers.items()
        if operation.pk in still_open
    ]
    lifecycle.remember(changes)


def _problem(one: CancelRequest, act: Act) -> Refusal | None:
    of_merchant = act in (Act.CANCEL, Act.ACCEPT_REQUEST)
    allowed = CancelReason if of_merchant else CancelCause
    if not isinstance(one.reason, allowed):
        return Refusal("INVALID_INPUT", _("Choose a reason"), field="reason")
    if act == Act.OPERATOR_CANCEL and not one.note.strip():
        return Refusal("INVALID_INPUT", _("A note is needed."), field="note")
    if len(one.note) > MAX_NOTE or not is_plain(one.note, lines=True):
        return Refusal(
            "INVALID_INPUT", _("The note must be 1,000 characters or fewer."), field="note"
        )
    return None


def _write(
    orders: Mapping[int, Order],
    wanted: Mapping[int, CancelRequest],
    asked: Mapping[int, BuyerRequest],
    act: Act,
    by: Actor,
    instants: lifecycle.Instants,
) -> None:
    emptied = {pk for pk, order in orders.items() if _empties(order, wanted[pk])}
    counted = _counted(wanted, act)
    goods.release(orders.values(), at=instants.last_of(orders.values()), zero_out=emptied)
    rows = []
    for pk, order in orders.items():
        move = moves.move_for(act, OrderStatus(order.status), OrderStatus.CANCELLED)
        assert move is not None, "the guards asked the same table"
        rows.append(
            Cancellation(
                order=order,
                merchant_id=order.merchant_id,
                move=move.name,
                reason=wanted[pk].reason,
                counts=pk in counted,
                zeroed_out=pk in emptied,
                note=wanted[pk].note,
                cancelled_at=instants.of(order),
                cancelled_by=by.name,
                door=by.door,
            )
        )
    Cancellation.objects.bulk_create(rows)
    ended_as = RequestState.ACCEPTED if act == Act.ACCEPT_REQUEST else RequestState.ENDED
    for pk, request in asked.items():
        requests.close(request, ended_as, by=by, at=instants.of(orders[pk]))
    changes = [
        lifecycle.Change(
            order,
            _EVENTS[act],
            by,
            instants.of(order),
            act,
            after={"reason": wanted[pk].reason.value, "zeroed_out": pk in emptied},
        )
        for pk, order in orders.items()
    ]
    for order in orders.values():
        if order.advance_paid_at:
            changes += refunds.return_advance(order, by=by, at=instants.of(order))
    _void([o for o in orders.values() if not o.advance_paid_at])
    for order in orders.values():
        order.cancelled_at = instants.of(order)
    lifecycle.record(changes)


def _counted(wanted: Mapping[int, CancelRequest], act: Act) -> set[int]:
    """Return the orders whose end counts in the merchant's cancellation rate (PERF-04)."""
    if act == Act.AUTO_CANCEL:
        return set(wanted)
    if act == Act.CANCEL:
        for_buyer = {pk for pk, one in wanted.items() if one.reason == CancelReason.BUYER_CANCELLED}
        return set(wanted) - (requests.were_filed(for_buyer) if for_buyer else set())
    return {pk for pk, one in wanted.items() if one.counts}


def _empties(order: Order, wanted: CancelRequest) -> bool:
    return (
        wanted.zero_out
        and wanted.reason == CancelReason.NO_INVENTORY
        and order.merchant.zero_out_inventory
    )


def _void(orders: Sequence[Order]) -> None:
    """Owe the release of authorisations; nobody was or will be charged (CANCEL-05)."""
    operations.intend(
        [
            operations.Intent(
                order.pk, order.merchant_id, operations.Purpose.VOID, order.total, order.currency
            )
            for order in orders
            if order.payment_state != PaymentState.EXTERNAL
        ]
    )
    for order in orders:
        if order.payment_state != PaymentState.EXTERNAL:
            order.payment_state = PaymentState.VOIDED


def _one(outcomes: Sequence[Order | Refusal]) -> Order:
    outcome = outcomes[0]
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return outcome
