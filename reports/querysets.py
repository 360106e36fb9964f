"""Words for reading reports."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F

from reports.enums import KEPT, OPEN

if TYPE_CHECKING:
    from accounts.models import Merchant
    from reports.models import Report  # noqa: F401  named in QuerySet["…"]


class ReportQuerySet(models.QuerySet["Report"]):
    def for_merchant(self, merchant: Merchant | int) -> ReportQuerySet:
        return self.filter(merchant=merchant)

    def open(self) -> ReportQuerySet:
        """Reports still to be made."""
        return self.filter(state__in=OPEN)

    def late(self, *, at: datetime) -> ReportQuerySet:
        """Reports asked for before an instant, by their merchants' clocks, and still to be made."""
        return self.open().filter(requested_at__lt=at + F("merchant__clock_ahead"))

    def to_expire(self, *, at: datetime) -> ReportQuerySet:
        """Reports whose file is old enough to go, by their merchants' clocks (REPORT-20)."""
        return self.filter(state__in=KEPT, expires_at__lte=at + F("merchant__clock_ahead"))


ReportManager = models.Manager.from_queryset(ReportQuerySet)
