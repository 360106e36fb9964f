"""Money given back; its lines stand in the ledger."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from accounts.models import Merchant
from core.money import LARGEST
from orders.enums import RefundReason, RefundState, SystemRefundReason
from orders.models.order import Order


class Refund(models.Model):
    """One refund of an order; counts against the limits from its submission (REFUND-12).

    total: what the buyer gets, in the order's currency.
    memo: plain text to the buyer, sent exactly as typed.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="refunds", db_constraint=False)
    number = models.PositiveIntegerField()  # counts the order's refunds from 1
    state = models.CharField(max_length=9, choices=RefundState, default=RefundState.SUBMITTED)
    reason = models.CharField(max_length=30)
    memo = models.TextField(max_length=1000, blank=True)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    item_cost = models.DecimalField(max_digits=12, decimal_places=2)
    delivery = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    submitted_at = models.DateTimeField()
    submitted_by = models.CharField(max_length=100)
    door = models.CharField(max_length=10)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="refunds_are_counted", fields=["order", "number"]),
            models.CheckConstraint(
                name="a_refund_of_nothing_is_none", condition=Q(total__gt=0, total__lte=LARGEST)
            ),
            models.CheckConstraint(
                name="refund_is_the_sum_of_its_boxes",
                condition=Q(total=models.F("item_cost") + models.F("delivery")),
            ),
            models.CheckConstraint(
                name="refund_state_known", condition=Q(state__in=RefundState.values)
            ),
            models.CheckConstraint(
                name="refund_reason_known",
                condition=Q(reason__in=sorted({*RefundReason.values, *SystemRefundReason.values})),
            ),
        ]
        indexes = [
            models.Index(
                name="refunds_by_submission",
                fields=["merchant", "submitted_at"],
                include=["order", "state"],
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.number} of order {self.order_id}"

    @property
    def reason_label(self) -> str:
        """The reason in words."""
        labels = {**dict(SystemRefundReason.choices), **dict(RefundReason.choices)}
        return str(labels[self.reason])

    @property
    def counted(self) -> Decimal:
        """What this refund takes from the limits."""
        return Decimal(0) if self.state == RefundState.FAILED else self.total
