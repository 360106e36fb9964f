"""Wishes for another e-mail address to sign in with."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class EmailChange(models.Model):
    """A new address that its owner has to confirm; the last one asked for counts.

    old_email: where the note about the change goes.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    old_email = models.EmailField(max_length=254)
    new_email = models.EmailField(max_length=254)
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_open_change_of_address",
                fields=["user"],
                condition=Q(confirmed_at=None, replaced_at=None),
            ),
            models.CheckConstraint(
                name="a_change_of_address_ends_one_way",
                condition=Q(confirmed_at=None) | Q(replaced_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"change of {self.user_id}"
