"""What needs attention: lines for home, most urgent first, each with the button that settles it.

Other subjects and apps add theirs with ``source``: a function that is asked only for those who may
view its subject, with the request and its instant, and costs at most one query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.permissions import Function
from core.actor import Actor
from core.days import day_words
from core.http import MerchantRequest
from core.navigation import address_of
from notifications.domain import outbox
from orders.domain import rates, requests
from orders.domain.glance import Glance, nearest_deadlines
from orders.domain.listing import MOST_COUNTED
from orders.letters.kinds import LABELS
from orders.models import BuyerRequest, Order
from orders.views import acts

MOST_LINES = 8
MOST_NAMED = 5
MOST_REQUESTS = 100  # counted; more read "100+"
VIEW_ORDERS = gettext_lazy("View orders")


class Urgency(IntEnum):
    """In which order the lines stand (ui 7.1), the most urgent first."""

    DISPUTE_DUE = 10
    AT_RISK = 20
    MAIL_REJECTED = 25
    LATE = 30
    CANCELLATION_REQUESTED = 40
    UPLOAD_FAILED = 50
    UNREAD = 60
    CANCELLATION_RATE = 70


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to settle.

    icon, tone: of the sprite; "bad", "warn" or "info". button, href: what settles it.
    deadlines: orders named beneath, each with the date by which it must be confirmed.
    named: orders named beneath: their number, where they lead, and what is said of them.
    """

    urgency: Urgency
    title: str
    text: str
    icon: str
    tone: str
    button: Any
    href: str
    deadlines: tuple[Order, ...] = ()
    named: tuple[tuple[str, str, str], ...] = ()


Source = Callable[[MerchantRequest, datetime], Iterable[Line]]
_SOURCES: list[tuple[Function, Source]] = []


def source(function: Function) -> Callable[[Source], Source]:
    """Declare a function that says what of its subject needs attention; who may view is asked."""

    def declare(says: Source) -> Source:
        _SOURCES.append((function, says))
        return says

    return declare


def lines(request: MerchantRequest, glance: Glance | None, *, at: datetime) -> list[Line]:
    """Return the lines this person may see, most urgent first, at most ``MOST_LINES``.

    glance: the figures of the orders, None for those who may not see orders.
    """
    found = list(_of_orders(request, glance, at)) if glance is not None else []
    for function, says in _SOURCES:
        if request.actor.may_view(function):
            found += says(request, at)
    return sorted(found, key=lambda line: line.urgency)[:MOST_LINES]


def _of_orders(request: MerchantRequest, glance: Glance, at: datetime) -> Iterator[Line]:
    """Orders at risk, and late ones (HOME-01, HOME-02)."""
    merchant = request.member.merchant
    if at_risk := glance.numbers["at_risk"]:
        nearest = nearest_deadlines(merchant, at=at)
        day = merchant.marketplace.local_date(nearest[0].deadline_at)
        limit = day_words(day, merchant.marketplace.country, weekday=False)
        yield Line(
            Urgency.AT_RISK,
            title=ngettext(
                "%(count)s order at risk, to be confirmed by %(limit)s",
                "%(count)s orders at risk, the nearest on %(limit)s",
                at_risk,
            )
            % {"count": in_figures(at_risk), "limit": limit},
            text="",
            icon="clock",
            tone="warn",
            deadlines=tuple(nearest),
            **_settling_risk(request.actor, at_risk, nearest[0]),
        )
    if late := glance.numbers["late"]:
        yield Line(
            Urgency.LATE,
            title=ngettext(
                "Shipment is late: %(count)s order", "Shipment is late: %(count)s orders", late
            )
            % {"count": in_figures(late)},
            text=_("Ship-by date passed, units not confirmed"),
            icon="truck",
            tone="bad",
            button=VIEW_ORDERS,
            href=reverse("orders:list") + "?status=late",
        )


def _settling_risk(actor: Actor, count: int, order: Order) -> dict[str, Any]:
    """Lead to the one order at risk, else to the list of all; those who confirm are told so."""
    there = reverse("orders:list") + "?status=at_risk"
    if not actor.may_edit(Function.CONFIRM_SHIPMENTS):
        return {"button": VIEW_ORDERS, "href": there}
    if count == 1:
        there = reverse("orders:confirm", args=[order.number])
    return {"button": _("Confirm Shipment"), "href": there}


@source(Function.MANAGE_ORDERS)
def _cancellation_requests(request: MerchantRequest, at: datetime) -> Iterator[Line]:
    """What buyers asked for and nobody answered, with the hours left (HOME-03, BUYERCANCEL-03)."""
    asked = list(requests.to_answer(request.member.merchant_id)[: MOST_REQUESTS + 1])
    if not asked:
        return
    may_answer = request.actor.may_edit(Function.CANCEL_ORDERS)
    name = "orders:answer_request" if may_answer else "orders:detail"

    def said(each: BuyerRequest) -> str:
        assert each.answer_by_at is not None, "what a merchant answers has a limit"
        return acts.answer_words(acts.hours_until(each.answer_by_at, at=at))

    count = len(asked)
    title = ngettext(
        "Buyer requested cancellation: %(left)s",
        "Buyers requested cancellation of %(count)s orders, the nearest: %(left)s",
        count,
    )
    bounded = f"{MOST_REQUESTS}+" if count > MOST_REQUESTS else str(count)
    yield Line(
        Urgency.CANCELLATION_REQUESTED,
        title=title % {"count": bounded, "left": said(asked[0])},
        text="",
        icon="flag",
        tone="warn",
        button=_("Answer the request") if may_answer else _("View order"),
        href=reverse(name, args=[asked[0].order.number]),
        named=tuple(
            (each.order.number, reverse(name, args=[each.order.number]), said(each))
            for each in asked[:MOST_NAMED]
        ),
    )


@source(Function.ACCOUNT_INFO)
def _mail_rejected(request: MerchantRequest, at: datetime) -> Iterator[Line]:
    """The last e-mail to the merchant's own address was not taken for good (NOTIF-11)."""
    mail = outbox.rejected_mail(request.member.merchant_id)
    if mail is None:
        return
    may_change = request.actor.may_edit(Function.ACCOUNT_INFO)
    yield Line(
        Urgency.MAIL_REJECTED,
        title=_("Your notification address rejects mail"),
        text=_("“%(letter)s” could not be delivered (%(code)s).")
        % {"letter": LABELS.get(mail.kind, mail.kind), "code": mail.last_error or "–"},
        icon="mail",
        tone="bad",
        button=_("Change the address") if may_change else _("Order Notification"),
        href=reverse("settings:account_notifications" if may_change else "settings:account"),
    )


@source(Function.SELLER_PERFORMANCE)
def _cancellation_rate(request: MerchantRequest, at: datetime) -> Iterator[Line]:
    """The rate of this month, when it is above the marketplace's threshold (HOME-04)."""
    rate = rates.too_high(request.member.merchant, at=at)
    if rate is None:
        return
    performance = address_of("reports:performance")
    sees_orders = request.actor.may_view(Function.MANAGE_ORDERS)
    cancelled = reverse("orders:list") + "?by=cancelled&range=30d" if sees_orders else ""
    yield Line(
        Urgency.CANCELLATION_RATE,
        title=_("Your cancellation rate is %(percent)s%%, above %(threshold)s%%")
        % {"percent": rate.percent, "threshold": rate.threshold},
        text=_("%(cancelled)d of %(verified)d orders this month. This is cause for concern.")
        % {"cancelled": rate.cancelled, "verified": rate.verified},
        icon="chart",
        tone="bad",
        button=_("Seller Performance") if performance else VIEW_ORDERS,
        href=performance or cancelled,
    )


def in_figures(number: int) -> str:
    """Write a bounded count: 28,644, or 10,000+ where counting stopped."""
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"
