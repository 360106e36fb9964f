"""What a merchant offers, and how much of it is there."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper

from accounts.models import Merchant
from catalog.querysets import ListingManager
from core.money import LARGEST


class Listing(models.Model):
    """One product of a merchant; ``quantity_available`` counts units that can be sold now."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="listings")
    sku = models.CharField(max_length=40)
    listing_id = models.CharField(max_length=20)  # identifier of the offer (SEARCH-11)
    title = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    quantity_available = models.IntegerField(default=0)
    handling_business_days = models.PositiveSmallIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)

    objects = ListingManager()

    class Meta:
        constraints = [
            models.UniqueConstraint("merchant", Lower("sku"), name="one_listing_per_sku"),
            models.UniqueConstraint(
                "merchant", Lower("listing_id"), name="one_listing_per_listing_id"
            ),
            models.CheckConstraint(
                name="stock_is_never_below_zero", condition=Q(quantity_available__gte=0)
            ),
            models.CheckConstraint(
                name="listing_price_is_money", condition=Q(price__gte=0, price__lte=LARGEST)
            ),
        ]

    def __str__(self) -> str:
        return self.sku


class ListingTitle(models.Model):
    """A title a listing is or was sold under; items point at the one they were sold under.

    Product names are searched here, where they are few, not on the items.
    """

    listing = models.ForeignKey(Listing, models.PROTECT, related_name="titles")
    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    title = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_title_is_kept_once", fields=["listing", "title"]),
        ]
        indexes = [
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="title_words"),
        ]

    def __str__(self) -> str:
        return self.title


class StockChange(models.Model):
    """One line of the stock journal; rows are added, never changed (INVENTORY-07)."""

    class Cause(models.TextChoices):
        ORDER = "order", "Order"
        CANCELLATION = "cancellation", "Cancellation"
        ZERO_OUT = "zero_out", "Zero out"
        MANUAL = "manual", "Manual"
        IMPORT = "import", "Import"

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="stock_changes")
    order = models.ForeignKey("orders.Order", models.PROTECT, null=True, db_index=False)
    cause = models.CharField(max_length=12, choices=Cause)
    before = models.IntegerField()
    after = models.IntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="stock_cause_known",
                condition=Q(cause__in=["order", "cancellation", "zero_out", "manual", "import"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.listing} {self.before} → {self.after}"
