"""What goes into each kind of letter, and when there is nothing to tell any more (section 8.1).

Each function answers with the values of its template; None says that nobody is told. What a kind
must not contain is not among its values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.days import day_words
from notifications.domain.envelopes import one_line
from notifications.models import Outbox
from orders import carriers
from orders.documents import address_lines
from orders.domain.words import amount as in_words
from orders.domain.words import day_and_time
from orders.enums import OrderEvent, OrderStatus, PaymentState
from orders.letters import words
from orders.letters.dossiers import Dossier
from orders.letters.words import word
from orders.models import Order
from orders.models.order import sign_of

Values = dict[str, Any]
Kind = Callable[[Dossier], Values | None]

S = OrderStatus

# What each kind is called on a merchant's timeline.
LABELS: Mapping[str, Any] = {
    "N01": _("Order confirmation"),
    "N02": _("Sold, Ship Now"),
    "N03": _("Payment takes longer"),
    "N04": _("Order cancelled: payment not secured"),
    "N05": _("Delivery confirmation"),
    "N06": _("Order cancelled"),
    "N07": _("Order will be cancelled automatically"),
    "N08": _("Order was cancelled automatically"),
    "N09": _("Order cancelled: not shipped in time"),
    "N10": _("Refund"),
    "N18": _("Revised dates"),
    "N20": _("Cancellation requested"),
    "N21": _("Answer to the cancellation request"),
    "N22": _("Cancellation request without an answer"),
    "N30": _("How to pay"),
    "N35": _("Payment must be updated"),
    "N36": _("Order cancelled as asked"),
    "N37": _("Order cancelled: do not ship"),
}


def order_confirmed(d: Dossier) -> Values:
    """N01."""
    return {
        "items": _lines(d),
        "parts": _parts(d),
        "total": _money(d, d.order.total),
        "paid_in_advance": d.order.advance_paid_at is not None,
        "address": _address(d),
        **_delivery(d),
    }


def sold_ship_now(d: Dossier) -> Values | None:
    """N02: nothing of buyer, recipient or payment (NOTIF-04); none once the order is cancelled."""
    if d.order.status == S.CANCELLED:
        return None
    return {
        "items": [
            {"title": one_line(item.title), "sku": item.sku, "quantity": item.quantity_purchased}
            for item in d.items
        ],
        "service": word(words.SERVICE, d.language, d.order.ship_service_level),
        "ship_by": _day(d, d.order.ship_by_at),
        "link": _desk(d.order),
    }


def payment_takes_longer(d: Dossier) -> Values | None:
    """N03: nothing of the card; none once the payment is decided."""
    return {"total": _money(d, d.order.total)} if d.order.status == S.PENDING else None


def payment_not_secured(d: Dossier) -> Values:
    """N04: no accusation, whatever the cause."""
    return {"reason": word(words.CANCELLED, d.language, d.cancellation.reason)}


def package_shipped(d: Dossier) -> Values:
    """N05; the first package says that the order total is charged, a correction that it is one."""
    shipment = d.shipment
    corrected = d.event == OrderEvent.SHIPMENT_CORRECTED
    return {
        "corrected": corrected,
        "items": [
            {"title": one_line(line.item.title), "quantity": line.quantity}
            for line in shipment.lines.all()
        ],
        "not_sent": [
            {"title": one_line(item.title), "quantity": item.quantity_not_sent}
            for item in d.items
            if item.quantity_not_sent and d.after.get("not_sent")
        ],
        "ship_date": _day(d, shipment.ship_date),
        "carrier": one_line(shipment.carrier_label),
        "method": one_line(shipment.method),
        "tracking_id": one_line(shipment.tracking_id),
        "tracking_url": carriers.tracking_url(shipment.carrier, shipment.tracking_id),
        "charged": _money(d, d.order.total) if d.after.get("charged") else "",
        "address": _address(d),
        **_delivery(d),
    }


def order_cancelled(d: Dossier) -> Values:
    """N06: the reason in words, never the internal note."""
    return {"reason": word(words.CANCELLED, d.language, d.cancellation.reason), **_money_back(d)}


def will_be_cancelled(d: Dossier) -> Values | None:
    """N07: none once the order is confirmed, cancelled or past its deadline (AUTO-07)."""
    left = d.order.deadline_at - d.at
    if d.order.status != S.UNSHIPPED or left <= timedelta(0):
        return None
    days = -(-left // timedelta(days=1))
    return {
        "days": days,
        "hours": -(-left // timedelta(hours=1)) if days == 1 else 0,
        "deadline": day_and_time(d.order.deadline_at, d.order.marketplace),
        "link": _page("orders:confirm", d.order),
        "list_link": settings.SITE_URL + reverse("orders:list") + "?status=at_risk",
    }


def was_cancelled_automatically(d: Dossier) -> Values:
    """N08."""
    basis = d.order.purchased_at
    if d.order.marketplace.deadline_basis == "expected_ship_date":
        basis = d.order.ship_by_at
    return {
        "days": round((d.order.deadline_at - basis) / timedelta(days=1)),
        "from_ship_by": basis != d.order.purchased_at,
        "deadline": day_and_time(d.order.deadline_at, d.order.marketplace),
        "link": _desk(d.order),
    }


def not_shipped_in_time(d: Dossier) -> Values:
    """N09."""
    return _money_back(d)


def refunded(d: Dossier) -> Values:
    """N10: the memo exactly as typed (REFUND-11)."""
    refund = d.refund
    by_item: dict[int, Decimal] = defaultdict(Decimal)
    for line in refund.lines.all():
        assert line.item_id is not None
        by_item[line.item_id] -= line.amount
    later = [
        each.total
        for each in d.order.refunds.all()
        if each.number > refund.number and each.state != "failed"
    ]
    remaining = d.order.remaining_total + sum(later, Decimal(0))
    return {
        "amount": _money(d, refund.total),
        "items": [
            {"title": one_line(item.title), "amount": _money(d, by_item[item.pk])}
            for item in d.items
            if item.pk in by_item
        ],
        "reason": word(words.REFUNDED, d.language, refund.reason),
        "memo": refund.memo.replace("\r\n", "\n"),
        "remaining": _money(d, remaining),
    }


def dates_revised(d: Dossier) -> Values:
    """N18: old and new dates, as far as they changed."""
    dates = {}
    for name in ("ship_date", "deliver_from", "deliver_to"):
        for side, told in (("old", d.before), ("new", d.after)):
            value = told.get(name)
            dates[f"{side}_{name}"] = _day(d, date.fromisoformat(value)) if value else ""
    return dates


def cancellation_requested(d: Dossier) -> Values | None:
    """N20: none once it is answered, or no longer the merchant's to decide about."""
    asked = d.request
    if asked is None or asked.state != "open" or d.order.status != S.UNSHIPPED:
        return None
    answer_by = asked.answer_by_at
    return {
        "reason": word(words.REQUEST_REASONS, d.language, asked.reason),
        "answer_by": day_and_time(answer_by, d.order.marketplace) if answer_by else "",
        "link": _desk(d.order),
    }


def request_closed(d: Dossier) -> Values | None:
    """N21: declined with the merchant's text, or closed because the goods are on their way."""
    asked = d.request
    if asked is None:
        return None
    answer = asked.answer.replace("\r\n", "\n")
    return {"shipped": asked.state == "shipped", "answer": answer}


def request_unanswered(d: Dossier) -> Values | None:
    """N22: none once it is answered."""
    asked = d.request
    return {} if asked is not None and asked.state == "open" else None


def how_to_pay(d: Dossier) -> Values | None:
    """N30: none once it is paid or ended."""
    if d.order.payment_state != PaymentState.AWAITING_PAYMENT or d.order.status != S.PENDING:
        return None
    pay_by = d.order.payment.pay_by_at
    return {
        "payment_number": one_line(d.payment_number),
        "amount": _money(d, d.order.total),
        "pay_by": day_and_time(pay_by, d.order.marketplace) if pay_by else "",
    }


def update_the_payment(d: Dossier) -> Values | None:
    """N35: nothing of the card; none once a later charge succeeded or the order ended."""
    if d.order.payment_state != PaymentState.CAPTURE_FAILED or d.order.status == S.CANCELLED:
        return None
    return {"total": _money(d, d.order.total)}


def cancelled_as_asked(d: Dossier) -> Values:
    """N36."""
    return _money_back(d)


def do_not_ship(d: Dossier) -> Values | None:
    """N37: of a buyer's cancellation only if the merchant was told of the sale (T11)."""
    by_buyer = d.cancellation.move != "T13"
    if by_buyer and not any(mail.state == Outbox.State.SENT for mail in _sold_mails(d)):
        return None
    return {"by_buyer": by_buyer, "counts": d.cancellation.counts, "link": _desk(d.order)}


KINDS: Mapping[str, Kind] = {
    "N01": order_confirmed,
    "N02": sold_ship_now,
    "N03": payment_takes_longer,
    "N04": payment_not_secured,
    "N05": package_shipped,
    "N06": order_cancelled,
    "N07": will_be_cancelled,
    "N08": was_cancelled_automatically,
    "N09": not_shipped_in_time,
    "N10": refunded,
    "N18": dates_revised,
    "N20": cancellation_requested,
    "N21": request_closed,
    "N22": request_unanswered,
    "N30": how_to_pay,
    "N35": update_the_payment,
    "N36": cancelled_as_asked,
    "N37": do_not_ship,
}


def _lines(d: Dossier) -> list[Values]:
    return [
        {
            "title": one_line(item.title),
            "quantity": item.quantity_purchased,
            "amount": _money(d, item.paid_total),
        }
        for item in d.items
    ]


def _parts(d: Dossier) -> list[Values]:
    """The totals of the eight amounts, as far as there are any (MONEY-03)."""
    sums = {
        component: sum((item.paid(component) for item in d.items), Decimal(0))
        for component in words.COMPONENTS["en"]
    }
    return [
        {
            "label": word(words.COMPONENTS, d.language, component),
            "amount": _money(d, sign_of(component) * total),
        }
        for component, total in sums.items()
        if total
    ]


def _money_back(d: Dossier) -> Values:
    """Whether the buyer was never charged, or gets back what was paid in advance."""
    in_advance = d.order.advance_paid_at is not None
    return {"paid_back": _money(d, d.order.total) if in_advance else ""}


def _delivery(d: Dossier) -> Values:
    return {
        "deliver_from": _day(d, d.order.estimated_deliver_from_date),
        "deliver_to": _day(d, d.order.estimated_deliver_to_date),
    }


def _address(d: Dossier) -> str:
    lines = address_lines(d.buyer.address, d.language)
    return "\n".join(one_line(line) for line in lines)


def _money(d: Dossier, value: Decimal) -> str:
    return in_words(value, d.order.currency)


def _day(d: Dossier, value: date | datetime) -> str:
    place = d.order.marketplace
    day = place.local_date(value) if isinstance(value, datetime) else value
    return day_words(day, place.country)


def _desk(order: Order) -> str:
    return _page("orders:detail", order)


def _page(name: str, order: Order) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=[order.number])}"


def _sold_mails(d: Dossier) -> list[Outbox]:
    return list(getattr(d.order, "sold_mails", []))
