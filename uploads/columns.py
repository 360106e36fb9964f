"""The columns of each kind of file: for reading, for templates and for their definitions.

Source: FEED-20, FEED-28, FEED-32; integration 4.1 to 4.3 for the other names that tools send.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from uploads.enums import Feed


@dataclass(frozen=True, slots=True)
class Column:
    """name: as in the file; most: characters a value may have; example: for the template."""

    name: str
    meaning: str | Promise
    most: int = 50
    required: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a kind of file looks.

    marker: what its first row says it is. others: names other programs' templates give that marker.
    aliases: other names of columns. ignored: columns that tools send and nothing reads.
    """

    marker: str
    others: tuple[str, ...]
    columns: tuple[Column, ...]
    aliases: Mapping[str, str]
    ignored: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


VERSION = "1.0"
REMARK = "Leave this row unchanged"

_ORDER = Column(
    "order-id",
    _("The Order ID, as in the Orders report"),
    most=19,
    required=True,
    example="203-7719304-1184526",
)
_ITEM = Column(
    "order-item-id",
    _("The item's own number, as in the Orders report"),
    most=19,
    example="203-7719304-4410034",
)

_SHIPPING = Layout(
    marker="ShippingConfirmation",
    others=("OrderFulfillment",),
    columns=(
        _ORDER,
        _ITEM,
        Column(
            "quantity", _("Units in this parcel; needed when an order is split"), 9, example="1"
        ),
        Column(
            "ship-date",
            _("The day the parcel left, yyyy-mm-dd"),
            most=35,
            required=True,
            example="2026-12-08",
        ),
        Column("carrier-code", _("A carrier of the list, or Other"), example="Royal Mail"),
        Column("carrier-name", _("The carrier's name; needed with Other")),
        Column("tracking-number", _("The parcel's tracking ID"), example="QT273700114GB"),
        Column("ship-method", _("The carrier's service"), example="Standard"),
    ),
    aliases={},
    ignored=frozenset({"cod-collection-method", "transparency_code"}),
)
_CANCELLATION = Layout(
    marker="OrderCancellation",
    others=(),
    columns=(
        _ORDER,
        Column("cancellation-reason-code", _("Why the order is cancelled"), example="NoInventory"),
        Column("order-item-id", _("Only if all items of the order are named"), most=19),
    ),
    aliases={"amazon-order-item-code": "order-item-id"},
    ignored=frozenset({"merchant-order-id"}),
)
_AMOUNTS = (
    ("item-price-adj", _("What the buyer gets back of the item price")),
    ("item-tax-adj", _("What the buyer gets back of the item tax")),
    ("shipping-price-adj", _("What the buyer gets back of the shipping price")),
    ("shipping-tax-adj", _("What the buyer gets back of the shipping tax")),
    ("gift-wrap-price-adj", _("What the buyer gets back of the gift wrap price")),
    ("gift-wrap-tax-adj", _("What the buyer gets back of the gift wrap tax")),
)
_ADJUSTMENTS = Layout(
    marker="Adjustments",
    others=("PaymentAdjustment",),
    columns=(
        _ORDER,
        _ITEM,
        Column("adjustment-reason-code", _("Why money is given back"), example="CustomerReturn"),
        Column("currency", _("The order's currency, or nothing"), 3, example="GBP"),
        *(
            Column(name, meaning, 20, example="12.99" if name == "item-price-adj" else "")
            for name, meaning in _AMOUNTS
        ),
        Column("item-promotion-adj", _("What is taken back of the item's discount"), 20),
        Column("item-promotion-id", _("The discount's name; not needed"), 80),
        Column("ship-promotion-adj", _("What is taken back of the shipping discount"), 20),
        Column("ship-promotion-id", _("The discount's name; not needed"), 80),
    ),
    aliases={},
    ignored=frozenset({"quantity-cancelled"}),
)
LAYOUTS: Mapping[Feed, Layout] = {
    Feed.SHIPPING: _SHIPPING,
    Feed.CANCELLATION: _CANCELLATION,
    Feed.ADJUSTMENTS: _ADJUSTMENTS,
}

# The amounts of an adjustment and the components of an item they are about.
COMPONENT_OF: Mapping[str, str] = {
    "item-price-adj": "item_price",
    "item-tax-adj": "item_tax",
    "shipping-price-adj": "shipping_price",
    "shipping-tax-adj": "shipping_tax",
    "gift-wrap-price-adj": "gift_wrap_price",
    "gift-wrap-tax-adj": "gift_wrap_tax",
    "item-promotion-adj": "item_promotion",
    "ship-promotion-adj": "shipping_promotion",
}


def marker_row(feed: Feed) -> str:
    """Return the first row of a template (FEED-08)."""
    return f"TemplateType={LAYOUTS[feed].marker}\tVersion={VERSION}\t{REMARK}"
