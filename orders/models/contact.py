"""Who ordered and where to send it. ``domain.contacts`` alone hands this out (INV-17)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from accounts.models import Merchant
from orders.models.order import Order


class Contact(models.Model):
    """The personal data of one order; never read but through ``domain.contacts``."""

    order = models.OneToOneField(
        Order, models.PROTECT, primary_key=True, related_name="contact", db_constraint=False
    )
    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    purchased_at = models.DateTimeField()  # the order's, so that searches read one index
    buyer_email = models.CharField(max_length=254)
    relay_email = models.CharField(max_length=254, blank=True)
    buyer_phone = models.CharField(max_length=30, blank=True)
    recipient_name = models.CharField(max_length=100)
    address_1 = models.CharField(max_length=180)
    address_2 = models.CharField(max_length=180, blank=True)
    address_3 = models.CharField(max_length=180, blank=True)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20)
    country = models.CharField(max_length=2)
    gift_message = models.CharField(max_length=240, blank=True)
    blanked_at = models.DateTimeField(null=True)  # all above but the country are gone (IMPL-22)

    class Meta:
        indexes = [
            models.Index(
                "merchant", Lower("buyer_email"), "purchased_at", name="orders_by_buyer_email"
            ),
            models.Index(
                "merchant",
                Lower("relay_email"),
                "purchased_at",
                name="orders_by_relay_email",
                condition=~models.Q(relay_email=""),
            ),
        ]

    def __str__(self) -> str:
        return f"contact of order {self.order_id}"
