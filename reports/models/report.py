"""A report: what was asked, where it stands, and the file that came of it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Merchant
from core.stored_files import Kept
from reports.enums import (
    DAYS,
    EXTRA_COLUMNS,
    KEPT,
    OPEN,
    STATUS_COLUMN,
    Failure,
    Origin,
    ReportKind,
    ReportState,
)
from reports.querysets import ReportManager

S = ReportState


class Report(models.Model):
    """One report of a merchant; its number is its key.

    days: the length of a requested range. from_at, to_at: the range, by the merchant's clock; a
        report of unshipped orders begins nowhere and shows the moment ``to_at``.
    extra_columns, include_cancelled: as they were chosen when it was asked for.
    lease_until: how long whoever makes it is believed to be alive; attempts: how often that began.
    rows, size, digest, name: of the file (``core.stored_files``); the name goes with the file.
    failure, reference: why it failed, and what its line of the log is found by.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="reports", db_index=False)
    kind = models.CharField(max_length=9, choices=ReportKind)
    origin = models.CharField(max_length=9, choices=Origin)
    days = models.PositiveSmallIntegerField(null=True)
    from_at = models.DateTimeField(null=True)
    to_at = models.DateTimeField()
    extra_columns = ArrayField(models.CharField(max_length=40), default=list)
    include_cancelled = models.BooleanField(default=False)
    state = models.CharField(max_length=11, choices=ReportState, default=S.SUBMITTED)
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=100)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    rows = models.PositiveBigIntegerField(null=True)
    size = models.PositiveBigIntegerField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=60, blank=True)
    failure = models.CharField(max_length=10, choices=Failure, blank=True)
    reference = models.CharField(max_length=8, blank=True)
    expires_at = models.DateTimeField(null=True)

    objects = ReportManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_identical_report_is_made_at_a_time",
                fields=["merchant", "kind", "days", "extra_columns", "include_cancelled"],
                condition=Q(state__in=OPEN, origin=Origin.REQUESTED),
                nulls_distinct=False,
            ),
            # Lists go by it, newest first, and rows of other tables name both.
            models.UniqueConstraint(
                name="report_belongs_to_its_merchant", fields=["merchant", "id"]
            ),
            models.CheckConstraint(
                name="report_kind_known", condition=Q(kind__in=ReportKind.values)
            ),
            models.CheckConstraint(
                name="report_origin_known", condition=Q(origin__in=Origin.values)
            ),
            models.CheckConstraint(
                name="report_state_known", condition=Q(state__in=ReportState.values)
            ),
            models.CheckConstraint(
                name="report_days_are_offered",
                condition=Q(days=None) | Q(days__in=DAYS, kind=ReportKind.ORDERS),
            ),
            models.CheckConstraint(
                name="report_of_orders_has_a_range",
                condition=Q(kind=ReportKind.UNSHIPPED, from_at=None)
                | Q(kind=ReportKind.ORDERS, from_at__isnull=False, from_at__lte=F("to_at")),
            ),
            models.CheckConstraint(
                name="report_columns_known",
                condition=Q(extra_columns__contained_by=list(EXTRA_COLUMNS)),
            ),
            models.CheckConstraint(
                name="cancelled_orders_come_with_their_status",
                condition=Q(include_cancelled=False) | Q(extra_columns__contains=[STATUS_COLUMN]),
            ),
            models.CheckConstraint(
                name="a_report_being_made_has_a_lease",
                condition=Q(
                    state=S.IN_PROGRESS, lease_until__isnull=False, started_at__isnull=False
                )
                | (~Q(state=S.IN_PROGRESS) & Q(lease_until=None)),
            ),
            models.CheckConstraint(
                name="a_finished_report_has_its_file",
                condition=Q(
                    state__in=KEPT,
                    rows__isnull=False,
                    size__gt=0,
                    digest__regex=r"^[0-9a-f]{64}$",
                    name__startswith="reports/",
                    finished_at__isnull=False,
                    expires_at__isnull=False,
                )
                | (~Q(state__in=KEPT) & Q(name="")),
            ),
            models.CheckConstraint(
                name="a_report_without_rows_has_no_data",
                condition=~Q(state__in=KEPT)
                | Q(state=S.READY, rows__gt=0)
                | Q(state=S.NO_DATA, rows=0),
            ),
            models.CheckConstraint(
                name="a_failed_report_says_why",
                condition=(Q(state=S.FAILED, failure__in=Failure.values) & ~Q(reference=""))
                | (~Q(state=S.FAILED) & Q(failure="", reference="")),
            ),
        ]
        indexes = [
            models.Index(name="reports_to_make", fields=["id"], condition=Q(state__in=OPEN)),
            models.Index(
                name="reports_to_expire", fields=["expires_at"], condition=Q(state__in=KEPT)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be made."""
        return self.state in OPEN

    @property
    def kept(self) -> Kept | None:
        """Its file, while there is one."""
        if not self.name or self.size is None:
            return None
        return Kept(self.name, self.size, self.digest)
