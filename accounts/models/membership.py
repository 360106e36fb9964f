"""Who works for a merchant, and what each may do."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.merchant import Merchant
from accounts.permissions import Function, Level, Preset


class Membership(models.Model):
    """One person's place at one merchant, with the choices remembered for them."""

    class Density(models.TextChoices):
        STANDARD = "standard", "Standard"
        COMPACT = "compact", "Compact"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="memberships")
    is_owner = models.BooleanField(default=False)
    preset = models.CharField(max_length=20, choices=Preset, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    list_page_size = models.PositiveSmallIntegerField(null=True)  # None: the account's
    list_density = models.CharField(max_length=8, choices=Density, default=Density.STANDARD)
    last_carrier = models.CharField(max_length=30, blank=True)
    paper_size = models.CharField(max_length=6, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_membership_per_person", fields=["user", "merchant"]),
            models.CheckConstraint(
                name="membership_page_size_offered", condition=Q(list_page_size__in=[25, 50, 100])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.merchant}"

    @property
    def page_size(self) -> int:
        """How many orders a page of the list shows: the member's choice, else the account's."""
        return self.list_page_size or self.merchant.list_page_size


class Grant(models.Model):
    """What a member may do with one function; no row means none."""

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="grants")
    function = models.CharField(max_length=30, choices=Function)
    level = models.PositiveSmallIntegerField(choices=Level)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_level_per_function", fields=["membership", "function"]
            ),
            models.CheckConstraint(name="grant_level_known", condition=Q(level__in=[1, 2])),
        ]

    def __str__(self) -> str:
        return f"{self.function} {self.level}"
