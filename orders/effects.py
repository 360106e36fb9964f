"""What each event sends: the one list. An event without messages says so with an empty tuple."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orders.enums import OrderEvent, PaymentState
from orders.models import Order


def _always(order: Order) -> bool:
    return True


def _at_once(order: Order) -> timedelta:
    return timedelta(0)


@dataclass(frozen=True, slots=True)
class Message:
    """One message an event owes.

    when: whether this order owes it. until: how long after the purchase it is held back.
    """

    kind: str
    when: Callable[[Order], bool] = _always
    until: Callable[[Order], timedelta] = _at_once


def _wants_sold_mail(order: Order) -> bool:
    return order.merchant.notify_sold_ship_now


def _edit_window(order: Order) -> timedelta:
    return timedelta(minutes=order.marketplace.buyer_edit_window_minutes)


def _is_verified(order: Order) -> bool:
    """Whether the merchant may have been told of the sale; the letter looks whether that is so."""
    return order.verified_at is not None


def _awaits_payment(order: Order) -> bool:
    return order.payment_state == PaymentState.AWAITING_PAYMENT


def _merchant_is_asked(order: Order) -> bool:
    return not order.served_by_platform


_CANCELLED = Message("OrderCancelledNotification")

MESSAGES: Mapping[OrderEvent, tuple[Message, ...]] = {
    OrderEvent.PLACED: (Message("NewOrderNotification"), Message("N30", when=_awaits_payment)),
    OrderEvent.VERIFIED: (
        Message("N01"),
        Message("N02", when=_wants_sold_mail, until=_edit_window),
        Message("OrderReadyToShipNotification"),
    ),
    OrderEvent.VERIFICATION_DELAYED: (Message("N03"),),
    OrderEvent.PAYMENT_REFUSED: (Message("N04"), _CANCELLED),
    OrderEvent.SHIPMENT_CONFIRMED: (
        Message("N05"),
        Message("OrderShipmentConfirmedNotification"),
    ),
    OrderEvent.SHIPMENT_CORRECTED: (Message("N05"),),
    OrderEvent.CAPTURE_FAILED: (Message("N35"),),
    OrderEvent.CONFIRMATION_LAPSED: (),
    OrderEvent.CONFIRMATION_WARNED: (Message("N07"),),
    OrderEvent.DELIVERED: (),
    OrderEvent.CANCELLED: (Message("N06"), _CANCELLED),
    OrderEvent.BUYER_CANCELLED: (Message("N36"), Message("N37", when=_is_verified), _CANCELLED),
    OrderEvent.AUTO_CANCELLED: (Message("N08"), Message("N09"), _CANCELLED),
    OrderEvent.OPERATOR_CANCELLED: (Message("N06"), Message("N37"), _CANCELLED),
    OrderEvent.VOIDED: (),
    OrderEvent.REFUND_SUBMITTED: (),
    OrderEvent.REFUND_COMPLETED: (Message("N10"),),
    OrderEvent.REFUND_FAILED: (),
    OrderEvent.SLIP_PRINTED: (),
    OrderEvent.DATES_REVISED: (Message("N18"),),
    OrderEvent.NOTE_ADDED: (),
    OrderEvent.BUYER_EDITED: (),
    OrderEvent.INSTRUCTIONS_RESENT: (Message("N30", when=_awaits_payment),),
    OrderEvent.REQUEST_FILED: (Message("N20", when=_merchant_is_asked),),
    OrderEvent.REQUEST_OVERDUE: (Message("N22"),),
    OrderEvent.REQUEST_ESCALATED: (),
    OrderEvent.REQUEST_DECLINED: (Message("N21"),),
    OrderEvent.REQUEST_CLOSED: (Message("N21"),),
    OrderEvent.CONTACT_BLANKED: (),
}


def messages_for(event: OrderEvent, order: Order) -> tuple[str, ...]:
    """Return the kinds of messages an event owes about an order."""
    return tuple(message.kind for message in MESSAGES[event] if message.when(order))


@dataclass(frozen=True, slots=True)
class Due:
    """One message an event owes about one order, not to be sent before an instant."""

    kind: str
    available_at: datetime


def due_messages(event: OrderEvent, order: Order, *, at: datetime) -> list[Due]:
    """Return what an event owes about an order when it happens at an instant."""
    return [
        Due(message.kind, max(at, order.purchased_at + message.until(order)))
        for message in MESSAGES[event]
        if message.when(order)
    ]
