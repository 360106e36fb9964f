"""The second step of signing in: an app's codes, and codes on paper for who lost the app."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SecondFactor(models.Model):
    """A person's authenticator app, once its first code was confirmed.

    secret: sealed by ``core.sealing``.
    last_counter: the time step of the last code taken; that code and older ones are used up.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="second_factor"
    )
    secret = models.CharField(max_length=250)
    last_counter = models.BigIntegerField()
    confirmed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"


class RecoveryCode(models.Model):
    """One of ten codes that stand for a code of the app, each once; kept as its SHA-256."""

    factor = models.ForeignKey(SecondFactor, models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField(max_length=32, unique=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"recovery code of {self.factor_id}"
