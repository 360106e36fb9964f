"""History and submissions: what happened, and what was asked and answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

DOORS = ["form", "file", "api", "job", "gateway", "operator", "channel", "buyer"]


class HistoryCounter(models.Model):
    """The last number given in a merchant's history; locked last, just before commit."""

    merchant = models.OneToOneField("accounts.Merchant", models.PROTECT, primary_key=True)
    last = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.merchant_id}: {self.last}"


class Entry(models.Model):
    """One thing that happened; rows are added, never changed (INV-10).

    number: counts up by one per merchant, without gaps.
    before, after: the values that changed, by name; secrets and personal data never.
    request_id: of the request or run of a job that did it, as its log lines name it.
    """

    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, related_name="history")
    number = models.BigIntegerField()
    order = models.ForeignKey(
        "orders.Order",
        models.PROTECT,
        null=True,
        related_name="history",
        db_constraint=False,
        db_index=False,
    )
    event = models.CharField(max_length=40)
    happened_at = models.DateTimeField()
    door = models.CharField(max_length=10)
    actor = models.CharField(max_length=100)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=16, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="history_has_one_line_a_number", fields=["merchant", "number"]
            ),
            models.CheckConstraint(name="history_door_known", condition=Q(door__in=DOORS)),
        ]
        indexes = [models.Index(name="history_of_an_order", fields=["order", "number"])]

    def __str__(self) -> str:
        return f"#{self.number} {self.event}"


class OperatorEntry(models.Model):
    """One thing an operator of the platform did; rows are added, never changed (PLATFORM-03).

    subject: the job, message or operation it was about; note: why, in the operator's words.
    """

    happened_at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    operator = models.CharField(max_length=100)
    act = models.CharField(max_length=40)
    subject = models.CharField(max_length=100)
    note = models.CharField(max_length=500)

    class Meta:
        constraints = [
            models.CheckConstraint(name="operators_say_why", condition=~Q(note="")),
        ]
        indexes = [models.Index(name="operators_by_date", fields=["-happened_at"])]

    def __str__(self) -> str:
        return f"{self.operator}: {self.act} {self.subject}"


class HistoryDigest(models.Model):
    """A digest over some of a merchant's history, each day over what was added since (TH-56).

    first, last: the numbers of its entries. digest: SHA-256 over the digest before and the entries
        in their order (``audit.domain.digests``); the log holds it, too.
    """

    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT, db_index=False)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="history_is_digested_once", fields=["merchant", "first"]),
            models.CheckConstraint(
                name="a_digest_covers_entries",
                condition=Q(first__gte=1) & Q(last__gte=F("first")),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.first} to #{self.last}: {self.digest}"


class Submission(models.Model):
    """One request and its result: the same request again gets the same answer (INV-02).

    scope: "form", or the key and route of an API call.
    fingerprint: digest of what was asked; another one under the same token is refused.
    result: what the act led to; null while the gateway is still being asked.
    """

    merchant = models.ForeignKey("accounts.Merchant", models.PROTECT)
    scope = models.CharField(max_length=120, default="form")
    token = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    action = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    result = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_submission_happens_once", fields=["merchant", "scope", "token"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.token}"
