"""What buyers are told about a merchant: its policies, and its logo."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models.merchant import Merchant

MOST_LETTERS = 10_000  # of one policy
LOGO_WIDTH, LOGO_HEIGHT = 600, 200  # pixels at most: enough for paper


class Profile(models.Model):
    """The texts of a merchant, with limited mark-up as typed (``core.markup``), read by buyers.

    No row means that nothing was written yet. ``version`` counts changes of texts and logo.
    """

    merchant = models.OneToOneField(Merchant, models.CASCADE, primary_key=True)
    about = models.CharField(max_length=MOST_LETTERS, blank=True)
    returns = models.CharField(max_length=MOST_LETTERS, blank=True)
    shipping = models.CharField(max_length=MOST_LETTERS, blank=True)
    gift_services = models.CharField(max_length=MOST_LETTERS, blank=True)
    privacy = models.CharField(max_length=MOST_LETTERS, blank=True)
    faq = models.CharField(max_length=MOST_LETTERS, blank=True)
    version = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"Profile of {self.merchant}"


class Logo(models.Model):
    """A merchant's logo: a PNG drawn by us, where every web process finds it."""

    merchant = models.OneToOneField(Merchant, models.CASCADE, primary_key=True)
    digest = models.CharField(max_length=32)  # of the picture; part of its address
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    picture = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_logo_stays_within_its_frame",
                condition=Q(width__lte=LOGO_WIDTH, height__lte=LOGO_HEIGHT),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.width} × {self.height} pixels, {self.digest[:8]}"
