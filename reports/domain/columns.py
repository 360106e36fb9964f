"""What stands in the columns of a report, as SQL: the database writes the file's text by itself.

The expressions read an order ``o``, its marketplace ``m``, an item ``i``, a listing ``l`` and the
contact as ``orders.domain.contacts_by_sets`` shows it. Each gives NULL where a field is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.money import DECIMALS
from orders.domain import contacts_by_sets
from orders.domain.contacts_by_sets import SHOWN
from orders.enums import OPEN_REQUESTS, SubType
from reports.enums import EXTRA_COLUMNS, ReportKind

FROM = f"""
FROM orders_order o
JOIN accounts_marketplace m ON m.id = o.marketplace_id
JOIN orders_item i ON i.order_id = o.id
LEFT JOIN catalog_listing l ON l.id = i.listing_id
{contacts_by_sets.JOIN}"""


@dataclass(frozen=True, slots=True)
class Column:
    """name: in the first line of the file. sql: what stands below it."""

    name: str
    sql: str


# What a spreadsheet takes for a formula when a field begins with it: = + - @ and control characters
# by their numbers. Such a field of text gets an apostrophe before it (REPORT-18).
_FORMULA = (
    f"'{{{','.join(str(code) for code in (*range(1, 32), *map(ord, '+-=@'), *range(127, 160)))}}}'"
)


def _text(name: str, sql: str) -> Column:
    """A column of words, of which none may look like a formula; ``building`` mends its breaks."""
    return Column(
        name,
        f"CASE WHEN ascii({sql}) = ANY ({_FORMULA}::int[]) THEN '''' || {sql}"
        f" ELSE NULLIF({sql}, '') END",
    )


def _as_is(name: str, sql: str) -> Column:
    """A column of identifiers, numbers or codes, which are never altered."""
    return Column(name, sql)


def _day(name: str, instant: str) -> Column:
    """The calendar day of an instant in the order's marketplace, yyyy-mm-dd."""
    return Column(name, f"({instant} AT TIME ZONE m.time_zone)::date")


def _money(name: str, amount: str) -> Column:
    """The total of a line, with as many decimals as its currency has."""
    places = " ".join(f"WHEN '{code}' THEN {places}" for code, places in DECIMALS.items())
    return Column(name, f"round({amount}, CASE i.currency {places} END)")


def _flag(name: str, condition: str) -> Column:
    return Column(name, f"CASE WHEN {condition} THEN 'TRUE' ELSE 'FALSE' END")


def _words(name: str, sql: str, words: Mapping[str, str]) -> Column:
    cases = " ".join(f"WHEN '{code}' THEN '{word}'" for code, word in words.items())
    return Column(name, f"CASE {sql} {cases} END")


# By name; the tables below say where each stands.
_ALL: Mapping[str, Column] = {
    column.name: column
    for column in (
        _as_is("order-id", "o.number"),
        _as_is("order-item-id", "i.number"),
        _day("purchase-date", "o.purchased_at"),
        # When the payment was verified, or came in if it came in advance (K11).
        _day("payments-date", "COALESCE(o.advance_paid_at, o.verified_at)"),
        _as_is("reporting-date", "%(reporting_date)s::date"),
        _day("promise-date", "o.ship_by_at"),
        _as_is(
            "days-past-promise",
            "%(reporting_date)s::date - (o.ship_by_at AT TIME ZONE m.time_zone)::date",
        ),
        _text("buyer-name", "o.buyer_name"),
        _text("buyer-email", SHOWN["buyer_email"]),
        _as_is("ship-service-level", "o.ship_service_level"),
        _text("recipient-name", SHOWN["recipient_name"]),
        _text("ship-address-1", SHOWN["address_1"]),
        _text("ship-address-2", SHOWN["address_2"]),
        _text("ship-address-3", SHOWN["address_3"]),
        _text("ship-city", SHOWN["city"]),
        _text("ship-state", SHOWN["region"]),
        _text("ship-postal-code", SHOWN["postal_code"]),
        _text("ship-country", SHOWN["country"]),
        _text("sku", "i.sku"),
        _text("product-name", "i.title"),
        _as_is("quantity-purchased", "i.quantity_purchased"),
        _as_is("quantity-shipped", "i.quantity_shipped"),
        _as_is(
            "quantity-to-ship", "i.quantity_purchased - i.quantity_shipped - i.quantity_not_sent"
        ),
        _money("item-price", "i.item_price"),
        _money("shipping-price", "i.shipping_price"),
        _text("sales-channel", "o.sales_channel"),
        Column(
            "confirm-by-date",
            "CASE WHEN o.quantity_confirmed = 0"
            " THEN (o.deadline_at AT TIME ZONE m.time_zone)::date END",
        ),
        # Characters of a phone number are limited where it is entered: it is written as it is.
        _as_is("buyer-phone-number", f"NULLIF({SHOWN['buyer_phone']}, '')"),
        _as_is("currency", "i.currency"),
        _money("item-tax", "i.item_tax"),
        _money("shipping-tax", "i.shipping_tax"),
        _money("gift-wrap-price", "i.gift_wrap_price"),
        _money("gift-wrap-tax", "i.gift_wrap_tax"),
        _money("item-promotion-discount", "i.item_promotion"),
        _money("ship-promotion-discount", "i.shipping_promotion"),
        _words("order-sub-type", "o.sub_type", {each.value: str(each.label) for each in SubType}),
        _flag("is-business-order", "o.is_business"),
        _text("purchase-order-number", "o.purchase_order_number"),
        _flag(
            "is-buyer-requested-cancellation",
            "EXISTS (SELECT FROM orders_buyerrequest b WHERE b.order_id = o.id"
            f" AND b.state IN ({', '.join(repr(state.value) for state in OPEN_REQUESTS)})"
            " AND b.answer_by_at IS NOT NULL)",
        ),
        _as_is("order-status", "o.status"),
        _as_is("listing-id", "l.listing_id"),
        _text("customization-note", "i.customisation"),
    )
}

FIXED: Mapping[ReportKind, tuple[str, ...]] = {
    ReportKind.ORDERS: (  # table 5.14a
        *("order-id", "purchase-date", "payments-date", "buyer-name", "buyer-email"),
        *("ship-service-level", "recipient-name"),
        *("ship-address-1", "ship-address-2", "ship-address-3"),
        *("ship-city", "ship-state", "ship-postal-code", "ship-country"),
        *("order-item-id", "sku", "product-name", "quantity-purchased"),
        *("item-price", "shipping-price", "sales-channel"),
    ),
    ReportKind.UNSHIPPED: (  # table 5.14c
        *("order-id", "order-item-id", "purchase-date", "payments-date", "reporting-date"),
        *("promise-date", "days-past-promise", "buyer-email", "buyer-name", "sku", "product-name"),
        *("quantity-purchased", "quantity-shipped", "quantity-to-ship", "ship-service-level"),
        *("recipient-name", "ship-address-1", "ship-address-2", "ship-address-3"),
        *("ship-city", "ship-state", "ship-postal-code", "ship-country"),
        *("sales-channel", "confirm-by-date"),
    ),
}


def columns_of(kind: str, extra: Iterable[str]) -> tuple[Column, ...]:
    """Return a report's columns: the fixed ones, then those switched on, in their order."""
    chosen = set(extra)
    names = [*FIXED[ReportKind(kind)], *(name for name in EXTRA_COLUMNS if name in chosen)]
    return tuple(_ALL[name] for name in names)
