"""Invitations to work for a merchant."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.merchant import Merchant
from accounts.permissions import Preset


class Invitation(models.Model):
    """A place at a merchant that is offered to whoever reads the mail of one address.

    serial: counts up with each sending; only the link of the last one works.
    ends_at: by the merchant's clock; 7 days after the last sending (PERMISSION-01).
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="invitations")
    email = models.EmailField(max_length=254)
    preset = models.CharField(max_length=20, choices=Preset)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    serial = models.PositiveIntegerField(default=1)
    sent_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.F("merchant"),
                models.functions.Lower("email"),
                name="one_open_invitation_an_address",
                condition=Q(accepted_at=None, withdrawn_at=None),
            ),
            models.CheckConstraint(
                name="an_invitation_ends_one_way",
                condition=Q(accepted_at=None) | Q(withdrawn_at=None),
            ),
            models.CheckConstraint(
                name="invitation_preset_known", condition=Q(preset__in=Preset.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.merchant_id}"
