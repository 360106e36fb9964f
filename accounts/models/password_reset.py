"""Links to a new password that are owed to people who forgot theirs."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class PasswordReset(models.Model):
    """A person's last wish for a new password; the link itself is made only when it is sent.

    due_at: when the mail may be tried, or tried again.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user_id} at {self.asked_at}"
