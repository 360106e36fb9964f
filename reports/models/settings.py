"""What a merchant chose for its reports: further columns, and when they are made by themselves."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Merchant
from reports.enums import EXTRA_COLUMNS, Period, ReportKind


class ReportSettings(models.Model):
    """The further columns of a merchant's reports; no row means none (REPORT-22)."""

    merchant = models.OneToOneField(
        Merchant, models.CASCADE, primary_key=True, related_name="report_settings"
    )
    extra_columns = ArrayField(models.CharField(max_length=40), default=list)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="extra_columns_known",
                condition=Q(extra_columns__contained_by=list(EXTRA_COLUMNS)),
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(self.extra_columns) or "no further columns"


class Schedule(models.Model):
    """When a kind of report is made by itself.

    The row stays once it is there, so that what is verified while the period is None ("never") is
    in the first report afterwards.

    period: minutes. next_run_at, last_run_at: by the merchant's clock; the range of the next report
        begins at the latter, of the first one when the schedule was made.
    """

    merchant = models.ForeignKey(
        Merchant, models.PROTECT, related_name="report_schedules", db_index=False
    )
    kind = models.CharField(max_length=9, choices=ReportKind)
    period = models.PositiveIntegerField(choices=Period, null=True)
    next_run_at = models.DateTimeField(null=True)
    last_run_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_schedule_a_kind", fields=["merchant", "kind"]),
            models.CheckConstraint(
                name="schedule_kind_known", condition=Q(kind__in=ReportKind.values)
            ),
            models.CheckConstraint(
                name="schedule_runs_or_never_does",
                condition=Q(period=None, next_run_at=None)
                | Q(period__in=Period.values, next_run_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                name="schedules_by_next_run",
                fields=["next_run_at"],
                condition=Q(next_run_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.words}"

    @property
    def words(self) -> str:
        """How often, in words."""
        return str(Period(self.period).label) if self.period else "Never"
