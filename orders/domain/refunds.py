"""Giving money back: reserved and committed first, then asked of the gateway, then settled.

The reservation counts against the limits while the gateway is asked (REFUND-12); one that fails
gives its amount back once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from accounts.domain import calendar
from audit.domain import submissions
from audit.domain.submissions import Once
from core.actor import Actor
from core.bulk import add_to_rows
from core.money import round_half_up
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.domain import amounts, guards, lifecycle, packages
from orders.domain.amounts import Everything, Plan, Wanted
from orders.domain.drafts import is_plain
from orders.enums import (
    COMPONENTS,
    Act,
    OrderEvent,
    OrderStatus,
    RefundReason,
    RefundState,
    SystemRefundReason,
)
from orders.models import Item, Order, Refund
from orders.models.order import sign_of
from payments.domain import ledger, operations
from payments.gateways import Answer
from payments.models import LedgerLine, Operation

ACTION = "refund"
MAX_MEMO = 1000

_COUNTERS = tuple(f"refunded_{component}" for component in COMPONENTS)


@dataclass(frozen=True, slots=True)
class Part:
    """An amount of one component of one item, as the buyer got it."""

    item: Item
    component: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """One refund asked for.

    memo: plain text to the buyer, sent as typed.
    seen: the version the caller was shown; None when no page was shown.
    expected_refunded: what the caller believes was refunded so far; None when it does not say.
    """

    order_id: int
    wanted: Wanted
    reason: RefundReason
    memo: str = ""
    seen: int | None = None
    expected_refunded: Decimal | None = None
    once: Once | None = None


def preview(*, order: Order, items: Sequence[Item], wanted: RefundRequest, by: Actor) -> Plan:
    """Return what the refund would give back, from the code that does it; nothing is written.

    order: with ``confirmation_open`` and what guards need loaded. Raises Refused.
    """
    at = calendar.now_for(order.merchant)
    facts = guards.Facts(order, by, at, _open(order), wanted.seen)
    checked = _check(order, items, wanted, facts)
    if isinstance(checked, Refusal):
        raise Refused(checked)
    return checked


def refund_order(*, wanted: RefundRequest, by: Actor, at: datetime | None = None) -> Refund:
    """Refund an order, fully or partly; return it submitted, completed or failed.

    at: the instant it happened, for replays of the past; None reads the clock.

    Raises Refused: those of ``guards`` for Act.REFUND and REFUND_IN_FULL, REFUND_LIMIT,
        INVALID_INPUT, NOT_FOUND, STALE_ORDER, TOKEN_REUSED.
    Source: REFUND-02 to REFUND-16, MONEY-05 to MONEY-10, INV-01, INV-02.
    """
    refund, operation = _submit(wanted, by, at)
    if operation is not None:
        answer = operations.call([operation])[operation.pk]
        if answer is not None:
            settle_refunds({operation: answer}, by=by, at=at)
            refund.refresh_from_db()
    return refund


@unit_of_work
def settle_refunds(
    answers: Mapping[Operation, Answer], *, by: Actor, at: datetime | None = None
) -> None:
    """Write what refunds led to: the buyer has the money, or the limits get it back."""
    orders = lifecycle.lock(operation.order_id for operation in answers)
    still_open = operations.still_open(operation.pk for operation in answers)
    live = {op: answer for op, answer in answers.items() if op.pk in still_open}
    operations.finish(live)
    refunds = Refund.objects.in_bulk([op.plan["refund"] for op in live])
    changes = []
    for operation, answer in live.items():
        order, refund = orders[operation.order_id], refunds[operation.plan["refund"]]
        instant = at or calendar.now_for(order.merchant)
        by_whom = Actor(**operation.plan["by"]) if "by" in operation.plan else by
        if answer.succeeded:
            refund.state = RefundState.COMPLETED
            _credit_commission(order, refund, instant)
            event = OrderEvent.REFUND_COMPLETED
        else:
            refund.state = RefundState.FAILED
            _release(order, refund, instant)
            event = OrderEvent.REFUND_FAILED
        refund.finished_at = instant
        refund.save(update_fields=["state", "finished_at"])
        told = {"refund": refund.number, "total": str(refund.total), "code": answer.code}
        changes.append(lifecycle.Change(order, event, by_whom, instant, after=told))
    lifecycle.record(changes)


def return_advance(order: Order, *, by: Actor, at: datetime) -> list[lifecycle.Change]:
    """Owe the buyer of a cancelled order everything that was paid in advance (CANCEL-05).

    Runs in the transaction of the cancellation, with the order locked; a job calls the gateway.
    Returns what happened: nothing where nothing is left to give back.
    """
    items = lifecycle.items_of([order])[order.pk]
    plan = amounts.plan(items, Everything(), order.currency)
    if isinstance(plan, Refusal):
        return []
    refund = _reserve(order, plan, SystemRefundReason.ADVANCE_RETURNED, "", by, at)
    operations.intend([_intent(order, refund, by)])
    told = {"refund": refund.number, "total": str(refund.total)}
    return [lifecycle.Change(order, OrderEvent.REFUND_SUBMITTED, by, at, after=told)]


@unit_of_work
def _submit(
    wanted: RefundRequest, by: Actor, at: datetime | None
) -> tuple[Refund, Operation | None]:
    """Reserve the amounts and record the intent; a repeat returns the first refund alone."""
    order = lifecycle.lock([wanted.order_id]).get(wanted.order_id)
    if order is None:
        raise Refused(packages.no_such_order())
    at = at or calendar.now_for(order.merchant)
    first = submissions.claim(
        wanted.once, merchant_id=order.merchant_id, action=ACTION, by=by, at=at
    )
    if first is not None:
        return Refund.objects.get(order=order, number=first["refund"]), None
    items = lifecycle.items_of([order])[order.pk]
    is_open = bool(operations.open_captures([order.pk]))
    facts = guards.Facts(order, by, at, is_open, wanted.seen)
    plan = _check(order, items, wanted, facts)
    if isinstance(plan, Refusal):
        raise Refused(plan)
    refund = _reserve(order, plan, wanted.reason, wanted.memo, by, at)
    (operation,) = operations.intend([_intent(order, refund, by)], called_at_once=True)
    submissions.conclude(
        wanted.once, merchant_id=order.merchant_id, result={"refund": refund.number}
    )
    told = {"refund": refund.number, "total": str(refund.total), "reason": refund.reason}
    change = lifecycle.Change(order, OrderEvent.REFUND_SUBMITTED, by, at, after=told)
    lifecycle.record([change])
    return refund, operation


def _check(
    order: Order, items: Sequence[Item], wanted: RefundRequest, facts: guards.Facts
) -> Plan | Refusal:
    everything = isinstance(wanted.wanted, Everything)
    refusal = guards.ask(Act.REFUND_IN_FULL if everything else Act.REFUND, facts)
    if refusal is None and wanted.expected_refunded not in (None, order.refunded_total):
        refusal = Refusal(
            "STALE_ORDER",
            _("Order %s was refunded meanwhile.") % order.number,
            {"refunded": str(order.refunded_total)},
            _("Review the order and repeat."),
        )
    refusal = refusal or _bad_words(wanted)
    if refusal is not None:
        return refusal
    plan = amounts.plan(items, wanted.wanted, order.currency)
    if isinstance(plan, Plan) and plan.total == order.remaining_total:
        whole = guards.not_all_of_an_unshipped_order(facts)
        if whole is not None and order.status == OrderStatus.UNSHIPPED:
            return whole
    return plan


def _bad_words(wanted: RefundRequest) -> Refusal | None:
    if wanted.reason not in RefundReason:
        return Refusal("INVALID_INPUT", _("Choose a reason"), field="reason")
    if len(wanted.memo) > MAX_MEMO:
        return Refusal("INVALID_INPUT", _("Must be 1,000 characters or fewer"), field="memo")
    if not is_plain(wanted.memo, lines=True):
        return Refusal("INVALID_INPUT", _("Remove control characters"), field="memo")
    return None


def _reserve(order: Order, plan: Plan, reason: str, memo: str, by: Actor, at: datetime) -> Refund:
    """Write the refund, its ledger lines and the counters beside the components."""
    last = Refund.objects.filter(order=order).aggregate(last=Max("number"))["last"] or 0
    refund = Refund.objects.create(
        merchant_id=order.merchant_id,
        order=order,
        number=last + 1,
        reason=reason,
        memo=memo,
        total=plan.total,
        item_cost=plan.of_box("item_cost"),
        delivery=plan.of_box("delivery"),
        currency=order.currency,
        submitted_at=at,
        submitted_by=by.name,
        door=by.door,
    )
    _count(order, plan.amounts, by=1)
    _post(order, refund, plan.amounts, ledger.Kind.REFUND, -1, at)
    order.refunded_total += plan.total
    return refund


def parts_of(order: Order) -> dict[int, list[Part]]:
    """Return what each refund of an order is made of, by refund (DETAIL-06).

    From the ledger, a line per item and component in the order of the items; amounts are those
    of the buyer, discounts taken back below zero.
    """
    lines = LedgerLine.objects.filter(order=order, kind=ledger.Kind.REFUND).select_related("item")
    parts: dict[int, list[Part]] = defaultdict(list)
    for line in lines.order_by("item__line", "pk"):
        assert line.refund_id is not None
        assert line.item is not None
        parts[line.refund_id].append(Part(line.item, line.component, -line.amount))
    return parts


def _release(order: Order, refund: Refund, at: datetime) -> None:
    """Give a failed refund's amounts back to the limits, from its own ledger lines."""
    lines = LedgerLine.objects.filter(refund=refund, kind=ledger.Kind.REFUND)
    reserved: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for line in lines:
        assert line.item_id is not None
        reserved[line.item_id][line.component] = -sign_of(line.component) * line.amount
    _count(order, reserved, by=-1)
    _post(order, refund, reserved, ledger.Kind.REFUND_RETURNED, 1, at)
    order.refunded_total -= refund.total


def _count(order: Order, rows: Mapping[int, Mapping[str, Decimal]], *, by: int) -> None:
    add_to_rows(
        Item,
        _COUNTERS,
        {
            item_id: [by * row.get(component, Decimal(0)) for component in COMPONENTS]
            for item_id, row in rows.items()
        },
    )


def _post(
    order: Order,
    refund: Refund,
    rows: Mapping[int, Mapping[str, Decimal]],
    kind: LedgerLine.Kind,
    direction: int,
    at: datetime,
) -> None:
    ledger.post(
        [
            ledger.Posting(
                merchant_id=order.merchant_id,
                order_id=order.pk,
                item_id=item_id,
                refund_id=refund.pk,
                kind=kind,
                component=component,
                amount=direction * sign_of(component) * value,
                currency=order.currency,
                at=at,
            )
            for item_id, row in rows.items()
            for component, value in row.items()
        ]
    )


def _credit_commission(order: Order, refund: Refund, at: datetime) -> None:
    """Credit the commission share of what has been refunded by now, never more (MONEY-14)."""
    taken, credited = ledger.commission_of(order.pk)
    if not taken or not order.total:
        return
    earlier = Refund.objects.filter(order=order, state=RefundState.COMPLETED).exclude(pk=refund.pk)
    done = (earlier.aggregate(sum=Sum("total"))["sum"] or Decimal(0)) + refund.total
    due = round_half_up(taken * done / order.total, order.currency)
    ledger.post(
        [
            ledger.Posting(
                merchant_id=order.merchant_id,
                order_id=order.pk,
                item_id=None,
                refund_id=refund.pk,
                kind=ledger.Kind.COMMISSION_CREDIT,
                component="commission",
                amount=due - credited,
                currency=order.currency,
                at=at,
            )
        ]
    )


def _intent(order: Order, refund: Refund, by: Actor) -> operations.Intent:
    return operations.Intent(
        order_id=order.pk,
        merchant_id=order.merchant_id,
        purpose=operations.Purpose.REFUND,
        amount=refund.total,
        currency=order.currency,
        plan={
            "refund": refund.pk,
            "by": {"door": by.door, "name": by.name, "user_id": by.user_id},
        },
    )


def _open(order: Order) -> bool:
    known = getattr(order, "confirmation_open", None)
    return bool(operations.open_captures([order.pk])) if known is None else bool(known)
