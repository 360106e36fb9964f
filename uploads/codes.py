"""Codes of the processing report (requirements section 11): one table for reports, pages, help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from uploads.enums import Feed


class Kind(models.TextChoices):
    """error: the record was not processed; warning: it was, perhaps not as intended (FEED-17)."""

    ERROR = "error", _("error")
    WARNING = "warning", _("warning")


@dataclass(frozen=True, slots=True)
class Code:
    """number: as the report names it; feeds: where it occurs; remedy: what to do about it."""

    number: int
    kind: Kind
    feeds: tuple[Feed, ...]
    meaning: str | Promise
    remedy: str | Promise


E, W = Kind.ERROR, Kind.WARNING
ALL = tuple(Feed)
SHIP, CANCEL, ADJUST = (Feed.SHIPPING,), (Feed.CANCELLATION,), (Feed.ADJUSTMENTS,)

_TABLE = (
    Code(1001, E, ALL, _("File is empty"), _("Fill in the template and upload it.")),
    Code(
        1002,
        E,
        ALL,
        _("File too large or too many records"),
        _("Split it: at most 10 MB and 50,000 records in one file."),
    ),
    Code(
        1003,
        E,
        ALL,
        _("Not tab-delimited text"),
        _("Save the worksheet as tab-delimited text and upload that file."),
    ),
    Code(
        1004,
        E,
        ALL,
        _("Field names missing or unknown in line 2"),
        _("Take the field names from the template; leave its first two rows as they are."),
    ),
    Code(
        1005,
        E,
        ALL,
        _("Template of another file type"),
        _("Upload the file under the tab of its own kind."),
    ),
    Code(
        1090,
        W,
        ALL,
        _("Marker row missing; record 1 is line 2"),
        _("Nothing needs to be done; record numbers count from line 2."),
    ),
    Code(1101, E, ALL, _("order-id missing"), _("Enter the Order ID.")),
    Code(
        1102,
        E,
        ALL,
        _("order-id not in 3-7-7 form"),
        _("Enter it with hyphens, as in the Orders report; set the column to text."),
    ),
    Code(
        1103,
        E,
        ALL,
        _("Order not found"),
        _("Check the Order ID against the Orders report."),
    ),
    Code(
        1104,
        E,
        ALL,
        _("order-item-id does not belong to the order"),
        _("Take order-item-id from the same line of the Orders report."),
    ),
    Code(
        1105,
        E,
        ALL,
        _("Same record earlier in this file; not executed again"),
        _("Nothing needs to be done unless the act was meant twice."),
    ),
    Code(1106, E, ALL, _("Order is pending"), _("Wait until the payment is verified.")),
    Code(
        1107,
        E,
        (Feed.SHIPPING, Feed.ADJUSTMENTS),
        _("Order is cancelled"),
        _("Do not ship it; a cancelled order was never charged."),
    ),
    Code(
        1108,
        E,
        ALL,
        _("More values than columns"),
        _("Remove tabs inside cells and anything right of the last column."),
    ),
    Code(1109, E, ALL, _("Value too long"), _("Shorten it.")),
    Code(1110, E, ALL, _("No permission for this action"), _("Ask the account owner.")),
    Code(
        1111,
        E,
        ALL,
        _("Order was changed by someone else at the same time"),
        _("Upload this record again."),
    ),
    Code(
        1112,
        E,
        ALL,
        _("Internal failure, nothing was done for this record"),
        _("Upload it again; if it fails again, give support the reference."),
    ),
    Code(
        1113,
        E,
        ALL,
        _("Characters of this record are not readable in the file's encoding"),
        _("Save the file as UTF-8 and upload this record again."),
    ),
    Code(
        1114,
        E,
        ALL,
        _("A confirmation of this order is in progress"),
        _("Look at the order in a minute; upload this record again if it is still needed."),
    ),
    Code(2001, E, SHIP, _("ship-date missing"), _("Enter the day the parcel left.")),
    Code(2002, E, SHIP, _("ship-date not yyyy-mm-dd"), _("Write it like 2026-12-08.")),
    Code(
        2003,
        E,
        SHIP,
        _("ship-date in the future"),
        _("Confirm when the parcel has left, with that day."),
    ),
    Code(2004, E, SHIP, _("ship-date before purchase"), _("Enter the day the parcel left.")),
    Code(
        2005,
        E,
        SHIP,
        _("quantity is not a whole number of 1 or more"),
        _("Enter a whole number, or leave it out for all that remains."),
    ),
    Code(
        2006,
        E,
        SHIP,
        _("quantity above what is left to ship"),
        _("Lower it; units confirmed before count."),
    ),
    Code(
        2007,
        E,
        SHIP,
        _("order-item-id and quantity needed when splitting"),
        _("Give both for each parcel, or only the order-id for everything that remains."),
    ),
    Code(
        2008,
        E,
        SHIP,
        _("Order or item already fully confirmed"),
        _("Nothing is left to confirm; remove the record."),
    ),
    Code(2010, E, SHIP, _("carrier-name needed with Other"), _("Enter the carrier's name.")),
    Code(
        2011,
        E,
        SHIP,
        _("Charge failed; not recorded"),
        _("Do not ship yet; the buyer is asked to update the payment."),
    ),
    Code(
        2012,
        E,
        SHIP,
        _("Confirmation period ended"),
        _("The order is being cancelled; do not ship it."),
    ),
    Code(
        2090,
        W,
        SHIP,
        _("Unknown carrier-code, stored as Other"),
        _("Take carrier-code from the list in the template."),
    ),
    Code(2091, W, SHIP, _("Existing package corrected"), _("Nothing needs to be done.")),
    Code(
        3001,
        E,
        CANCEL,
        _("Order has shipped, fully or in part"),
        _("Refund what was not sent, or the whole order."),
    ),
    Code(
        3002,
        E,
        CANCEL,
        _("Unknown cancellation-reason-code"),
        _("Take the reason from the list in the template."),
    ),
    Code(
        3003,
        E,
        CANCEL,
        _("Single items cannot be cancelled"),
        _("Confirm the rest of the order and refund the item, or name all items."),
    ),
    Code(3004, E, CANCEL, _("Order is already cancelled"), _("Remove the record.")),
    Code(
        3090,
        W,
        CANCEL,
        _("No reason given; GeneralAdjustment used"),
        _("Give a reason next time; it counts in your metrics."),
    ),
    Code(
        4001,
        E,
        ADJUST,
        _("Unknown adjustment-reason-code"),
        _("Take the reason from the list in the template."),
    ),
    Code(
        4002,
        E,
        ADJUST,
        _("Amount malformed"),
        _("Write digits and a point, like 12.99, with the currency's decimals."),
    ),
    Code(
        4003, E, ADJUST, _("Amount negative"), _("Write what the buyer gets back, without a minus.")
    ),
    Code(4004, E, ADJUST, _("Amount above what remains"), _("Lower it to the maximum named.")),
    Code(
        4005,
        E,
        ADJUST,
        _("Currency differs from the order's"),
        _("Use the order's currency, or leave the cell empty."),
    ),
    Code(
        4006, E, ADJUST, _("Buyer not charged yet; cancel instead"), _("Cancel the order instead.")
    ),
    Code(4007, E, ADJUST, _("Nothing left to refund"), _("Remove the record.")),
    Code(
        4008,
        E,
        ADJUST,
        _("Promotion not on this order"),
        _("Leave the promotion columns empty."),
    ),
    Code(
        4009,
        E,
        ADJUST,
        _("Gateway refused the refund"),
        _("Settle it with the buyer in another way, or try again later."),
    ),
    Code(4010, E, ADJUST, _("All amounts are zero"), _("Enter at least one amount.")),
    Code(
        4090,
        W,
        ADJUST,
        _("No reason given; GeneralAdjustment used"),
        _("Give a reason next time."),
    ),
)
CODES: Mapping[int, Code] = {code.number: code for code in _TABLE}

# What the order desk's refusals are called in reports; those that depend on the feed follow.
_OF_REFUSALS: Mapping[str, int] = {
    "NOT_FOUND": 1103,
    "ORDER_PENDING": 1106,
    "ORDER_CANCELLED": 1107,
    "PERMISSION_DENIED": 1110,
    "PLATFORM_FULFILLED": 1110,
    "ACCOUNT_SUSPENDED": 1110,
    "STALE_ORDER": 1111,
    "CONFIRMATION_IN_PROGRESS": 1114,
    "CONFIRMATION_PERIOD_ENDED": 2012,
    "PAYMENT_CAPTURE_FAILED": 2011,
    "QUANTITY_EXCEEDED": 2006,
    "NOT_CHARGED": 4006,
    "USE_CANCEL": 4006,
    "REFUND_LIMIT": 4004,
}
_OF_REFUSALS_IN: Mapping[tuple[Feed, str], int] = {
    (Feed.SHIPPING, "ORDER_ALREADY_SHIPPED"): 2008,
    (Feed.CANCELLATION, "ORDER_ALREADY_SHIPPED"): 3001,
    (Feed.CANCELLATION, "ORDER_PARTIALLY_SHIPPED"): 3001,
    (Feed.CANCELLATION, "ORDER_CANCELLED"): 3004,
}
UNEXPECTED = 1111  # a refusal that no record can cause by itself: the order has moved on


def code_of(feed: Feed, refusal: str) -> int:
    """Return the number under which a feed reports a refusal of the order desk."""
    return _OF_REFUSALS_IN.get((feed, refusal)) or _OF_REFUSALS.get(refusal, UNEXPECTED)


def kind_of(number: int) -> Kind:
    return CODES[number].kind
