"""The outbox: messages owed because of facts, and copies of letters where people try things out."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Outbox(models.Model):
    """One message owed to somebody, written with the fact it tells (INV-09).

    kind: N01 … N37 of requirements section 8.1, or the type of an instant notification.
    event_key: kind, object and recipient; unique, so that no fact is told twice.
    merchant: None for letters to persons who work for none.
    payload: ids only; addresses and texts are read when the message is sent.
    state: dropped says that nobody is told, because what it would tell no longer holds.
    attempts: hand-overs begun; claim: counts up with each taking, so that a late worker is known.
    available_at, finished_at: by the merchant's clock; lease_until: by the database's.
    last_error: code of the server or kind of failure, never an address or a text.
    request_id: of the request or run of a job that owes it, as its log lines name it.
    """

    class Channel(models.TextChoices):
        BUYER_EMAIL = "buyer_email"
        MERCHANT_EMAIL = "merchant_email"
        PERSON_EMAIL = "person_email"
        NOTIFICATION = "notification"

    class State(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"
        DROPPED = "dropped"

    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, null=True, db_index=False)
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
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()
    available_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=16, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="only_a_persons_letter_has_no_merchant",
                condition=Q(merchant__isnull=False) | Q(channel="person_email", order=None),
            ),
            models.CheckConstraint(
                name="outbox_state_known",
                condition=Q(state__in=["queued", "sent", "failed", "dropped"]),
            ),
        ]
        indexes = [
            models.Index(
                name="mails_to_send",
                fields=["available_at", "id"],
                condition=Q(state="queued") & ~Q(channel="notification"),
            ),
            models.Index(
                name="messages_before",
                fields=["order", "channel", "id"],
                condition=Q(state="queued"),
            ),
            models.Index(
                name="mails_to_a_merchant",
                fields=["merchant", "id"],
                condition=Q(channel="merchant_email"),
            ),
        ]

    def __str__(self) -> str:
        return self.event_key


class LetterCopy(models.Model):
    """A sent letter as it left, for the mail viewer; kept only where settings have MAIL_VIEWER."""

    outbox = models.OneToOneField(Outbox, models.PROTECT, related_name="copy")
    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, null=True, db_index=False)
    message_id = models.CharField(max_length=200)
    sent_to = ArrayField(models.CharField(max_length=254))
    subject = models.CharField(max_length=250)
    body = models.TextField()
    sent_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="letters_of_a_merchant", fields=["merchant", "id"])]

    def __str__(self) -> str:
        return self.subject
