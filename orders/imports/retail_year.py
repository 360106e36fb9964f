"""Reading "Online Retail": a year of transaction lines of a UK gift merchant, into orders.

One order per digits-only invoice, its lines with units and a price as items; postage becomes the
order's shipping; each credit note is matched to the latest earlier purchase of the same customer
and product with enough units left. What is no order is counted by what it is.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, cast
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from orders.imports.lines import FileError

COLUMNS = frozenset(
    {"InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID",
     "Country"}
)  # fmt: skip
LONDON = ZoneInfo("Europe/London")
POSTAGE = frozenset({"POST", "DOT", "C2"})
NOT_GOODS = frozenset({"M", "m", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS"})
PENNY = Decimal("0.01")


@dataclass(slots=True)
class Line:
    """One product line. quantity: units; price: pounds per unit; credited: units given back."""

    sku: str
    title: str
    quantity: int
    price: Decimal
    credited: int = 0


@dataclass(slots=True)
class Invoice:
    """One order to be. shipping: postage in pounds. at: local instant of the sale."""

    number: str
    at: datetime
    customer: str
    country: str
    lines: list[Line] = field(default_factory=list)
    shipping: Decimal = Decimal(0)
    whole_credit_at: datetime | None = None


@dataclass(slots=True)
class Credit:
    """Units of one line of an invoice given back at an instant."""

    invoice: str
    line: int
    quantity: int
    at: datetime


@dataclass(slots=True)
class Year:
    """A year of sales. uncounted: lines that are no order, by what they are."""

    invoices: list[Invoice]
    credits: list[Credit]
    stock: dict[str, tuple[str, Decimal, int]]  # by SKU: last title, last price, units sold
    lines: int
    uncounted: Counter[str]


def read(path: Path) -> Year:
    """Read the file (CSV, gzip or plain), in the order of its dates. Raises FileError."""
    year = Year([], [], {}, 0, Counter())
    invoices: dict[str, Invoice] = {}
    credited: list[tuple[str, datetime, str, str, int]] = []
    titles: dict[str, str] = {}
    for row in _rows(path):
        year.lines += 1
        number, sku, title = row["InvoiceNo"], row["StockCode"].strip(), row["Description"].strip()
        quantity, price, at = _figures(row, year.lines)
        if number.startswith("C"):
            if sku in POSTAGE or sku in NOT_GOODS:
                year.uncounted["credits of postage, fees and discounts"] += 1
            else:
                credited.append((number, at, row["CustomerID"], sku.upper(), -quantity))
            continue
        kind = _not_an_item(number, sku, quantity, price)
        if kind:
            year.uncounted[kind] += 1
            continue
        invoice = invoices.get(number)
        if invoice is None:
            invoice = Invoice(number, at, row["CustomerID"], row["Country"])
            invoices[number] = invoice
        if sku in POSTAGE:
            invoice.shipping += (price * quantity).quantize(PENNY)
            continue
        if title:
            titles[sku.upper()] = title
        known = titles.get(sku.upper(), sku)
        invoice.lines.append(Line(sku.upper(), title or known, quantity, price))
    for invoice in invoices.values():
        if invoice.lines:
            year.invoices.append(invoice)
        else:
            year.uncounted["invoices of postage alone"] += 1
    if not year.invoices:
        raise FileError(_("There is no order in the file."))
    _collect_stock(year)
    _match(year, credited)
    return year


def _rows(path: Path) -> Iterator[dict[str, str]]:
    packed = path.suffix == ".gz"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as raw:
            text = io.TextIOWrapper(cast("IO[bytes]", raw), "utf-8", newline="")
            reader = csv.DictReader(text, restval="")
            if missing := sorted(COLUMNS - set(reader.fieldnames or ())):
                raise FileError(_("The file has no columns %s.") % ", ".join(missing))
            yield from reader
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise FileError(_("The file cannot be read: %s") % error) from error


def _figures(row: dict[str, str], line: int) -> tuple[int, Decimal, datetime]:
    """Return units, price and instant of a line, counted from 1 behind the names."""
    try:
        quantity, price = int(row["Quantity"]), Decimal(row["UnitPrice"])
        at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=LONDON)
    except (ValueError, InvalidOperation) as error:
        raise FileError(_("Record %d has no units, price or date.") % line) from error
    if not price.is_finite():
        raise FileError(_("Record %d has no price.") % line)
    return quantity, price, at


def _not_an_item(number: str, sku: str, quantity: int, price: Decimal) -> str:
    """Say what a line is that is neither an item nor postage; empty when it is one of them."""
    if number.startswith("A"):
        return "bad debt adjustments"
    if quantity <= 0:
        return "stock corrections (negative quantities)"
    if price <= 0:
        return "lines without a price (samples, corrections)"
    if sku in NOT_GOODS or sku.lower().startswith("gift_"):
        return "fees, vouchers, samples and manual entries"
    return ""


def _collect_stock(year: Year) -> None:
    for invoice in year.invoices:
        for line in invoice.lines:
            _title, _price, sold = year.stock.get(line.sku, ("", Decimal(0), 0))
            year.stock[line.sku] = (line.title, line.price, sold + line.quantity)


def _match(year: Year, credited: Iterable[tuple[str, datetime, str, str, int]]) -> None:
    """Match credit notes, oldest first, to the latest earlier purchase with enough units left."""
    bought: dict[tuple[str, str], list[tuple[Invoice, int]]] = defaultdict(list)
    for invoice in year.invoices:
        if invoice.customer:
            for index, line in enumerate(invoice.lines):
                bought[invoice.customer, line.sku].append((invoice, index))
    for _number, at, customer, sku, quantity in credited:
        found = next(
            (
                (invoice, index)
                for invoice, index in reversed(bought.get((customer, sku), []))
                if invoice.at <= at
                and invoice.lines[index].quantity - invoice.lines[index].credited >= quantity
            ),
            None,
        )
        if found is None or quantity <= 0:
            year.uncounted["credits without an earlier purchase"] += 1
            continue
        invoice, index = found
        invoice.lines[index].credited += quantity
        year.credits.append(Credit(invoice.number, index, quantity, at))
        if all(line.credited == line.quantity for line in invoice.lines):
            invoice.whole_credit_at = at
