"""The policy an order is placed under."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Marketplace(models.Model):
    """A policy set (requirements section 3); values an order depends on are copied to the order."""

    class DeadlineBasis(models.TextChoices):
        PURCHASE = "purchase"
        EXPECTED_SHIP_DATE = "expected_ship_date"

    class ContactMode(models.TextChoices):
        DIRECT = "direct"
        RELAY = "relay"

    class PaperSize(models.TextChoices):
        A4 = "a4", "A4"
        LETTER = "letter", "US Letter"

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    country = models.CharField(max_length=2)
    language = models.CharField(max_length=10)
    time_zone = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    deadline_basis = models.CharField(max_length=20, choices=DeadlineBasis)
    deadline_days = models.PositiveSmallIntegerField()
    email_warning_lead_days = models.PositiveSmallIntegerField()
    page_warning_lead_days = models.PositiveSmallIntegerField()
    handling_business_days = models.PositiveSmallIntegerField()
    pending_in_default_list = models.BooleanField()
    buyer_edit_window_minutes = models.PositiveSmallIntegerField()
    buyer_cancel_response_hours = models.PositiveSmallIntegerField()
    dispute_response_business_days = models.PositiveSmallIntegerField()
    buyer_email_mode = models.CharField(max_length=6, choices=ContactMode)
    buyer_phone_mode = models.CharField(max_length=6, choices=ContactMode)
    redirect_by_message = models.BooleanField()
    payment_methods = ArrayField(models.CharField(max_length=20))
    advance_payment_days = models.PositiveSmallIntegerField(null=True, blank=True)
    pending_timeout_days = models.PositiveSmallIntegerField()
    cancel_rate_threshold = models.DecimalField(max_digits=5, decimal_places=2)
    business_weekdays = ArrayField(models.PositiveSmallIntegerField())  # Monday is 0
    commission_percent = models.DecimalField(max_digits=5, decimal_places=2)
    settlement_days = models.PositiveSmallIntegerField()
    paper_size = models.CharField(max_length=6, choices=PaperSize)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="marketplace_warns_within_the_deadline",
                condition=Q(email_warning_lead_days__lte=models.F("deadline_days"))
                & Q(page_warning_lead_days__lte=models.F("deadline_days")),
            ),
            models.CheckConstraint(
                name="marketplace_commission_is_a_percentage",
                condition=Q(commission_percent__gte=0, commission_percent__lte=100),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def local_date(self, instant: datetime) -> date:
        """Return the calendar day of an instant in this marketplace."""
        return instant.astimezone(self.zone).date()


class Holiday(models.Model):
    """A day that is no business day in a marketplace."""

    marketplace = models.ForeignKey(Marketplace, models.PROTECT, related_name="holidays")
    date = models.DateField()
    name = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="one_holiday_a_day", fields=["marketplace", "date"])
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"
