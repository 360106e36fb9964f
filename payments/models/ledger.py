"""The money ledger: signed rows that are added and never changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class LedgerLine(models.Model):
    """One amount of one component, seen from the merchant: earned above zero, given below.

    Charges and refunds have a line per item and component; commission has none of an item.
    """

    class Kind(models.TextChoices):
        CHARGE = "charge", "Charge"
        REFUND = "refund", "Refund"
        REFUND_RETURNED = "refund_returned", "Refund that failed"
        COMMISSION = "commission", "Commission"
        COMMISSION_CREDIT = "commission_credit", "Commission credited"

    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, db_index=False)
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="ledger", db_constraint=False, db_index=False
    )
    item = models.ForeignKey(
        "orders.Item",
        models.PROTECT,
        null=True,
        related_name="ledger",
        db_constraint=False,
        db_index=False,
    )
    refund = models.ForeignKey(
        "orders.Refund", models.PROTECT, null=True, related_name="lines", db_index=False
    )
    kind = models.CharField(max_length=17, choices=Kind)
    component = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    posted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="ledger_amount_is_money",
                condition=Q(amount__gte="-9999999999.99", amount__lte="9999999999.99")
                & ~Q(amount=0),
            ),
            models.CheckConstraint(
                name="ledger_kind_known",
                condition=Q(
                    kind__in=[
                        "charge",
                        "refund",
                        "refund_returned",
                        "commission",
                        "commission_credit",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="ledger_line_of_a_refund_names_it",
                condition=Q(kind__in=["charge", "commission"], refund__isnull=True)
                | Q(
                    kind__in=["refund", "refund_returned", "commission_credit"],
                    refund__isnull=False,
                ),
            ),
        ]
        indexes = [
            models.Index(name="ledger_of_an_order", fields=["order", "item"]),
            models.Index(
                name="ledger_of_a_refund", fields=["refund"], condition=Q(refund__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.component} {self.amount} {self.currency}"
