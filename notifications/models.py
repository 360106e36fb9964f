"""The outbox: messages owed because of facts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Outbox(models.Model):
    """One message owed to somebody, written with the fact it tells (INV-09).

    kind: N01 … N37 of requirements section 8.1, or the type of an instant notification.
    event_key: kind, object and recipient; unique, so that no fact is told twice.
    payload: ids only; addresses and texts are read when the message is sent.
    """

    class Channel(models.TextChoices):
        BUYER_EMAIL = "buyer_email"
        MERCHANT_EMAIL = "merchant_email"
        NOTIFICATION = "notification"

    class State(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"

    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, db_index=False)
    order = models.ForeignKey(
        "orders.Order",
        models.PROTECT,
        null=True,
        related_name="messages_owed",
        db_constraint=False,
    )
    channel = models.CharField(max_length=14, choices=Channel)
    kind = models.CharField(max_length=40)
    event_key = models.CharField(max_length=120, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=6, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    available_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="outbox_state_known", condition=Q(state__in=["queued", "sent", "failed"])
            ),
        ]
        indexes = [
            models.Index(
                name="outbox_to_send", fields=["available_at", "id"], condition=Q(state="queued")
            ),
        ]

    def __str__(self) -> str:
        return self.event_key
