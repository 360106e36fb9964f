"""What staff write to each other about an order."""

from __future__ import annotations

from django.db import models

from accounts.models import Merchant
from orders.models.order import Order


class OrderNote(models.Model):
    """An internal note; never shown to the buyer (DETAIL-14)."""

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="notes", db_constraint=False)
    text = models.TextField(max_length=1000)
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=100)

    def __str__(self) -> str:
        return f"note on order {self.order_id}"
