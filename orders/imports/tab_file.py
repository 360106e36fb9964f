"""A tab-delimited file of orders, columns as in the Orders report (tables 5.14a and 5.14b).

Physical lines, no quoting across lines; each order stands alone, and the shop's own order number
makes a second run harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.models import Marketplace, Merchant
from catalog.domain import listings, stock
from catalog.domain.listings import NewListing
from catalog.models import Listing
from core import clock
from core.actor import Actor
from core.instants import read_day, read_instant
from core.money import AmountError, parse_amount, round_half_up
from core.refusal import Refusal
from orders.domain import placing
from orders.domain.drafts import ContactDraft, ItemDraft, OrderDraft
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
CHUNK = 200  # orders placed in one transaction

Row = Mapping[str, str]


class FileError(ValueError):
    """The file as a whole cannot be read; ``str()`` says why."""


class CellError(ValueError):
    """One value cannot be read; ``str()`` names the column and what it should be."""


@dataclass(slots=True)
class Outcome:
    """What became of one order of the file. line: of its first item; order: its Order ID."""

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


def decode(data: bytes) -> str:
    """Decode a file: a byte-order mark decides, else UTF-8, else Windows-1252."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def rows_of(text: str) -> list[tuple[int, Row]]:
    """Return (line number, values by column) of each record. Raises FileError."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines or not lines[0].strip():
        raise FileError(_("The file is empty."))
    names = [name.strip().lower() for name in lines[0].split("\t")]
    while names and not names[-1]:
        names.pop()
    unknown = sorted(set(names) - {*REQUIRED, *OPTIONAL})
    missing = [name for name in REQUIRED if name not in names]
    if unknown or missing or len(set(names)) != len(names):
        raise FileError(
            _("The first line must name the columns. Missing: %(missing)s. Unknown: %(unknown)s.")
            % {"missing": ", ".join(missing) or "–", "unknown": ", ".join(unknown) or "–"}
        )
    rows: list[tuple[int, Row]] = []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            cells = [_unquoted(cell.strip()) for cell in line.split("\t")]
            cells += [""] * (len(names) - len(cells))
            rows.append((number, dict(zip(names, cells, strict=False))))
    return rows


def orders_of(rows: Iterable[tuple[int, Row]]) -> list[tuple[int, str, list[Row]]]:
    """Group records by order, in the order of the file: (first line, order number, items)."""
    grouped: dict[str, tuple[int, list[Row]]] = {}
    for number, row in rows:
        grouped.setdefault(row["order-id"], (number, []))[1].append(row)
    return [(line, number, items) for number, (line, items) in grouped.items()]


def bring_in(
    merchant: Merchant, text: str, *, by: Actor, create_listings: bool = True
) -> Iterator[Outcome]:
    """Place the orders of a file, chunk by chunk; yield what became of each.

    create_listings: products not met before become listings, and stock is raised to what was sold.
    Raises FileError before anything is placed.
    """
    groups = orders_of(rows_of(text))
    for start in range(0, len(groups), CHUNK):
        yield from _chunk(merchant, groups[start : start + CHUNK], by, create_listings)


def _chunk(
    merchant: Merchant,
    groups: Sequence[tuple[int, str, list[Row]]],
    by: Actor,
    create_listings: bool,
) -> list[Outcome]:
    outcomes = [Outcome(line, number) for line, number, _items in groups]
    drafts: dict[int, OrderDraft] = {}
    known = set(
        Order.objects.for_merchant(merchant)
        .filter(merchant_order_number__in=[number for _line, number, _items in groups])
        .values_list("merchant_order_number", flat=True)
    )
    for index, (_line, number, items) in enumerate(groups):
        if number in known:
            outcomes[index].known = True
            continue
        try:
            drafts[index] = draft_of(merchant.marketplace, number, items)
        except CellError as error:
            outcomes[index].error = str(error)
    if create_listings:
        _make_room(merchant, list(drafts.values()))
    results = placing.place_orders(merchant_id=merchant.pk, wanted=list(drafts.values()), by=by)
    for index, result in zip(drafts, results, strict=True):
        if not isinstance(result, Refusal):
            outcomes[index].order = result.number
        elif result.code == "ALREADY_KNOWN":
            outcomes[index].known = True
        else:
            place = f"{result.field}: " if result.field else ""
            outcomes[index].error = place + str(result)
    return outcomes


@transaction.atomic
def _make_room(merchant: Merchant, drafts: Sequence[OrderDraft]) -> None:
    """Create listings for products not met before, and units sold beyond the stock we know."""
    wanted: dict[str, NewListing] = {}
    for draft in drafts:
        for item in draft.items:
            key = item.sku.lower()
            units = wanted[key].quantity if key in wanted else 0
            price = item.amount("item_price") / max(item.quantity, 1)
            price = round_half_up(price, merchant.marketplace.currency)
            wanted[key] = NewListing(item.sku, item.title or item.sku, price, units + item.quantity)
    at = clock.now() + merchant.clock_ahead
    there = {
        listing.sku.lower(): listing
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


def draft_of(marketplace: Marketplace, number: str, items: Sequence[Row]) -> OrderDraft:
    """Return an order's draft from its records. Raises CellError."""
    first = items[0]
    get = first.get
    if not number:
        raise CellError(_("order-id: this is needed"))
    if get("currency") and get("currency") != marketplace.currency:
        raise CellError(_("currency: must be %s") % marketplace.currency)
    return OrderDraft(
        merchant_order_number=number,
        purchased_at=_instant(first["purchase-date"], marketplace),
        buyer_name=first["buyer-name"],
        contact=ContactDraft(
            buyer_email=first["buyer-email"],
            buyer_phone=get("buyer-phone-number", ""),
            recipient_name=first["recipient-name"],
            address_1=first["ship-address-1"],
            address_2=get("ship-address-2", ""),
            address_3=get("ship-address-3", ""),
            city=first["ship-city"],
            region=get("ship-state", ""),
            postal_code=first["ship-postal-code"],
            country=first["ship-country"],
        ),
        items=tuple(_item(marketplace, row) for row in items),
        payment_token=get("payment-token") or "ok",
        payment_method=get("payment-method") or "card",
        ship_service_level=(get("ship-service-level") or "standard").lower(),
        purchase_order_number=get("purchase-order-number", ""),
        sales_channel=get("sales-channel") or "Amazon Checkout",
        is_business=get("is-business-order", "").upper() == "TRUE",
        is_prime="prime" in get("order-sub-type", "").lower(),
    )


def _item(marketplace: Marketplace, row: Row) -> ItemDraft:
    quantity = row["quantity-purchased"]
    if not (quantity.isascii() and quantity.isdigit() and 1 <= len(quantity) <= 7):
        raise CellError(_("quantity-purchased: must be a whole number, 1 or more"))
    amounts: dict[str, Decimal] = {}
    for column, component in _AMOUNTS.items():
        if text := row.get(column, ""):
            try:
                amounts[component] = parse_amount(text, marketplace.currency)
            except AmountError:
                raise CellError(_("%s: must be an amount, like 349.99") % column) from None
    return ItemDraft(
        sku=row["sku"],
        quantity=int(quantity),
        amounts=amounts,
        title=row["product-name"],
        customisation=row.get("customization-note", ""),
    )


def _instant(text: str, marketplace: Marketplace) -> datetime:
    """Read a day (its local midnight) or an instant with its zone, ISO 8601."""
    try:
        if len(text) > len("yyyy-mm-dd"):
            return read_instant(text)
        return datetime.combine(read_day(text), time(0), marketplace.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        message = _("purchase-date: must be yyyy-mm-dd, or an instant with its zone")
        raise CellError(message) from None


def _unquoted(cell: str) -> str:
    if len(cell) >= 2 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell
