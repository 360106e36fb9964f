"""Alerts: what is amiss, told once until it has ended."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Alert(models.Model):
    """One time that something was amiss (reliability section 5).

    condition: one of ``operators.domain.conditions``. facts: figures that were found, by name.
    seen_at: first found; told_at: when operators were told, null while it may pass by itself.
    ended_at: first found well again. began_posted, ended_posted: the webhook took it.
    """

    condition = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    seen_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    began_posted = models.BooleanField(default=False)
    ended_posted = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_condition_is_told_once_until_it_ends",
                fields=["condition"],
                condition=Q(ended_at=None),
            ),
            models.CheckConstraint(
                name="an_alert_ends_after_it_was_seen",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("seen_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.condition
