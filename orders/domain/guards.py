"""Whether an actor may do an act on an order now; if not, the refusal that says why.

One table of guards for pages, buttons, APIs, files, jobs and dry runs. A guard looks at facts and
answers None or a refusal; the first refusal of an act's guards is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.permissions import Function
from core.actor import PLATFORM_DOORS, VIEW, Actor
from core.refusal import Refusal
from orders.domain import moves
from orders.domain.words import day_and_time
from orders.enums import (
    Act,
    CancelCause,
    CancelReason,
    FulfilmentChannel,
    OrderStatus,
    PaymentState,
    RequestState,
)
from orders.models import BuyerRequest, Order

S = OrderStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """What a guard may look at.

    order: with ``merchant``, ``marketplace`` and, if cancelled, ``cancellation`` loaded.
    at: the instant of the decision.
    confirmation_open: a capture of the order waits for its outcome.
    seen: the version the actor was shown; None when no page was shown.
    request: the buyer's open cancellation request, if there is one.
    warned: the merchant was warned of the order's deadline by mail.
    """

    order: Order
    by: Actor
    at: datetime
    confirmation_open: bool = False
    seen: int | None = None
    request: BuyerRequest | None = None
    warned: bool = False


Guard = Callable[[Facts], Refusal | None]

FUNCTIONS: Mapping[Act, Function] = {
    Act.CONFIRM: Function.CONFIRM_SHIPMENTS,
    Act.CORRECT: Function.CONFIRM_SHIPMENTS,
    Act.DELIVER: Function.CONFIRM_SHIPMENTS,
    Act.CANCEL: Function.CANCEL_ORDERS,
    Act.ACCEPT_REQUEST: Function.CANCEL_ORDERS,
    Act.DECLINE_REQUEST: Function.CANCEL_ORDERS,
    Act.REFUND: Function.REFUND_ORDERS,
    Act.REFUND_IN_FULL: Function.REFUND_ORDERS,
    Act.PRINT: Function.PACKING_SLIPS,
    Act.REVISE_DATES: Function.MANAGE_ORDERS,
}


def permission(act: Act) -> Guard:
    """F19: the actor holds the right to the act's function."""
    function = FUNCTIONS.get(act)

    def guard(facts: Facts) -> Refusal | None:
        if function is None:
            return None
        held = facts.by.level(function)
        needed = VIEW if act == Act.PRINT else VIEW + 1
        if held >= needed:
            return None
        return Refusal(
            "PERMISSION_DENIED",
            _("You do not have the permission “%(function)s”.") % {"function": function.label},
            {"function": function.value},
            _("Ask the account owner."),
        )

    return guard


def status(act: Act) -> Guard:
    """F01 to F06, F13: the act is possible in the order's status, by this door."""

    def guard(facts: Facts) -> Refusal | None:
        source = S(facts.order.status)
        if moves.possible(act, source):
            doors = {door for move in moves.moves_from(act, source) for door in move.doors}
            if not doors or facts.by.door in doors:
                return None
        return _wrong_status(act, facts)

    return guard


def merchant_fulfilled(facts: Facts) -> Refusal | None:
    """F17: the platform ships its own orders itself."""
    merchant_side = facts.by.door not in PLATFORM_DOORS
    if merchant_side and facts.order.fulfilment_channel == FulfilmentChannel.PLATFORM:
        return Refusal("PLATFORM_FULFILLED", _("The platform ships order %s.") % facts.order.number)
    return None


def before_deadline(facts: Facts) -> Refusal | None:
    """F07: an unshipped order can be confirmed until, and not at, its stored deadline (SHIP-24)."""
    order = facts.order
    if order.status == S.UNSHIPPED and facts.at >= order.deadline_at:
        ended = day_and_time(order.deadline_at, order.marketplace)
        return Refusal(
            "CONFIRMATION_PERIOD_ENDED",
            _("The period for confirming order %(order)s ended on %(ended)s.")
            % {"order": order.number, "ended": ended},
            {"deadline": order.deadline_at.isoformat()},
            _("The order is being cancelled; do not ship it."),
        )
    return None


def deadline_binds(facts: Facts) -> Refusal | None:
    """A deadline ends only what its merchant ships and the platform charges (CHANNEL-14)."""
    order = facts.order
    if order.payment_state == PaymentState.EXTERNAL:
        return Refusal(
            "INVALID_TRANSITION", _("The sales channel watches over order %s.") % order.number
        )
    if order.fulfilment_channel == FulfilmentChannel.PLATFORM:
        return Refusal("PLATFORM_FULFILLED", _("The platform ships order %s.") % order.number)
    return None


def at_deadline(facts: Facts) -> Refusal | None:
    """T10 waits for the stored deadline (AUTO-02)."""
    order = facts.order
    if facts.at < order.deadline_at:
        return Refusal(
            "INVALID_TRANSITION",
            _("Order %s has not reached its deadline.") % order.number,
            {"deadline": order.deadline_at.isoformat()},
        )
    return None


def time_to_warn(facts: Facts) -> Refusal | None:
    """N07 leaves from its lead time on and never at or after the deadline (AUTO-06, AUTO-10)."""
    order = facts.order
    if facts.at >= order.deadline_at:
        message = _("It is too late to warn of the deadline of order %s.")
    elif facts.at < order.email_warning_at:
        message = _("It is too early to warn of the deadline of order %s.")
    else:
        return None
    return Refusal(
        "INVALID_TRANSITION", message % order.number, {"deadline": order.deadline_at.isoformat()}
    )


def not_warned_yet(facts: Facts) -> Refusal | None:
    """N07 leaves once for ever (AUTO-07)."""
    if facts.warned:
        return Refusal(
            "INVALID_TRANSITION",
            _("The merchant was already warned of order %s.") % facts.order.number,
        )
    return None


def not_delivered_yet(facts: Facts) -> Refusal | None:
    """Delivery is complete once (DETAIL-17)."""
    order = facts.order
    if order.delivered_at is not None:
        when = day_and_time(order.delivered_at, order.marketplace)
        return Refusal(
            "INVALID_TRANSITION",
            _("Delivery of order %(order)s was already marked complete on %(when)s.")
            % {"order": order.number, "when": when},
            {"delivered": order.delivered_at.isoformat()},
        )
    return None


def no_confirmation_open(facts: Facts) -> Refusal | None:
    """A capture under way decides first; until then nothing else happens to the order (INV-05)."""
    if facts.confirmation_open:
        return Refusal(
            "CONFIRMATION_IN_PROGRESS",
            _("Order %s is being confirmed right now.") % facts.order.number,
            remedy=_("You need not repeat anything; look again in a minute."),
        )
    return None


def not_stale(facts: Facts) -> Refusal | None:
    """F16: what the actor was shown is what there is (INV-08)."""
    if facts.seen is not None and facts.seen != facts.order.version:
        return Refusal(
            "STALE_ORDER",
            _("Someone else changed order %s meanwhile.") % facts.order.number,
            {"seen": facts.seen, "version": facts.order.version},
            _("Nothing was saved. Review the order and repeat."),
        )
    return None


def charged(facts: Facts) -> Refusal | None:
    """F08: a refund needs money that came in."""
    order = facts.order
    if order.paid_at is None and order.payment_state != PaymentState.EXTERNAL:
        return Refusal(
            "NOT_CHARGED",
            _("The buyer of order %s is not charged yet.") % order.number,
            remedy=_("Cancel the order instead."),
        )
    return None


def not_all_of_an_unshipped_order(facts: Facts) -> Refusal | None:
    """F09: giving everything back before anything has shipped is a cancellation."""
    if facts.order.status == S.UNSHIPPED:
        return Refusal(
            "USE_CANCEL",
            _("Nothing of order %s has shipped.") % facts.order.number,
            remedy=_("Use Cancel Order; it refunds everything."),
        )
    return None


def something_left_to_refund(facts: Facts) -> Refusal | None:
    """F10 at its bound: nothing remains."""
    order = facts.order
    if order.remaining_total <= 0:
        return Refusal(
            "REFUND_LIMIT",
            _("Everything the buyer paid for order %s has been refunded.") % order.number,
            {"maximum": "0"},
        )
    return None


def window_ends(order: Order) -> datetime:
    """Return until when a buyer changes or cancels an order directly (BUYERCANCEL-01)."""
    return order.purchased_at + timedelta(minutes=order.marketplace.buyer_edit_window_minutes)


def by_its_buyer(facts: Facts) -> Refusal | None:
    """Changing one's order and asking for its end come from the buyer's own page."""
    return None if facts.by.door == "buyer" else _not_possible(facts.order)


def within_cancel_window(facts: Facts) -> Refusal | None:
    """F14: a buyer cancels a verified order directly for a few minutes only (T11).

    A test order until it ships (CANCEL-13); one that the platform ships never.
    """
    order = facts.order
    if order.status != S.UNSHIPPED or order.is_test:
        return None
    if order.fulfilment_channel == FulfilmentChannel.PLATFORM:
        told = _("Order %s is shipped by the platform and cannot be cancelled directly.")
        message = told % order.number
    elif facts.at >= window_ends(order):
        minutes = order.marketplace.buyer_edit_window_minutes
        message = _("Order %(order)s could be cancelled directly for %(minutes)d minutes.") % {
            "order": order.number, "minutes": minutes
        }  # fmt: skip
    else:
        return None
    ended = {"ended": window_ends(order).isoformat()}
    return Refusal("CANCEL_WINDOW_CLOSED", message, ended, _("File a cancellation request."))


def within_edit_window(facts: Facts) -> Refusal | None:
    """F15: a buyer changes an order for a few minutes only, never one that the platform ships."""
    order = facts.order
    if order.fulfilment_channel == FulfilmentChannel.PLATFORM:
        told = _("Order %s is shipped by the platform and cannot be changed.")
        message = told % order.number
    elif facts.at >= window_ends(order):
        minutes = order.marketplace.buyer_edit_window_minutes
        message = _("Order %(order)s could be changed for %(minutes)d minutes.") % {
            "order": order.number, "minutes": minutes
        }  # fmt: skip
    else:
        return None
    ended = {"ended": window_ends(order).isoformat()}
    return Refusal("EDIT_WINDOW_CLOSED", message, ended, _("Cancel it and order again."))


def after_cancel_window(facts: Facts) -> Refusal | None:
    """Who may still cancel directly has nothing to ask for (BUYERCANCEL-02)."""
    if within_cancel_window(facts) is None:
        return Refusal(
            "INVALID_TRANSITION",
            _("Order %s can still be cancelled directly.") % facts.order.number,
            {"until": window_ends(facts.order).isoformat()},
            _("Cancel it; nobody needs to agree."),
        )
    return None


def no_request_open(facts: Facts) -> Refusal | None:
    """One open cancellation request per order (BUYERCANCEL-07)."""
    if facts.request is not None:
        return Refusal(
            "CANCELLATION_REQUESTED",
            _("The cancellation of order %s has been requested already.") % facts.order.number,
            {"filed": facts.request.filed_at.isoformat()},
            _("Wait for the answer."),
        )
    return None


def merchant_is_asked(facts: Facts) -> Refusal | None:
    """A merchant answers an open request that went to them (BUYERCANCEL-04, -06)."""
    if facts.request is None or facts.request.answer_by_at is None:
        return Refusal(
            "NO_OPEN_REQUEST",
            _("No cancellation request of order %s waits for an answer.") % facts.order.number,
        )
    return None


def answer_is_overdue(facts: Facts) -> Refusal | None:
    """A request is passed on once its time for an answer is over (BUYERCANCEL-05)."""
    request = facts.request
    if request is None or request.state != RequestState.OPEN or request.answer_by_at is None:
        return Refusal(
            "NO_OPEN_REQUEST",
            _("No cancellation request of order %s waits for the seller.") % facts.order.number,
        )
    if facts.at < request.answer_by_at:
        return Refusal(
            "NO_OPEN_REQUEST",
            _("The seller still has time to answer the request of order %s.") % facts.order.number,
            {"until": request.answer_by_at.isoformat()},
        )
    return None


def _guards(act: Act, *more: Guard) -> tuple[Guard, ...]:
    return (permission(act), merchant_fulfilled, no_confirmation_open, status(act), *more)


GUARDS: Mapping[Act, tuple[Guard, ...]] = {
    Act.VERIFY: (status(Act.VERIFY),),
    Act.DECLINE: (status(Act.DECLINE),),
    Act.CONFIRM: _guards(Act.CONFIRM, before_deadline, not_stale),
    Act.CANCEL: _guards(Act.CANCEL, not_stale),
    Act.BUYER_CANCEL: _guards(Act.BUYER_CANCEL, within_cancel_window),
    Act.AUTO_CANCEL: (
        no_confirmation_open,
        status(Act.AUTO_CANCEL),
        deadline_binds,
        at_deadline,
    ),
    Act.WARN: (
        no_confirmation_open,
        status(Act.WARN),
        deadline_binds,
        not_warned_yet,
        time_to_warn,
    ),
    Act.OPERATOR_CANCEL: _guards(Act.OPERATOR_CANCEL),
    Act.REFUND: _guards(Act.REFUND, charged, something_left_to_refund, not_stale),
    Act.REFUND_IN_FULL: _guards(
        Act.REFUND_IN_FULL,
        charged,
        not_all_of_an_unshipped_order,
        something_left_to_refund,
        not_stale,
    ),
    Act.PRINT: (permission(Act.PRINT), status(Act.PRINT)),
    Act.CORRECT: _guards(Act.CORRECT),
    Act.BUYER_EDIT: _guards(Act.BUYER_EDIT, by_its_buyer, within_edit_window, not_stale),
    Act.FILE_REQUEST: _guards(Act.FILE_REQUEST, by_its_buyer, after_cancel_window, no_request_open),
    Act.ESCALATE_REQUEST: _guards(Act.ESCALATE_REQUEST, by_its_buyer, answer_is_overdue),
    Act.ACCEPT_REQUEST: _guards(Act.ACCEPT_REQUEST, merchant_is_asked, not_stale),
    Act.DECLINE_REQUEST: _guards(Act.DECLINE_REQUEST, merchant_is_asked, not_stale),
    Act.DELIVER: _guards(Act.DELIVER, not_delivered_yet, not_stale),
    Act.REVISE_DATES: _guards(Act.REVISE_DATES, not_stale),
}


def ask(act: Act, facts: Facts) -> Refusal | None:
    """Return why the act is not possible now, or None when it is."""
    for guard in GUARDS[act]:
        if (refusal := guard(facts)) is not None:
            return refusal
    return None


def _wrong_status(act: Act, facts: Facts) -> Refusal:
    order, source = facts.order, S(facts.order.status)
    told = {"status": source.value}
    if act in _MERCHANT_ACTS:
        if source == S.PENDING:
            return Refusal(
                "ORDER_PENDING",
                _("The payment of order %s is not verified yet. Do not ship.") % order.number,
                told,
                _(
                    "It becomes possible when the payment is verified. For changes the buyer should"
                    " contact customer service."
                ),
            )
        if source == S.CANCELLED:
            return _cancelled(act, order, told)
        if source == S.SHIPPED and act == Act.CONFIRM:
            return Refusal(
                "ORDER_ALREADY_SHIPPED",
                _("Everything in order %s has been confirmed.") % order.number,
                told,
            )
        if source == S.SHIPPED and act in _ENDING:
            return Refusal(
                "ORDER_ALREADY_SHIPPED",
                _("Order %s is on its way.") % order.number,
                told,
                _("Tell the buyer, ask for the goods back, then refund."),
            )
        if source == S.PARTIALLY_SHIPPED and act in _ENDING:
            return Refusal(
                "ORDER_PARTIALLY_SHIPPED",
                _("Part of order %s has shipped and the buyer is charged.") % order.number,
                told,
                _("Confirm the order and refund what was not sent."),
            )
    return _not_possible(order)


def _not_possible(order: Order) -> Refusal:
    source = S(order.status)
    return Refusal(
        "INVALID_TRANSITION",
        _("This is not possible for order %(order)s, which is %(status)s.")
        % {"order": order.number, "status": source.label},
        {"status": source.value},
    )


_MERCHANT_ACTS = frozenset(FUNCTIONS)
# Acts about ending an order: what they are told when it is too late.
_ENDING = frozenset({Act.CANCEL, Act.ACCEPT_REQUEST, Act.DECLINE_REQUEST})


def _cancelled(act: Act, order: Order, told: dict[str, str]) -> Refusal:
    cancellation = order.cancellation
    told = {**told, "reason": cancellation.reason}
    if act in _ENDING:
        when = day_and_time(cancellation.cancelled_at, order.marketplace)
        labels = {**dict(CancelCause.choices), **dict(CancelReason.choices)}
        return Refusal(
            "ORDER_CANCELLED",
            _("Order %(order)s was already cancelled on %(when)s: %(reason)s.")
            % {"order": order.number, "when": when, "reason": labels[cancellation.reason]},
            told,
        )
    return Refusal(
        "ORDER_CANCELLED",
        _("Order %s is cancelled. Do not ship.") % order.number,
        told,
        _("A new order must be placed."),
    )
