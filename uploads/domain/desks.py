"""An order as a record of a file meets it: facts to judge by, and what a check pretends on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.domain import calendar
from accounts.models import Merchant
from core.actor import Actor
from core.refusal import Refusal
from orders.domain import guards, lifecycle, requests
from orders.effects import due_messages
from orders.enums import Act, OrderEvent
from orders.models import BuyerRequest, Item, Order


@dataclass(slots=True)
class Desk:
    """One order, read without a lock; the verbs judge again under theirs.

    at: now, by its merchant's clock. In a check, what records before this one would have done is
    written on ``order`` and ``items``, and nowhere else.
    """

    order: Order
    items: Sequence[Item]
    by: Actor
    at: datetime
    request: BuyerRequest | None = None

    def refusal(self, act: Act) -> Refusal | None:
        """Return why an act is not possible now: the guards that pages ask, too."""
        confirming = bool(getattr(self.order, "confirmation_open", False))
        return guards.ask(
            act, guards.Facts(self.order, self.by, self.at, confirming, request=self.request)
        )

    def item(self, number: str) -> Item | None:
        """Return the order's item of an order-item-id."""
        return next((item for item in self.items if item.number == number), None)

    def owed(self, event: OrderEvent) -> list[str]:
        """Return the kinds of messages that an event of this order sends."""
        return [message.kind for message in due_messages(event, self.order, at=self.at)]

    def derive(self) -> None:
        """Let the status follow from what was pretended."""
        lifecycle.pretend_status(self.order)


def desks(merchant: Merchant, numbers: Iterable[str], *, by: Actor) -> Mapping[str, Desk]:
    """Return a merchant's orders by Order ID; those of others are missing like unknown ones."""
    rows = Order.objects.for_merchant(merchant).filter(number__in=set(numbers)).with_facts()
    orders = {order.pk: order for order in rows.select_related("cancellation")}
    lifecycle.share_merchants(orders.values())
    items: Mapping[int, list[Item]] = lifecycle.items_of(orders.values()) if orders else {}
    asked = requests.open_of(orders) if orders else {}
    at = calendar.now_for(merchant)
    by_order = defaultdict(list, items)
    return {
        order.number: Desk(order, by_order[pk], by, at, asked.get(pk))
        for pk, order in orders.items()
    }
