"""The end of an order before anything has shipped."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Merchant
from orders.enums import CancelCause, CancelReason
from orders.models.order import Order


class Cancellation(models.Model):
    """Why, when and by whom an order was cancelled.

    move: the row of table 4.2 ("T09").
    reason: a ``CancelReason`` of a merchant or a ``CancelCause`` of system, buyer or operator.
    counts: whether it counts in the cancellation rate (PERF-04).
    """

    order = models.OneToOneField(
        Order, models.PROTECT, primary_key=True, related_name="cancellation", db_constraint=False
    )
    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    move = models.CharField(max_length=3)
    reason = models.CharField(max_length=30)
    counts = models.BooleanField()
    zeroed_out = models.BooleanField(default=False)
    note = models.CharField(max_length=1000, blank=True)
    cancelled_at = models.DateTimeField()
    cancelled_by = models.CharField(max_length=100)
    door = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="cancellation_reason_known",
                condition=Q(reason__in=sorted({*CancelReason.values, *CancelCause.values})),
            ),
        ]
        indexes = [
            models.Index(name="cancellations_by_month", fields=["merchant", "cancelled_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.move} {self.reason}"

    @property
    def reason_label(self) -> str:
        """The reason in words."""
        labels = {**dict(CancelCause.choices), **dict(CancelReason.choices)}
        return str(labels[self.reason])
