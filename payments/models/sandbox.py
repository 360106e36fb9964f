"""The books of the embedded sandbox gateway; nothing but that gateway reads them."""

from __future__ import annotations

from django.db import models


class SandboxEntry(models.Model):
    """One act the sandbox gateway carried out or declined, under the key it was asked with."""

    key = models.UUIDField(unique=True)
    act = models.CharField(max_length=9)
    token = models.CharField(max_length=100)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    succeeded = models.BooleanField()
    code = models.CharField(max_length=40, blank=True)
    reference = models.CharField(max_length=60)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.act} {self.reference}"
