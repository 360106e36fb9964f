"""Words for reading orders."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef

from orders.enums import OrderStatus

if TYPE_CHECKING:
    from accounts.models import Merchant
    from orders.models import Item, Order  # noqa: F401  named in QuerySet["…"]

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

    def with_facts(self) -> OrderQuerySet:
        """Add ``confirmation_open``: whether a capture waits for its outcome."""
        from payments.models import Operation

        waiting = Operation.objects.filter(
            order=OuterRef("pk"), purpose=Operation.Purpose.CAPTURE, state=Operation.State.INTENDED
        )
        return self.annotate(confirmation_open=Exists(waiting))

    def locked(self) -> OrderQuerySet:
        """Lock the rows, in key order so that two writers cannot deadlock."""
        return self.order_by("pk").select_for_update(of=("self",), no_key=False)


class ItemQuerySet(models.QuerySet["Item"]):
    def of_orders(self, order_ids: list[int]) -> ItemQuerySet:
        """Items of the orders, in the order of their lines."""
        return self.filter(order_id__in=order_ids).order_by("order_id", "line")


OrderManager = models.Manager.from_queryset(OrderQuerySet)
ItemManager = models.Manager.from_queryset(ItemQuerySet)
