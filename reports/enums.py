"""Codes of order reports and the words on screen for them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReportKind(models.TextChoices):
    ORDERS = "orders", _("Orders")
    UNSHIPPED = "unshipped", _("Unshipped orders")


class Origin(models.TextChoices):
    REQUESTED = "requested", _("Requested")
    SCHEDULED = "scheduled", _("Scheduled")
    API = "api", _("API")


class ReportState(models.TextChoices):
    SUBMITTED = "submitted", _("Submitted")
    IN_PROGRESS = "in_progress", _("In progress")
    READY = "ready", _("Ready")
    NO_DATA = "no_data", _("No data")
    FAILED = "failed", _("Failed")
    EXPIRED = "expired", _("Expired")


OPEN = (ReportState.SUBMITTED, ReportState.IN_PROGRESS)
KEPT = (ReportState.READY, ReportState.NO_DATA)  # those with a file


class Failure(models.TextChoices):
    """Why a report could not be made."""

    NO_ROOM = "no_room", _("There was no room for the file.")
    TOO_LONG = "too_long", _("It took too long.")
    DIED = "died", _("It was interrupted every time.")
    INTERNAL = "internal", _("Something went wrong on our side.")


class Period(models.IntegerChoices):
    """How often a scheduled report is made, in minutes (REPORT-04)."""

    MINUTES_15 = 15, _("Every 15 minutes")
    MINUTES_30 = 30, _("Every 30 minutes")
    HOUR_1 = 60, _("Every hour")
    HOURS_2 = 120, _("Every 2 hours")
    HOURS_4 = 240, _("Every 4 hours")
    HOURS_8 = 480, _("Every 8 hours")
    HOURS_12 = 720, _("Every 12 hours")
    DAY_1 = 1440, _("Every day")
    DAYS_2 = 2880, _("Every 2 days")
    DAYS_3 = 4320, _("Every 3 days")
    DAYS_7 = 10080, _("Every 7 days")
    DAYS_14 = 20160, _("Every 14 days")
    DAYS_15 = 21600, _("Every 15 days")
    DAYS_30 = 43200, _("Every 30 days")


DAYS = (1, 3, 7, 15, 30, 60, 90)  # ranges to choose from (REPORT-02)

# Columns that an account can switch on, in the order in which they follow (table 5.14b).
EXTRA_COLUMNS = (
    "buyer-phone-number",
    "currency",
    "item-tax",
    "shipping-tax",
    "gift-wrap-price",
    "gift-wrap-tax",
    "item-promotion-discount",
    "ship-promotion-discount",
    "order-sub-type",
    "is-business-order",
    "purchase-order-number",
    "is-buyer-requested-cancellation",
    "order-status",
    "listing-id",
    "customization-note",
)
STATUS_COLUMN = "order-status"
