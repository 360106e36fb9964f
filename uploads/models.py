"""Uploaded files and the records in them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Merchant
from core.stored_files import Kept
from uploads.enums import OPEN_STATES, Feed, UploadState


class Upload(models.Model):
    """One file that a merchant handed in, and how far its records have come.

    check_only: say what it would do, do nothing.
    names: the columns of the file. problems: what is wrong with the file as a whole, as messages
        of ``Record``.
    count, succeeded, failed, warned: of records, computed from them when the last one is answered.
    claim: counts who has worked on it; only the last one writes. lease_until: how long that one is
        believed to be alive. at_place, tries: the order at work, and how often work began there.
    careful_until: the last order of a chunk that was begun and not ended; one at a time until then.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="uploads", db_index=False)
    feed = models.CharField(max_length=21, choices=Feed)
    check_only = models.BooleanField(default=False)
    file_name = models.CharField(max_length=200)
    stored_as = models.CharField(max_length=60)
    size = models.PositiveIntegerField()  # bytes
    digest = models.CharField(max_length=64)  # SHA-256 of the bytes
    uploaded_at = models.DateTimeField()
    uploaded_by = models.CharField(max_length=100)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)

    state = models.CharField(max_length=16, choices=UploadState, default=UploadState.SUBMITTED)
    names = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    count = models.PositiveIntegerField(default=0)
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    warned = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    claim = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    at_place = models.PositiveIntegerField(null=True)
    careful_until = models.PositiveIntegerField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="upload_feed_known", condition=Q(feed__in=Feed.values)),
            models.CheckConstraint(
                name="upload_state_known", condition=Q(state__in=UploadState.values)
            ),
            models.CheckConstraint(
                name="an_upload_ends_once_it_is_answered",
                condition=Q(state__in=OPEN_STATES, finished_at=None)
                | (~Q(state__in=OPEN_STATES) & Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="upload_counts_add_up",
                condition=Q(state__in=OPEN_STATES) | Q(count=F("succeeded") + F("failed")),
            ),
            models.CheckConstraint(
                name="only_a_check_ends_as_checked",
                condition=~Q(state=UploadState.CHECKED) | Q(check_only=True),
            ),
        ]
        indexes = [
            models.Index(name="uploads_by_feed", fields=["merchant", "feed", "-id"]),
            models.Index(
                name="uploads_to_process",
                fields=["merchant", "id"],
                condition=Q(state__in=OPEN_STATES),
            ),
            models.Index(name="uploads_by_content", fields=["merchant", "digest"]),
        ]

    def __str__(self) -> str:
        return f"{self.feed} {self.number}"

    @property
    def number(self) -> int:
        """The batch number that people and reports name; the first one has seven digits."""
        return self.pk

    @property
    def kept(self) -> Kept:
        return Kept(self.stored_as, self.size, self.digest)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class Record(models.Model):
    """One record of a file, as it stands there, and its answer.

    number: original-record-number. place: the number of the first record of the same order.
    parcel: the number of the first record that is one act with this one (FEED-24).
    is_judged: ``messages`` says what is wrong with it; ``effect`` of the parcel's first record
        holds under ``wanted`` what the good ones ask for. It is about to be done.
    messages: what the report says of it: ``[{"code": 2006, "field": …, "value": …, "text": …}]``.
    effect: what it did, or in a check would do, in plain values: units, amounts, mails.
    """

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="records", db_index=False)
    number = models.PositiveIntegerField()
    text = models.TextField()
    place = models.PositiveIntegerField()
    parcel = models.PositiveIntegerField()
    is_judged = models.BooleanField(default=False)
    is_done = models.BooleanField(default=False)
    succeeded = models.BooleanField(default=False)
    messages = models.JSONField(default=list)
    effect = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_record_is_answered_once", fields=["upload", "number"]),
            models.CheckConstraint(
                name="what_succeeded_is_done", condition=Q(is_done=True) | Q(succeeded=False)
            ),
        ]
        indexes = [
            models.Index(
                name="records_to_process",
                fields=["upload", "place", "number"],
                condition=Q(is_done=False),
            ),
            models.Index(
                name="records_with_messages",
                fields=["upload", "number"],
                condition=~Q(messages=[]),
            ),
        ]

    def __str__(self) -> str:
        return f"record {self.number}"
