"""The tenant."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q

from accounts.models.marketplace import Marketplace


class Merchant(models.Model):
    """A shop: everything it sees and owns hangs on this row."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        UNDER_REVIEW = "under_review", "Under review"
        SUSPENDED = "suspended", "Suspended"
        CLOSED = "closed", "Closed"

    name = models.CharField(max_length=100)  # business name, as on slips
    display_name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, unique=True)
    marketplace = models.ForeignKey(Marketplace, models.PROTECT, related_name="merchants")
    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    address_1 = models.CharField(max_length=180, blank=True)
    address_2 = models.CharField(max_length=180, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2)
    contact_phone = models.CharField(max_length=30, blank=True)
    customer_service_email = models.EmailField(max_length=254, blank=True)
    notification_email = models.EmailField(max_length=254, blank=True)
    notify_sold_ship_now = models.BooleanField(default=True)  # NOTIF-03
    zero_out_inventory = models.BooleanField(default=False)  # CANCEL-10, INVENTORY-06
    handling_business_days = models.PositiveSmallIntegerField(null=True, blank=True)
    returns_policy = models.TextField(blank=True)
    is_sandbox = models.BooleanField(default=False)
    clock_ahead = models.DurationField(default=timedelta(0))
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="only_a_sandbox_clock_runs_ahead",
                condition=Q(clock_ahead=timedelta(0))
                | Q(is_sandbox=True, clock_ahead__gte=timedelta(0)),
            ),
            models.CheckConstraint(
                name="merchant_state_known",
                condition=Q(state__in=["active", "under_review", "suspended", "closed"]),
            ),
        ]

    def __str__(self) -> str:
        return self.display_name
