"""The tenant."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models.marketplace import Marketplace

MOST_HANDLING_DAYS = 30
MOST_ADDRESSES = 10
FURTHEST_AHEAD = timedelta(days=3660)  # how far a sandbox's clock may run ahead


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
    customer_service_hours = models.CharField(max_length=200, blank=True)
    customer_service_email = models.EmailField(max_length=254, blank=True)  # buyers' answers
    notification_emails = ArrayField(models.EmailField(max_length=254), default=list, blank=True)
    claim_email = models.EmailField(max_length=254, blank=True)  # claims and warnings
    notify_sold_ship_now = models.BooleanField(default=True)  # NOTIF-03
    second_step_required = models.BooleanField(default=False, db_default=False)  # SD-09
    zero_out_inventory = models.BooleanField(default=False)  # CANCEL-10, INVENTORY-06
    handling_business_days = models.PositiveSmallIntegerField(null=True, blank=True)
    list_page_size = models.PositiveSmallIntegerField(default=25)  # until a member chooses
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
                name="a_sandbox_clock_stays_within_ten_years",
                condition=Q(clock_ahead__lte=FURTHEST_AHEAD),
            ),
            models.CheckConstraint(
                name="merchant_state_known",
                condition=Q(state__in=["active", "under_review", "suspended", "closed"]),
            ),
            models.CheckConstraint(
                name="merchant_page_size_offered", condition=Q(list_page_size__in=[25, 50, 100])
            ),
            models.CheckConstraint(
                name="merchant_handles_within_thirty_days",
                condition=Q(handling_business_days=None)
                | Q(handling_business_days__lte=MOST_HANDLING_DAYS),
            ),
            models.CheckConstraint(
                name="merchant_is_told_at_ten_addresses",
                condition=Q(notification_emails__len__lte=MOST_ADDRESSES),
            ),
        ]

    def __str__(self) -> str:
        return self.display_name
