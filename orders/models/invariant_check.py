"""What the daily look at the invariants found; the operator's page shows it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class InvariantCheck(models.Model):
    """One run over all data (reliability section 6).

    violations: by name of the check, a few of the rows that should not be: merchant, order, what.
    sums: of each merchant: orders, charged, refunded, as text.
    """

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    checks = models.PositiveSmallIntegerField()
    violations = models.JSONField(default=dict)
    sums = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_check_ends_after_it_began", condition=Q(finished_at__gte=F("started_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d}: {'holds' if self.holds else 'violated'}"

    @property
    def holds(self) -> bool:
        return not self.violations
