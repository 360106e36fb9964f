"""Which scheduled report each verified order is in (INV-15)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Merchant
from orders.models import Order
from reports.models.report import Report


class Release(models.Model):
    """A verified order of a merchant with a schedule, and the scheduled report that took it.

    Rows are written by a trigger of the database alone, when an order gets its ``verified_at``
    (migration 0002); a report takes rows without one, once and for good.
    """

    order = models.OneToOneField(
        Order, models.PROTECT, primary_key=True, related_name="+", db_constraint=False
    )
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="+", db_index=False)
    report = models.ForeignKey(
        Report, models.PROTECT, related_name="+", null=True, db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [
            models.Index(
                name="orders_waiting_for_a_report",
                fields=["merchant", "order"],
                condition=Q(report=None),
            ),
            models.Index(
                name="orders_of_a_report",
                fields=["report", "order"],
                condition=Q(report__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"order {self.order_id} in {self.report_id or 'no report yet'}"
