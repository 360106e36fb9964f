"""Keys by which a merchant's programs sign in to the JSON API."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.models.merchant import Merchant


class ApiKey(models.Model):
    """A key of a merchant; the secret itself is kept only as its SHA-256 (IMPL-13).

    levels: level by function, as ``accounts.permissions.Level`` (MWS-13).
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12, unique=True)  # public part, shown in lists and logs
    digest = models.BinaryField(max_length=32, unique=True)
    levels = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
