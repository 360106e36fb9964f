"""Adjustments: each record is one refund (FEED-32 to FEED-35)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from accounts.domain import calendar
from audit.domain.submissions import Once
from core.actor import Actor
from core.money import AmountError, parse_amount, split
from core.refusal import Refused
from orders.domain import refunds
from orders.domain.amounts import Components, Everything, Wanted
from orders.domain.refunds import RefundRequest
from orders.domain.words import amount as in_words
from orders.enums import PROMOTIONS, Act, OrderEvent, RefundReason, RefundState
from orders.models import Item, Refund
from uploads.codes import code_of
from uploads.columns import COMPONENT_OF
from uploads.domain.desks import Desk
from uploads.domain.feeds.shape import Given, Judged, Kind, Outcome
from uploads.domain.messages import Message, of_refusal
from uploads.enums import Feed

FEED = Feed.ADJUSTMENTS
WAIT = timedelta(minutes=2)  # for the gateway's answer, within which intents are settled (G-7)
_REASONS = {reason.value.casefold(): reason for reason in RefundReason}
_NAMES = {component: name for name, component in COMPONENT_OF.items()}


def judge(given: Sequence[Given], desk: Desk, once: Once) -> Judged:
    """Work out the refund that a record asks for; every record is an act of its own."""
    judged = Judged()
    (one,) = given
    found, wanted, reason = _asked(one, desk)
    judged.say(one.number, *found)
    if wanted is None or judged.fails(one.number):
        return judged
    request = RefundRequest(desk.order.pk, wanted, reason, once=once)
    try:
        refunds.preview(order=desk.order, items=desk.items, wanted=request, by=desk.by)
    except Refused as refused:
        judged.say(one.number, _of(refused, desk))
    else:
        judged.wanted = request
    return judged


def _asked(one: Given, desk: Desk) -> tuple[list[Message], Wanted | None, RefundReason]:
    """Read a record: what is wrong with it or noted, and the amounts it asks for."""
    found: list[Message] = []
    reason = RefundReason.GENERAL_ADJUSTMENT
    if not (text := one.get("adjustment-reason-code")):
        found.append(Message(4090))
    elif (known := _REASONS.get(text.casefold())) is None:
        found.append(Message(4001, "adjustment-reason-code", text))
    else:
        reason = known
    number, item = one.get("order-item-id"), None
    if number and (item := desk.item(number)) is None:
        return [*found, Message(1104, "order-item-id", number)], None, reason
    currency = one.get("currency")
    if currency and currency.upper() != desk.order.currency:
        return [*found, Message(4005, "currency", currency)], None, reason
    if (refusal := desk.refusal(Act.REFUND)) is not None:
        code = 4007 if refusal.code == "REFUND_LIMIT" else code_of(FEED, refusal.code)
        return [*found, Message(code, detail=refusal.message)], None, reason
    amounts: dict[str, Decimal] = {}
    for name, component in COMPONENT_OF.items():
        amount = _amount(one, name, desk.order.currency)
        if isinstance(amount, Message):
            found.append(amount)
        elif amount is not None:
            amounts[component] = amount
    if any(message.code in (4002, 4003) for message in found):
        return found, None, reason
    if amounts and not any(amounts.values()):
        return [*found, Message(4010)], None, reason
    if not amounts:
        return found, _rest(item) if item else Everything(), reason
    wanted = _spread(amounts, [item] if item else desk.items, desk.order.currency)
    if isinstance(wanted, Message):
        value = one.get(wanted.field)
        return [*found, Message(wanted.code, wanted.field, value, wanted.detail)], None, reason
    return found, wanted, reason


def _amount(one: Given, name: str, currency: str) -> Decimal | Message | None:
    text = one.get(name)
    if not text:
        return None
    try:
        return parse_amount(text, currency)
    except AmountError:
        negative = text.startswith("-") and _is_amount(text[1:], currency)
        return Message(4003 if negative else 4002, name, text)


def _is_amount(text: str, currency: str) -> bool:
    try:
        parse_amount(text, currency)
    except AmountError:
        return False
    return True


def _rest(item: Item) -> Components:
    """Return everything that remains of one item."""
    return Components({item.pk: {c: item.remaining(c) for c in COMPONENT_OF.values()}})


def _spread(
    amounts: Mapping[str, Decimal], items: Sequence[Item], currency: str
) -> Components | Message:
    """Share order-level amounts over the items by what remains of each component (MONEY-08)."""
    rows: dict[int, dict[str, Decimal]] = {item.pk: {} for item in items}
    for component, amount in amounts.items():
        remaining = [item.remaining(component) for item in items]
        most = sum(remaining, Decimal(0))
        if amount > most:
            if component in PROMOTIONS and not any(item.paid(component) for item in items):
                return Message(4008, _NAMES[component])
            detail = f"At most {in_words(most, currency)} remains of {_NAMES[component]}."
            return Message(4004, _NAMES[component], detail=detail)
        if amount:
            for item, part in zip(items, split(amount, remaining, currency), strict=True):
                rows[item.pk][component] = part
    return Components({pk: row for pk, row in rows.items() if row})


def _of(refused: Refused, desk: Desk) -> Message:
    refusal = refused.refusal
    if refusal.code == "REFUND_LIMIT" and not desk.order.remaining_total:
        return Message(4007, detail=refusal.message)
    if refusal.code == "INVALID_INPUT":
        return Message(4007 if refusal.field == "total" else 4002, detail=refusal.message)
    return of_refusal(FEED, refusal)


def do(wanted: Sequence[RefundRequest], by: Actor) -> list[Outcome]:
    """Refund different orders, one after the other."""
    return [_refund(one, by) for one in wanted]


def _refund(wanted: RefundRequest, by: Actor) -> Outcome:
    try:
        refund = refunds.refund_order(wanted=wanted, by=by)
    except Refused as refused:
        if refused.refusal.code == "INVALID_INPUT":
            return Outcome(Message(4007, detail=refused.refusal.message))
        return Outcome(of_refusal(FEED, refused.refusal))
    if refund.state == RefundState.FAILED:
        return Outcome(Message(4009))
    if refund.state == RefundState.SUBMITTED and _is_fresh(refund):
        return Outcome(later=True)
    return Outcome(effect={"refunded": str(refund.total), "currency": refund.currency})


def _is_fresh(refund: Refund) -> bool:
    """Whether the gateway may soon answer; one that is away for long is not waited for."""
    return calendar.now_for(refund.merchant) - refund.submitted_at < WAIT


def pretend(wanted: RefundRequest, desk: Desk) -> Mapping[str, Any]:
    """Write on the desk what a refund would do."""
    plan = refunds.preview(order=desk.order, items=desk.items, wanted=wanted, by=desk.by)
    by_key = {item.pk: item for item in desk.items}
    for pk, row in plan.amounts.items():
        for component, amount in row.items():
            name = f"refunded_{component}"
            setattr(by_key[pk], name, getattr(by_key[pk], name) + amount)
    desk.order.refunded_total += plan.total
    return {
        "refunded": str(plan.total),
        "currency": plan.currency,
        "mails": desk.owed(OrderEvent.REFUND_SUBMITTED),
    }


def keep(wanted: RefundRequest) -> Mapping[str, Any]:
    amounts = None
    if isinstance(wanted.wanted, Components):
        amounts = {
            str(pk): {component: str(amount) for component, amount in row.items()}
            for pk, row in wanted.wanted.amounts.items()
        }
    return {"order": wanted.order_id, "reason": wanted.reason.value, "amounts": amounts}


def restore(kept: Mapping[str, Any], once: Once) -> RefundRequest:
    wanted: Wanted = Everything()
    if kept["amounts"] is not None:
        wanted = Components(
            {
                int(pk): {component: Decimal(amount) for component, amount in row.items()}
                for pk, row in kept["amounts"].items()
            }
        )
    return RefundRequest(kept["order"], wanted, RefundReason(kept["reason"]), once=once)


KIND = Kind(judge, do, pretend, keep, restore)
