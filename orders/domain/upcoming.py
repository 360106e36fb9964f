"""What the clock brings next for a merchant's orders: warnings and deadlines (AUTO-06, AUTO-08)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.domain import calendar
from accounts.models import Merchant
from core.refusal import Refusal, Refused
from orders.enums import OrderStatus
from orders.models import Order


@dataclass(frozen=True, slots=True)
class Coming:
    """The next order that an event will come to, and when."""

    order: Order
    at: datetime


# What comes to an unshipped order, by the column that says when.
EVENTS: Mapping[str, str] = {
    "page_warning": "page_warning_at",
    "email_warning": "email_warning_at",
    "deadline": "deadline_at",
}
_STEPS: Mapping[str, tuple[str, ...]] = {
    "warning": ("page_warning", "email_warning"),
    "deadline": ("deadline",),
}


def upcoming(merchant: Merchant, *, at: datetime) -> dict[str, Coming | None]:
    """Return what comes next after an instant, by event; None when nothing does."""
    unshipped = Order.objects.for_merchant(merchant).filter(status=OrderStatus.UNSHIPPED)
    found: dict[str, Coming | None] = {}
    for event, column in EVENTS.items():
        later = unshipped.filter(**{f"{column}__gt": at})
        order = later.order_by(column, "number").first()
        found[event] = None if order is None else Coming(order, getattr(order, column))
    return found


def instant_of(step: str, merchant: Merchant) -> datetime:
    """Return when the next warning ("warning") or the next deadline ("deadline") comes.

    Raises Refused: INVALID_INPUT when no order waits for it.
    """
    coming = upcoming(merchant, at=calendar.now_for(merchant))
    instants = [found.at for event in _STEPS[step] if (found := coming[event]) is not None]
    if instants:
        return min(instants)
    none = {
        "warning": _("No order waits for a warning."),
        "deadline": _("No order waits for its deadline."),
    }
    raise Refused(Refusal("INVALID_INPUT", none[step], field="move"))
