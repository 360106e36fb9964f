"""Order cancellations: records of one order are one cancellation (FEED-28 to FEED-30)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from audit.domain.submissions import Once
from core.actor import Actor
from core.refusal import Refusal
from orders.domain import cancellations
from orders.domain.cancellations import CancelRequest
from orders.enums import Act, CancelReason, OrderEvent
from uploads.domain.desks import Desk
from uploads.domain.feeds.shape import Given, Judged, Kind, Outcome
from uploads.domain.messages import Message, of_refusal
from uploads.enums import Feed

FEED = Feed.CANCELLATION
_REASONS: Mapping[str, CancelReason] = {
    **{reason.value.casefold(): reason for reason in CancelReason},
    "buyercanceled": CancelReason.BUYER_CANCELLED,  # as older templates spell it
}


def judge(given: Sequence[Given], desk: Desk, once: Once) -> Judged:
    """Work out the cancellation that the records of an order ask for."""
    judged = Judged()
    refusal = desk.refusal(Act.CANCEL)
    reasons: list[CancelReason] = []
    for one in given:
        number, text = one.get("order-item-id"), one.get("cancellation-reason-code")
        reason = _REASONS.get(text.casefold()) if text else CancelReason.GENERAL_ADJUSTMENT
        if refusal is not None:
            judged.say(one.number, of_refusal(FEED, refusal))
        elif number and desk.item(number) is None:
            judged.say(one.number, Message(1104, "order-item-id", number))
        elif reason is None:
            judged.say(one.number, Message(3002, "cancellation-reason-code", text))
        else:
            if not text:
                judged.say(one.number, Message(3090))
            reasons.append(reason)
    good = judged.good(given)
    named = {one.get("order-item-id") for one in good}
    if good and "" not in named and len(named) < len(desk.items):
        for one in good:
            judged.say(one.number, Message(3003, "order-item-id", one.get("order-item-id")))
    elif good:
        judged.wanted = CancelRequest(
            desk.order.pk, reasons[0], zero_out=reasons[0] == CancelReason.NO_INVENTORY, once=once
        )
    return judged


def do(wanted: Sequence[CancelRequest], by: Actor) -> list[Outcome]:
    """Cancel different orders; listings are emptied where the account's setting says so."""
    answers = cancellations.cancel_orders(wanted=wanted, act=Act.CANCEL, by=by)
    return [
        Outcome(of_refusal(FEED, answer))
        if isinstance(answer, Refusal)
        else Outcome(effect={"units": answer.quantity_purchased})
        for answer in answers
    ]


def pretend(wanted: CancelRequest, desk: Desk) -> Mapping[str, Any]:
    """Write on the desk what a cancellation would do."""
    desk.order.cancelled_at = desk.at
    desk.derive()
    mails = desk.owed(OrderEvent.CANCELLED)
    return {"units": desk.order.quantity_purchased, "reason": wanted.reason.value, "mails": mails}


def keep(wanted: CancelRequest) -> Mapping[str, Any]:
    return {"order": wanted.order_id, "reason": wanted.reason.value, "zero_out": wanted.zero_out}


def restore(kept: Mapping[str, Any], once: Once) -> CancelRequest:
    reason = CancelReason(kept["reason"])
    return CancelRequest(kept["order"], reason, zero_out=kept["zero_out"], once=once)


KIND = Kind(judge, do, pretend, keep, restore)
