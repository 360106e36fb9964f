"""Packages confirmed to the platform."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Merchant
from orders.models.order import Item, Order


class Shipment(models.Model):
    """One package: its order is pinned to "not cancelled" for good.

    number: counts the order's packages from 1.
    order_cancelled: always false; with the order it references the order's generated column, so
        that the database itself refuses a shipment of a cancelled order, and the reverse (INV-05).
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="shipments", db_constraint=False, db_index=False
    )
    order_cancelled = models.BooleanField(default=False, db_default=False)
    number = models.PositiveIntegerField()
    ship_date = models.DateField()
    carrier = models.CharField(max_length=30, blank=True)
    carrier_name = models.CharField(max_length=50, blank=True)  # with "Other"
    method = models.CharField(max_length=50, blank=True)
    tracking_id = models.CharField(max_length=50, blank=True)
    confirmed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=100)
    door = models.CharField(max_length=10)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="packages_are_counted", fields=["order", "number"]),
            models.CheckConstraint(
                name="no_shipment_of_a_cancelled_order", condition=Q(order_cancelled=False)
            ),
        ]
        indexes = [
            models.Index(
                name="shipments_by_tracking_id",
                fields=["merchant", "tracking_id"],
                condition=~Q(tracking_id=""),
            ),
            models.Index(
                name="shipments_by_confirmation",
                fields=["merchant", "confirmed_at"],
                include=["order"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.carrier_label} {self.tracking_id}".strip()

    @property
    def carrier_label(self) -> str:
        """The carrier's name as people read it."""
        return self.carrier_name or self.carrier


class ShipmentLine(models.Model):
    """Units of one item in one package."""

    order = models.ForeignKey(Order, models.PROTECT, db_constraint=False, db_index=False)
    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="lines", db_index=False)
    item = models.ForeignKey(
        Item, models.PROTECT, related_name="shipment_lines", db_constraint=False, db_index=False
    )
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="shipment_line_has_units", condition=Q(quantity__gte=1)),
            models.UniqueConstraint(
                name="an_item_stands_once_in_a_package", fields=["shipment", "item"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of item {self.item_id}"
