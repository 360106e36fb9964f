"""Words for reading orders."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q

from orders.enums import (
    OPEN_REQUESTS,
    FulfilmentChannel,
    OrderEvent,
    OrderStatus,
    PaymentState,
    RequestState,
)

if TYPE_CHECKING:
    from accounts.models import Merchant
    from orders.models import BuyerRequest, Item, Order  # noqa: F401  named in QuerySet["…"]

OPEN = (OrderStatus.UNSHIPPED, OrderStatus.PARTIALLY_SHIPPED)


class OrderQuerySet(models.QuerySet["Order"]):
    def for_merchant(self, merchant: Merchant | int) -> OrderQuerySet:
        return self.filter(merchant=merchant)

    def open(self) -> OrderQuerySet:
        """Orders with units still to confirm."""
        return self.filter(status__in=OPEN)

    def late(self, *, at: datetime) -> OrderQuerySet:
        """Orders with units still to confirm after their ship-by moment (SHIP-19)."""
        return self.open().filter(ship_by_at__lt=at)

    def at_risk(self, *, at: datetime) -> OrderQuerySet:
        """Orders that will be cancelled unless confirmed soon (AUTO-08)."""
        return self.filter(status=OrderStatus.UNSHIPPED, page_warning_at__lte=at)

    def confirmed_by_their_merchant(self) -> OrderQuerySet:
        """Unshipped orders whose deadline binds here: no channel's, none the platform ships."""
        return self.filter(
            status=OrderStatus.UNSHIPPED, fulfilment_channel=FulfilmentChannel.MERCHANT
        ).exclude(payment_state=PaymentState.EXTERNAL)

    def overdue(self, *, at: datetime) -> OrderQuerySet:
        """Orders to cancel: their deadline has come, nothing is confirmed (AUTO-02)."""
        return self.confirmed_by_their_merchant().filter(deadline_at__lte=at)

    def to_warn_of(self, *, at: datetime) -> OrderQuerySet:
        """Orders whose merchant is to be warned once by mail, before the deadline (AUTO-06)."""
        waiting = self.confirmed_by_their_merchant()
        return waiting.filter(email_warning_at__lte=at, deadline_at__gt=at).exclude(
            Exists(_told(OrderEvent.CONFIRMATION_WARNED))
        )

    def to_be_delivered(self) -> OrderQuerySet:
        """Orders whose every unit is on its way, to a buyer who is not known to have it."""
        return self.filter(status=OrderStatus.SHIPPED, delivered_at=None)

    def finished(self) -> OrderQuerySet:
        """Orders of which nothing more is to be shipped."""
        return self.filter(status__in=[OrderStatus.SHIPPED, OrderStatus.CANCELLED])

    def with_facts(self) -> OrderQuerySet:
        """Add ``confirmation_open``: whether a capture waits for its outcome.

        And ``request_due_at``: until when the merchant should answer an open cancellation request.
        """
        from payments.models import Operation

        waiting = Operation.objects.filter(
            order=OuterRef("pk"), purpose=Operation.Purpose.CAPTURE, state=Operation.State.INTENDED
        )
        to_answer = Q(requests__state__in=OPEN_REQUESTS, requests__answer_by_at__isnull=False)
        return self.annotate(
            confirmation_open=Exists(waiting),
            open_request=FilteredRelation("requests", condition=to_answer),  # at most one
            request_due_at=F("open_request__answer_by_at"),
        )

    def locked(self, *, skip_locked: bool = False) -> OrderQuerySet:
        """Lock the rows, in key order so that two writers cannot deadlock."""
        return self.order_by("pk").select_for_update(
            of=("self",), no_key=False, skip_locked=skip_locked
        )


class ItemQuerySet(models.QuerySet["Item"]):
    def of_orders(self, order_ids: list[int]) -> ItemQuerySet:
        """Items of the orders, in the order of their lines."""
        return self.filter(order_id__in=order_ids).order_by("order_id", "line")


class RequestQuerySet(models.QuerySet["BuyerRequest"]):
    def for_merchant(self, merchant: Merchant | int) -> RequestQuerySet:
        return self.filter(merchant=merchant)

    def open(self) -> RequestQuerySet:
        """Requests that nobody has answered."""
        return self.filter(state__in=OPEN_REQUESTS)

    def to_answer(self) -> RequestQuerySet:
        """Open requests that a merchant sees and may answer, also those passed on since."""
        return self.open().filter(answer_by_at__isnull=False)

    def escalated(self) -> RequestQuerySet:
        """The operators' queue, longest waiting first (PLATFORM-02)."""
        return self.filter(state=RequestState.ESCALATED).order_by("escalated_at", "pk")


def _told(event: OrderEvent) -> models.QuerySet[models.Model]:
    """Lines of the history of the outer order that say an event happened."""
    from audit.models import Entry

    return Entry.objects.filter(order=OuterRef("pk"), event=event)


OrderManager = models.Manager.from_queryset(OrderQuerySet)
ItemManager = models.Manager.from_queryset(ItemQuerySet)
RequestManager = models.Manager.from_queryset(RequestQuerySet)
