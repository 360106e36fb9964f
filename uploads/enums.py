"""Kinds of order related files, their states, and the words on screen for them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.permissions import Function


class Feed(models.TextChoices):
    """One kind of file; the values stand in addresses (requirements section 10)."""

    SHIPPING = "shipping-confirmation", _("Shipping Confirmation")
    CANCELLATION = "order-cancellation", _("Order Cancellation")
    ADJUSTMENTS = "adjustments", _("Adjustments")


# What a person needs beside the right to upload (FEED-38).
FUNCTIONS: Mapping[Feed, Function] = {
    Feed.SHIPPING: Function.CONFIRM_SHIPMENTS,
    Feed.CANCELLATION: Function.CANCEL_ORDERS,
    Feed.ADJUSTMENTS: Function.REFUND_ORDERS,
}


# What the pages of each kind are called among addresses.
NAMES: Mapping[Feed, str] = {
    Feed.SHIPPING: "shipping",
    Feed.CANCELLATION: "cancellation",
    Feed.ADJUSTMENTS: "adjustments",
}


class UploadState(models.TextChoices):
    """Where an upload stands (FEED-13); a check ends as CHECKED and may be applied later."""

    SUBMITTED = "submitted", _("Submitted")
    IN_PROGRESS = "in_progress", _("In progress")
    DONE = "done", _("Done")
    DONE_WITH_ERRORS = "done_with_errors", _("Done with errors")
    FAILED = "failed", _("Failed")
    CHECKED = "checked", _("Checked, not applied")


OPEN_STATES = (UploadState.SUBMITTED, UploadState.IN_PROGRESS)
