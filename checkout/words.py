"""What a buyer is told about where an order stands; never a reproach, never what is internal."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from orders.enums import CancelCause, OrderStatus, PaymentState
from orders.models import Order

S = OrderStatus


@dataclass(frozen=True, slots=True)
class Standing:
    """A heading and what follows from it. tone: of the notice ("good", "warn", "bad", "info")."""

    title: str
    text: str
    tone: str = "info"


def standing(order: Order) -> Standing:
    """Say where an order stands, and what becomes of the buyer's money."""
    if order.status == S.CANCELLED:
        return Standing(_("Your order is cancelled"), f"{_ending(order)} {_money(order)}", "bad")
    if order.payment_state == PaymentState.AWAITING_PAYMENT:
        return Standing(
            _("Waiting for your payment"),
            _("The seller prepares your order as soon as your payment has come in."),
            "warn",
        )
    if order.status == S.PENDING:
        return Standing(
            _("Your payment is being checked"),
            _("This often takes about 15 minutes. You get an e-mail as soon as it is done."),
        )
    if order.status == S.UNSHIPPED:
        charged = order.paid_at or order.payment_state == PaymentState.EXTERNAL
        money = "" if charged else _("You are charged when the first parcel leaves.")
        text = _("The seller is getting it ready to ship.")
        return Standing(_("Your order is being prepared"), f"{text} {money}".strip())
    if order.status == S.PARTIALLY_SHIPPED:
        return Standing(
            _("Part of your order is on its way"), _("The rest follows in another parcel."), "good"
        )
    return Standing(_("Your order is on its way"), _("All parcels have left."), "good")


def _ending(order: Order) -> str:
    """Say by whom and why an order ended; of a payment only that it was not secured (N04)."""
    end = order.cancellation
    told = {
        "T04": _("You cancelled it."),
        "T11": _("You cancelled it."),
        "T12": _("The seller accepted your request."),
        "T10": _("The seller did not ship it in time."),
        "T13": _("Customer service cancelled it."),
    }
    if end.move == "T03":
        if end.reason == CancelCause.ADVANCE_OVERDUE:
            return _("It was not paid in time.")
        return _("The payment could not be secured.")
    if end.move in told:
        return told[end.move]
    return _("The seller cancelled it: %s.") % end.reason_label


def _money(order: Order) -> str:
    if order.advance_paid_at is not None:
        return _("What you paid is given back.")
    return _("You are not charged.")
