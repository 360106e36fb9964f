"""Buttons: which acts a page offers for an order, decided by the same guards as the acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from core.refusal import Refusal
from orders.domain import guards
from orders.enums import Act, OrderStatus, ServiceLevel
from orders.models import BuyerRequest, Item, Order

S = OrderStatus


@dataclass(frozen=True, slots=True)
class Button:
    """One act on screen: words, address, and how it looks."""

    act: str
    label: Any
    href: str
    icon: str
    key: str
    is_link: bool = False


_URLS: Mapping[Act, tuple[str, str, str]] = {  # URL name, icon, keyboard shortcut
    Act.CONFIRM: ("orders:confirm", "truck", "c"),
    Act.PRINT: ("orders:slip", "print", "p"),
    Act.CANCEL: ("orders:cancel", "cross", ""),
    Act.REFUND: ("orders:refund", "refund", "r"),
}
# LIST-13: which acts a status offers, in the order they stand.
ROW_ACTS: Mapping[OrderStatus, tuple[Act, ...]] = {
    S.UNSHIPPED: (Act.CONFIRM, Act.PRINT, Act.CANCEL),
    S.PARTIALLY_SHIPPED: (Act.CONFIRM, Act.PRINT, Act.REFUND),
    S.SHIPPED: (Act.REFUND, Act.PRINT),
    S.PENDING: (),
    S.CANCELLED: (),
}
PAGE_ACTS: Mapping[OrderStatus, tuple[Act, ...]] = {
    **ROW_ACTS,
    S.UNSHIPPED: (Act.CONFIRM, Act.PRINT, Act.REFUND, Act.CANCEL),  # refund: paid in advance
    S.PARTIALLY_SHIPPED: (Act.CONFIRM, Act.REFUND, Act.PRINT),
}
# Acts that a row offers as links, below its buttons.
_SECOND_RANK: Mapping[OrderStatus, tuple[Act, ...]] = {
    S.UNSHIPPED: (Act.CANCEL,),
    S.PARTIALLY_SHIPPED: (Act.REFUND,),
}
# What a page explains when it is not possible.
EXPLAINED: tuple[tuple[Act, Any], ...] = (
    (Act.CONFIRM, _("Why can I not confirm?")),
    (Act.CANCEL, _("Why can I not cancel?")),
    (Act.REFUND, _("Why can I not refund?")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One order of the list with everything its row shows."""

    order: Order
    items: list[Item]
    more_items: int
    buttons: list[Button]
    due: Due
    pinned: bool = False

    @property
    def selectable(self) -> bool:
        return any(button.act == Act.PRINT for button in self.buttons)


@dataclass(frozen=True, slots=True)
class Due:
    """The flags of LIST-12, derived from facts at one instant."""

    is_open: bool  # something is still to be shipped
    late_days: int
    today: bool
    at_risk: bool
    late: bool
    refunded: str  # "", "partly" or "wholly"
    answer_by_at: datetime | None  # until when a cancellation request should be answered
    hours_left: int  # for that; 0 when it is overdue
    service: str

    @property
    def late_words(self) -> str:
        return ngettext("%d day late", "%d days late", self.late_days) % self.late_days

    @property
    def answer_words(self) -> str:
        """How long there is still time to answer the buyer (BUYERCANCEL-03)."""
        return answer_words(self.hours_left)


def buttons(order: Order, acts: tuple[Act, ...], by: Actor, *, at: datetime) -> list[Button]:
    """Return the buttons of the acts that are possible for this actor now."""
    shown = []
    for act in acts:
        if refusal(order, act, by, at=at) is None:
            url, icon, key = _URLS[act]
            href = reverse(url, args=[order.number])
            is_link = act in _SECOND_RANK.get(S(order.status), ())
            shown.append(Button(act.value, act.label, href, icon, key, is_link))
    return shown


def refusal(
    order: Order,
    act: Act,
    by: Actor,
    *,
    at: datetime,
    seen: int | None = None,
    request: BuyerRequest | None = None,
) -> Refusal | None:
    """Ask the guards about an order read with ``with_facts``, and its open request if it counts."""
    is_open = bool(getattr(order, "confirmation_open", False))
    return guards.ask(act, guards.Facts(order, by, at, is_open, seen, request))


def explanations(order: Order, by: Actor, *, at: datetime) -> list[tuple[Any, Refusal]]:
    """Return why acts that a merchant would look for are not possible, with their questions."""
    told = []
    for act, question in EXPLAINED:
        why = refusal(order, act, by, at=at)
        if why is not None:
            told.append((question, why))
    return told


def due(order: Order, *, at: datetime) -> Due:
    """Work out what a row flags. Source: LIST-12, SHIP-19, AUTO-08."""
    is_open = order.status in (S.UNSHIPPED, S.PARTIALLY_SHIPPED)
    late = is_open and order.ship_by_at < at
    days = _days_between(order.ship_by_at, at, order)
    answer_by: datetime | None = getattr(order, "request_due_at", None)
    refunded = ""
    if order.refunded_total:
        refunded = "wholly" if order.refunded_total == order.total else "partly"
    return Due(
        is_open=is_open,
        late_days=days if late else 0,
        today=is_open and not late and days == 0,
        at_risk=order.status == S.UNSHIPPED and order.page_warning_at <= at,
        late=late,
        refunded=refunded,
        answer_by_at=answer_by,
        hours_left=hours_until(answer_by, at=at) if answer_by else 0,
        service=str(ServiceLevel(order.ship_service_level).label),
    )


def hours_until(limit: datetime, *, at: datetime) -> int:
    """Return the hours that are left, a begun one as a whole; 0 from the limit on."""
    return max(0, ceil((limit - at) / timedelta(hours=1)))


def answer_words(hours: int) -> str:
    """Say how long there is still time to answer a buyer (BUYERCANCEL-03)."""
    if not hours:
        return gettext("answer overdue")
    return ngettext("%d hour left", "%d hours left", hours) % hours


def _days_between(earlier: datetime, later: datetime, order: Order) -> int:
    zone = order.marketplace.zone
    first: date = earlier.astimezone(zone).date()
    return (later.astimezone(zone).date() - first).days
