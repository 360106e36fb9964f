"""How an order is paid: what the platform knows and no merchant ever sees."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Payment(models.Model):
    """The payment behind one order (PENDING-11: in no page, report, e-mail or API of a merchant).

    token: names the buyer's payment method at the gateway.
    number: what the buyer names at the convenience store; empty with other methods. With
        ``pay_by_at`` it is the buyer's alone (PENDING-10).
    next_check_at: when to ask the gateway again; null once the outcome is known.
    """

    class Method(models.TextChoices):
        CARD = "card", "Card"
        CONVENIENCE_STORE = "convenience_store", "Convenience store"
        POINTS = "points", "Points"

    order = models.OneToOneField(
        "orders.Order", models.PROTECT, primary_key=True, related_name="payment"
    )
    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, db_index=False)
    method = models.CharField(max_length=20, choices=Method)
    token = models.CharField(max_length=100)
    number = models.CharField(max_length=14, blank=True, default="", db_default="")
    started_at = models.DateTimeField()
    next_check_at = models.DateTimeField(null=True)
    checks = models.PositiveIntegerField(default=0)
    pay_by_at = models.DateTimeField(null=True)  # end of the term of an advance payment
    delay_told_at = models.DateTimeField(null=True)  # N03 leaves once

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payment_method_known",
                condition=Q(method__in=["card", "convenience_store", "points"]),
            ),
            models.UniqueConstraint(
                name="a_payment_number_is_given_once", fields=["number"], condition=~Q(number="")
            ),
        ]
        indexes = [
            models.Index(
                name="payment_checks_due",
                fields=["next_check_at"],
                condition=Q(next_check_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"payment of order {self.order_id}"


class GatewayEvent(models.Model):
    """One report of the gateway that was acted on; the same again changes nothing (INV-02, TH-03).

    event: the gateway's own name for it, unique for ever.
    """

    event = models.CharField(max_length=100, unique=True)
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="gateway_events", db_constraint=False
    )
    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, db_index=False)
    state = models.CharField(max_length=10)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.event}: {self.state}"


class Operation(models.Model):
    """One act at the gateway: recorded before the call, finished after it (IMPL-16).

    key: what the gateway knows it by; asking twice under one key acts once.
    plan: what is to be written when the call succeeds, as its domain module encodes it.
    """

    class Purpose(models.TextChoices):
        AUTHORISE = "authorise", "Authorise"
        CAPTURE = "capture", "Capture"
        VOID = "void", "Void"
        REFUND = "refund", "Refund"

    class State(models.TextChoices):
        INTENDED = "intended", "Intended"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    order = models.ForeignKey(
        "orders.Order",
        models.PROTECT,
        related_name="operations",
        db_constraint=False,
        db_index=False,
    )
    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, db_index=False)
    purpose = models.CharField(max_length=9, choices=Purpose)
    sequence = models.PositiveSmallIntegerField()
    key = models.UUIDField(unique=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State, default=State.INTENDED)
    plan = models.JSONField(default=dict)
    reference = models.CharField(max_length=60, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_operation_per_purpose_and_sequence",
                fields=["order", "purpose", "sequence"],
            ),
            models.UniqueConstraint(
                name="one_capture_per_order",
                fields=["order"],
                condition=Q(purpose="capture") & ~Q(state="failed"),
            ),
            models.CheckConstraint(
                name="operation_state_known", condition=Q(state__in=["intended", "done", "failed"])
            ),
            models.CheckConstraint(
                name="operation_purpose_known",
                condition=Q(purpose__in=["authorise", "capture", "void", "refund"]),
            ),
            models.CheckConstraint(
                name="operation_amount_is_money",
                condition=Q(amount__gte=0, amount__lte="9999999999.99"),
            ),
        ]
        indexes = [
            models.Index(name="operations_open", fields=["id"], condition=Q(state="intended")),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.sequence} of order {self.order_id}"
