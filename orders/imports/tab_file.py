"""A tab-delimited file of orders, columns as in the Orders report (tables 5.14a and 5.14b).

Physical lines, no quoting across lines; each order stands alone, and the shop's own order number
makes a second run harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.domain import calendar
from accounts.models import Marketplace, Merchant
from catalog.domain import listings, stock
from catalog.domain.listings import NewListing
from catalog.models import Listing
from core.actor import Actor
from core.instants import read_day, read_instant
from core.money import AmountError, parse_amount, round_half_up
from core.refusal import Refusal
from core.transactions import unit_of_work
from orders.domain import placing
from orders.domain.drafts import ContactDraft, ItemDraft, OrderDraft, problem
from orders.enums import SubType
from orders.imports import lines
from orders.imports.lines import Record, Table
from orders.models import Order

REQUIRED = (
    "order-id", "purchase-date", "buyer-name", "buyer-email", "recipient-name", "ship-address-1",
    "ship-city", "ship-postal-code", "ship-country", "sku", "product-name", "quantity-purchased",
    "item-price",
)  # fmt: skip
OPTIONAL = (
    "payments-date", "ship-service-level", "ship-address-2", "ship-address-3", "ship-state",
    "order-item-id", "shipping-price", "sales-channel", "buyer-phone-number", "currency",
    "item-tax", "shipping-tax", "gift-wrap-price", "gift-wrap-tax", "item-promotion-discount",
    "ship-promotion-discount", "order-sub-type", "is-business-order", "purchase-order-number",
    "is-buyer-requested-cancellation", "order-status", "listing-id", "customization-note",
    "payment-token", "payment-method",
)  # fmt: skip
_AMOUNTS: Mapping[str, str] = {
    "item-price": "item_price",
    "item-tax": "item_tax",
    "gift-wrap-price": "gift_wrap_price",
    "gift-wrap-tax": "gift_wrap_tax",
    "item-promotion-discount": "item_promotion",
    "shipping-price": "shipping_price",
    "shipping-tax": "shipping_tax",
    "ship-promotion-discount": "shipping_promotion",
}
# Columns that belong to one record; the others say the same on every line of an order.
_OF_AN_ITEM = frozenset(
    {"order-item-id", "sku", "product-name", "quantity-purchased", "listing-id",
     "customization-note", "order-status", *_AMOUNTS}
)  # fmt: skip
_LIVE = ("", "pending", "unshipped")  # states in which an order can still be placed
_MOST_STOCK = 2_000_000_000  # units of one listing; what is beyond is out of stock
CHUNK = 200  # orders placed in one transaction


class CellError(ValueError):
    """One value cannot be read; ``str()`` names the column and what it should be.

    line: the line of the file it stands on.
    """

    def __init__(self, record: Record, message: str) -> None:
        super().__init__(message)
        self.line = record.line


@dataclass(slots=True)
class Outcome:
    """What became of one order of the file.

    line: of its first record, or of the one in error; order: its Order ID.
    """

    line: int
    number: str
    order: str = ""
    known: bool = False
    error: str = ""


@dataclass(slots=True)
class Summary:
    placed: int = 0
    known: int = 0
    failed: list[Outcome] = field(default_factory=list)

    def take(self, outcome: Outcome) -> None:
        if outcome.error:
            self.failed.append(outcome)
        elif outcome.known:
            self.known += 1
        else:
            self.placed += 1


def encoding_of(marketplace: Marketplace) -> str:
    """Return how files without a mark are written that are not UTF-8 (FEED-11)."""
    return "cp932" if marketplace.country == "JP" else "cp1252"


def bring_in(
    merchant: Merchant, text: str, *, by: Actor, create_listings: bool = True
) -> Iterator[Outcome]:
    """Place the orders of a file, chunk by chunk; yield what became of each.

    create_listings: products not met before become listings, and stock is raised to what was sold.
    Raises FileError before anything is placed.
    """
    table = lines.table_of(text, required=REQUIRED, optional=OPTIONAL)
    groups = _orders_of(table)
    for start in range(0, len(groups), CHUNK):
        chunk = [
            [table.record(index) for index in group] for group in groups[start : start + CHUNK]
        ]
        yield from _chunk(merchant, chunk, by, create_listings)


def _orders_of(table: Table) -> list[list[int]]:
    """Group records by order, in the order of the file; one without a number stands alone."""
    grouped: dict[str | int, list[int]] = {}
    for index in range(len(table.lines)):
        number = table.record(index).values["order-id"]
        grouped.setdefault(number or index, []).append(index)
    return list(grouped.values())


def _chunk(
    merchant: Merchant, groups: Sequence[list[Record]], by: Actor, create_listings: bool
) -> list[Outcome]:
    outcomes = [Outcome(group[0].line, group[0].values["order-id"]) for group in groups]
    drafts: dict[int, OrderDraft] = {}
    for index, group in enumerate(groups):
        try:
            drafts[index] = draft_of(merchant.marketplace, group)
        except CellError as error:
            outcomes[index].line, outcomes[index].error = error.line, str(error)
    results = _place(merchant, list(drafts.values()), by, create_listings)
    for index, result in zip(drafts, results, strict=True):
        if not isinstance(result, Refusal):
            outcomes[index].order = result.number
        elif result.code == "ALREADY_KNOWN":
            outcomes[index].known = True
        else:
            outcomes[index].line = _line_of(result, groups[index])
            place = f"{result.field}: " if result.field else ""
            outcomes[index].error = place + str(result)
    return outcomes


def _line_of(refusal: Refusal, group: Sequence[Record]) -> int:
    """Return the line a refusal is about: that of the item its field names, else the first."""
    item = re.match(r"items\.([0-9]+)\.", refusal.field)
    return group[int(item[1]) if item else 0].line


@unit_of_work
def _place(
    merchant: Merchant, drafts: Sequence[OrderDraft], by: Actor, create_listings: bool
) -> list[Order | Refusal]:
    """Place orders with the listings and the stock they need, all of it or nothing."""
    if create_listings:
        known = _known(merchant, drafts)
        at = calendar.now_for(merchant)
        sound = [
            draft
            for draft in drafts
            if draft.merchant_order_number not in known
            and problem(draft, merchant.marketplace, at=at) is None
        ]
        _make_room(merchant, sound, at=at)
    return placing.place_orders(merchant_id=merchant.pk, wanted=drafts, by=by)


def _known(merchant: Merchant, drafts: Sequence[OrderDraft]) -> set[str]:
    orders = Order.objects.for_merchant(merchant).filter(
        merchant_order_number__in=[draft.merchant_order_number for draft in drafts]
    )
    return set(orders.values_list("merchant_order_number", flat=True))


def _make_room(merchant: Merchant, drafts: Sequence[OrderDraft], *, at: datetime) -> None:
    """Create listings for products not met before, and units sold beyond the stock we know."""
    wanted: dict[str, NewListing] = {}
    keys = listings.keys_of(item.sku for draft in drafts for item in draft.items)
    for draft in drafts:
        for item in draft.items:
            key = keys[item.sku]
            units = wanted[key].quantity if key in wanted else 0
            price = item.amount("item_price") / max(item.quantity, 1)
            price = round_half_up(price, merchant.marketplace.currency)
            units = min(units + item.quantity, _MOST_STOCK)
            wanted[key] = NewListing(item.sku, item.title or item.sku, price, units)
    there = {
        listing.key: listing  # type: ignore[attr-defined]
        for listing in Listing.objects.for_merchant(merchant)
        .annotate(key=Lower("sku"))
        .filter(key__in=list(wanted))
        .locked()
    }
    new = [listing for key, listing in wanted.items() if key and key not in there]
    listings.create_listings(merchant, new, at=at)
    stock.move(
        {listing.pk: listing for listing in there.values()},
        [
            stock.Movement(listing.pk, None, missing, stock.Cause.IMPORT)
            for key, listing in there.items()
            if (missing := wanted[key].quantity - listing.quantity_available) > 0
        ],
        at=at,
    )


def draft_of(marketplace: Marketplace, group: Sequence[Record]) -> OrderDraft:
    """Return an order's draft from its records. Raises CellError."""
    for record in group:
        if record.problem:
            raise CellError(record, record.problem)
    first = group[0]
    values, get = first.values, first.values.get
    if not values["order-id"]:
        raise CellError(first, _("order-id: this is needed"))
    for record in group[1:]:
        for column, value in record.values.items():
            if column not in _OF_AN_ITEM and value != values[column]:
                raise CellError(record, _("%s: differs from the first line of this order") % column)
    for record in group:
        _insist_on_a_live_order(record)
    if get("currency") and get("currency") != marketplace.currency:
        raise CellError(first, _("currency: must be %s") % marketplace.currency)
    sub_type = _sub_type(first)
    return OrderDraft(
        merchant_order_number=values["order-id"],
        purchased_at=_instant(first, marketplace),
        buyer_name=values["buyer-name"],
        contact=ContactDraft(
            buyer_email=values["buyer-email"],
            buyer_phone=get("buyer-phone-number", ""),
            recipient_name=values["recipient-name"],
            address_1=values["ship-address-1"],
            address_2=get("ship-address-2", ""),
            address_3=get("ship-address-3", ""),
            city=values["ship-city"],
            region=get("ship-state", ""),
            postal_code=values["ship-postal-code"],
            country=values["ship-country"],
        ),
        items=tuple(_item(marketplace, record) for record in group),
        payment_token=get("payment-token") or "ok",
        payment_method=get("payment-method") or "card",
        ship_service_level=_service(first),
        purchase_order_number=get("purchase-order-number", ""),
        sales_channel=get("sales-channel") or "Amazon Checkout",
        is_business=get("is-business-order", "").upper() == "TRUE" or "business" in sub_type,
        is_prime="prime" in sub_type,
    )


def _insist_on_a_live_order(record: Record) -> None:
    """Refuse what is over already: placed anew it would be shipped and charged."""
    status = record.values.get("order-status", "")
    if status.lower() not in _LIVE:
        message = _("order-status: an order that is %s cannot be placed; leave it out")
        raise CellError(record, message % lines.told(status))
    if record.values.get("is-buyer-requested-cancellation", "").upper() == "TRUE":
        raise CellError(
            record,
            _("is-buyer-requested-cancellation: settle this request first, or leave the order out"),
        )


def _sub_type(record: Record) -> str:
    """Return an order's sub type as SubType writes it. Raises CellError."""
    text = record.values.get("order-sub-type", "").lower().replace(" ", "-")
    if text.replace("_", "-") not in ("", *SubType.values):
        raise CellError(record, _("order-sub-type: %s is none") % lines.told(text))
    return text.replace("_", "-")


def _service(record: Record) -> str:
    typed = record.values.get("ship-service-level", "").lower()
    usual = SubType.SECOND_DAY if _sub_type(record) == SubType.SECOND_DAY else "standard"
    return typed or str(usual)


def _item(marketplace: Marketplace, record: Record) -> ItemDraft:
    values = record.values
    quantity = values["quantity-purchased"]
    if not re.fullmatch(r"[0-9]{1,7}", quantity):
        raise CellError(record, _("quantity-purchased: must be a whole number, 1 or more"))
    amounts: dict[str, Decimal] = {}
    for column, component in _AMOUNTS.items():
        if text := values.get(column, ""):
            try:
                amounts[component] = parse_amount(text, marketplace.currency)
            except AmountError:
                message = _("%s: must be an amount, like 349.99") % column
                raise CellError(record, message) from None
    return ItemDraft(
        sku=values["sku"],
        quantity=int(quantity),
        amounts=amounts,
        title=values["product-name"],
        customisation=values.get("customization-note", ""),
    )


def _instant(record: Record, marketplace: Marketplace) -> datetime:
    """Read a day (its local midnight) or an instant with its zone, ISO 8601."""
    text = record.values["purchase-date"]
    try:
        if len(text) > len("yyyy-mm-dd"):
            return read_instant(text)
        return datetime.combine(read_day(text), time(0), marketplace.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        message = _("purchase-date: must be yyyy-mm-dd, or an instant with its zone")
        raise CellError(record, message) from None
