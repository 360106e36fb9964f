"""How a buyer pays in advance at a convenience store: for the buyer alone (PENDING-10, -11)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.actor import Actor
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.domain import lifecycle, packages
from orders.enums import OrderEvent, OrderStatus, PaymentState
from orders.models import Order
from payments.models import Payment


def of_order(order: Order) -> Payment:
    """Return what the buyer has to pay under and until when; never for a merchant's eyes."""
    return Payment.objects.get(pk=order.pk)


def refusal(order: Order) -> Refusal | None:
    """Return why there is nothing to be paid in advance, or None while there is."""
    waits = order.payment_state == PaymentState.AWAITING_PAYMENT
    if order.status == OrderStatus.PENDING and waits:
        return None
    told = _("Order %s waits for no payment.")
    return Refusal("INVALID_TRANSITION", told % order.number, {"status": order.status})


@unit_of_work
def send_again(*, order_id: int, by: Actor) -> None:
    """Owe the buyer the payment instructions once more (N30, BUYER-05).

    Raises Refused: NOT_FOUND, INVALID_TRANSITION when nothing is to be paid any more.
    """
    order = lifecycle.lock([order_id]).get(order_id)
    if order is None:
        raise Refused(packages.no_such_order())
    if (why := refusal(order)) is not None:
        raise Refused(why)
    at = lifecycle.Instants(None).of(order)
    lifecycle.remember([lifecycle.Change(order, OrderEvent.INSTRUCTIONS_RESENT, by, at)])
