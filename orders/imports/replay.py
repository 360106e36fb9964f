"""Replaying a recorded year as one merchant's orders, through the product's own verbs.

The year is shifted so that its newest order is now: old orders are confirmed, credits become
cancellations and refunds, of the newest some are pending, unshipped or part-shipped. The file has
no names, addresses or e-mails: they are drawn from the customer's number, the same every time.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models.functions import Lower

from accounts.domain import calendar
from accounts.models import Merchant
from catalog.domain import listings
from catalog.domain.listings import NewListing
from catalog.models import Listing
from core.actor import Actor
from core.money import round_half_up
from core.refusal import Refusal, Refused
from notifications.domain import outbox
from orders.domain import amounts, cancellations, placing, refunds, shipments, verification
from orders.domain.drafts import ContactDraft, ItemDraft, OrderDraft
from orders.domain.packages import Package
from orders.enums import Act, CancelReason, RefundReason
from orders.imports.retail_year import Credit, Invoice, Year
from orders.models import Item, Order
from payments.gateways import Verification, VerificationOutcome

CHUNK = 150  # orders in one transaction
RECENT = timedelta(days=3)
VERIFIED_AFTER = timedelta(minutes=15)
VAT = Decimal("1.20")  # prices in the file are what was paid, tax within

SHOP = Actor("api", "replay", owner=True)
GATEWAY = Actor("gateway", "payment check")
DESK = Actor("form", "replayed desk", owner=True)

_FIRST = ("Alice", "Ben", "Carys", "Dev", "Elin", "Finn", "Grace", "Hamish", "Iona", "Jack", "Noor")
_LAST = (
    "Ashworth",
    "Brown",
    "Cole",
    "Davies",
    "Evans",
    "Fraser",
    "Green",
    "Hughes",
    "Iqbal",
    "Khan",
)
_STREET = ("Harbour Row", "Mill Lane", "Chapel Street", "Station Road", "Church Walk")
_PLACES = (
    ("Leeds", "LS6 2AB"), ("Falmouth", "TR11 3LH"), ("Stroud", "GL5 1QX"), ("York", "YO1 7HH"),
    ("Plockton", "IV52 8TN"), ("Cardiff", "CF10 1AA"), ("Bristol", "BS1 4DJ"), ("Derby", "DE1 2QY"),
)  # fmt: skip
COUNTRIES: Mapping[str, str] = {
    "United Kingdom": "GB", "Germany": "DE", "France": "FR", "EIRE": "IE", "Spain": "ES",
    "Netherlands": "NL", "Belgium": "BE", "Switzerland": "CH", "Portugal": "PT", "Australia": "AU",
    "Norway": "NO", "Italy": "IT", "Channel Islands": "JE", "Finland": "FI", "Cyprus": "CY",
    "Sweden": "SE", "Austria": "AT", "Denmark": "DK", "Japan": "JP", "Poland": "PL", "USA": "US",
    "Israel": "IL", "Hong Kong": "HK", "Singapore": "SG", "Iceland": "IS", "Canada": "CA",
    "Greece": "GR", "Malta": "MT", "United Arab Emirates": "AE", "RSA": "ZA", "Lebanon": "LB",
    "Lithuania": "LT", "Brazil": "BR", "Czech Republic": "CZ", "Bahrain": "BH",
    "Saudi Arabia": "SA", "European Community": "BE", "Unspecified": "GB",
}  # fmt: skip


@dataclass(slots=True)
class Told:
    """What a replay did, for its last words."""

    orders: int = 0
    known: int = 0
    items: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Fate:
    """What is to become of one invoice after it was placed."""

    invoice: Invoice
    at: datetime  # shifted purchase instant, UTC
    kind: str  # "pending", "unshipped", "partly", "shipped" or "cancelled"
    cancel_at: datetime | None = None


def replay(
    merchant: Merchant, year: Year, *, say: Callable[[str], None], limit: int | None = None
) -> Told:
    """Replay a year; orders that came in before are left alone, so a stopped run goes on.

    limit: only the newest so many invoices. say: is told of the progress.
    """
    now = calendar.now_for(merchant)
    invoices = sorted(year.invoices, key=lambda invoice: invoice.at)[-(limit or 0) :]
    shift = now - timedelta(minutes=2) - max(invoice.at for invoice in invoices)
    told = Told(counts=Counter(year.uncounted))
    _create_listings(merchant, year, at=invoices[0].at + shift)
    fates = [_fate(invoice, shift, now) for invoice in invoices]
    credits = defaultdict(list)
    for credit in year.credits:
        credits[credit.invoice].append(credit)
    for start in range(0, len(fates), CHUNK):
        chunk = fates[start : start + CHUNK]
        with outbox.silently():  # a year ago, elsewhere: no buyer is written to
            _chunk(merchant, chunk, credits, shift, told)
        done = start + len(chunk)
        if done % (CHUNK * 10) == 0 or done == len(fates):
            say(f"{done:,} of {len(fates):,} orders")
    return told


def _create_listings(merchant: Merchant, year: Year, *, at: datetime) -> None:
    there = set(
        Listing.objects.for_merchant(merchant)
        .annotate(key=Lower("sku"))
        .values_list("key", flat=True)
    )
    keys = listings.keys_of(year.stock)
    new = [
        NewListing(sku, title[:200], round_half_up(price, "GBP"), sold + 100)
        for sku, (title, price, sold) in year.stock.items()
        if keys[sku] not in there
    ]
    listings.create_listings(merchant, new, at=at.astimezone(UTC))


def _fate(invoice: Invoice, shift: timedelta, now: datetime) -> _Fate:
    """Decide from age and credits, and for the newest from the number, what becomes of an order."""
    at = (invoice.at + shift).astimezone(UTC)
    age = now - at
    if invoice.whole_credit_at is not None:
        back = (invoice.whole_credit_at + shift).astimezone(UTC)
        if back - at < timedelta(days=7) and back <= now:
            return _Fate(invoice, at, "cancelled", max(back, at + VERIFIED_AFTER * 2))
    if age < timedelta(hours=4):
        return _Fate(invoice, at, "pending")
    dice = random.Random(invoice.number).random()
    if age < RECENT:
        kind = "unshipped" if dice < 0.7 else "partly" if dice < 0.8 else "shipped"
        return _Fate(invoice, at, kind)
    if age < timedelta(days=29) and dice < 0.02:
        return _Fate(invoice, at, "unshipped")
    return _Fate(invoice, at, "shipped")


def _chunk(
    merchant: Merchant,
    fates: Sequence[_Fate],
    credits: Mapping[str, Sequence[Credit]],
    shift: timedelta,
    told: Told,
) -> None:
    known = set(
        Order.objects.for_merchant(merchant)
        .filter(merchant_order_number__in=[fate.invoice.number for fate in fates])
        .values_list("merchant_order_number", flat=True)
    )
    told.known += len(known)
    fates = [fate for fate in fates if fate.invoice.number not in known]
    placed = placing.place_orders(
        merchant_id=merchant.pk,
        wanted=[_draft(fate) for fate in fates],
        by=SHOP,
        replayed=True,
    )
    orders: list[tuple[_Fate, Order]] = []
    for fate, outcome in zip(fates, placed, strict=True):
        if isinstance(outcome, Refusal):
            told.refused.append(f"{fate.invoice.number}: {outcome}")
        else:
            orders.append((fate, outcome))
            told.orders += 1
            told.items += outcome.item_count
            told.counts[f"orders {fate.kind}"] += 1
    _verify(orders)
    _cancel(orders)
    _confirm(orders)
    for fate, order in orders:
        if fate.kind == "shipped":
            _refund(order, credits.get(fate.invoice.number, ()), shift, told)
        elif credits.get(fate.invoice.number) and fate.kind != "cancelled":
            told.counts["credits of orders that have not shipped"] += 1


def _verify(orders: Sequence[tuple[_Fate, Order]]) -> None:
    ready = {order.pk: fate.at + VERIFIED_AFTER for fate, order in orders if fate.kind != "pending"}
    answers = {pk: Verification(VerificationOutcome.VERIFIED) for pk in ready}
    verification.settle_verifications(answers, by=GATEWAY, at=ready)


def _cancel(orders: Sequence[tuple[_Fate, Order]]) -> None:
    at = {order.pk: fate.cancel_at for fate, order in orders if fate.cancel_at is not None}
    wanted = [cancellations.CancelRequest(pk, CancelReason.BUYER_CANCELLED) for pk in at]
    cancellations.cancel_orders(wanted=wanted, act=Act.CANCEL, by=DESK, at=at)


def _confirm(orders: Sequence[tuple[_Fate, Order]]) -> None:
    """Confirm a day after the sale, or half of what there is in the case of part-shipped ones."""
    going = [(fate, order) for fate, order in orders if fate.kind in ("shipped", "partly")]
    firsts = _first_items([order.pk for fate, order in going if fate.kind == "partly"])
    wanted, at = [], {}
    for fate, order in going:
        recent = timedelta(hours=2)
        at[order.pk] = fate.at + (timedelta(hours=20) if fate.kind == "shipped" else recent)
        if at[order.pk] > calendar.now_for(order.merchant):
            at[order.pk] = fate.at + recent
        package = Package(
            ship_date=order.marketplace.local_date(at[order.pk]),
            carrier="Royal Mail",
            method="Standard",
            tracking_id=f"RM{fate.invoice.number}GB",
        )
        quantities = None
        if fate.kind == "partly" and (order.item_count > 1 or firsts[order.pk][1] > 1):
            item, units = firsts[order.pk]
            quantities = {item: max(units // 2, 1)}
        wanted.append(shipments.Confirmation(order.pk, package, quantities))
    shipments.confirm_shipments(wanted=wanted, by=DESK, at=at)


def _first_items(order_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    rows = Item.objects.filter(order_id__in=order_ids, line=1)
    return {row.order_id: (row.pk, row.quantity_purchased) for row in rows}


def _refund(order: Order, credits: Sequence[Credit], shift: timedelta, told: Told) -> None:
    """Give back what the credit notes of one day gave back, item by item."""
    for at, day in _by_day(credits):
        items = {item.line - 1: item for item in Item.objects.of_orders([order.pk])}
        boxes = {}
        for index, units in day.items():
            item = items[index]
            share = item.paid_total * units / item.quantity_purchased
            amount = min(round_half_up(share, order.currency), amounts.maximum(item, "item_cost"))
            if amount > 0:
                boxes[item.pk] = (amount, Decimal(0))
        if not boxes:
            continue
        wanted = refunds.RefundRequest(order.pk, amounts.Boxes(boxes), RefundReason.CUSTOMER_RETURN)
        moment = max((at + shift).astimezone(UTC), order.purchased_at + timedelta(hours=21))
        try:
            refunds.refund_order(wanted=wanted, by=DESK, at=moment)
            told.counts["refunds"] += 1
        except Refused as refused:
            told.refused.append(f"refund of {order.number}: {refused}")


def _by_day(credits: Sequence[Credit]) -> Iterator[tuple[datetime, dict[int, int]]]:
    days: dict[datetime, Counter[int]] = defaultdict(Counter)
    for credit in credits:
        days[credit.at][credit.line] += credit.quantity
    for at in sorted(days):
        yield at, dict(days[at])


def _draft(fate: _Fate) -> OrderDraft:
    invoice = fate.invoice
    buyer = invoice.customer or f"guest-{invoice.number}"
    dice = random.Random(hashlib.sha256(buyer.encode()).digest())
    name = f"{dice.choice(_FIRST)} {dice.choice(_LAST)}"
    city, postcode = dice.choice(_PLACES)
    country = COUNTRIES.get(invoice.country, "GB")
    contact = ContactDraft(
        buyer_email=f"customer.{buyer}@mail.example",
        buyer_phone=f"01632 {dice.randrange(960000, 961000)}",
        recipient_name=name,
        address_1=f"{dice.randrange(1, 200)} {dice.choice(_STREET)}",
        city=city if country == "GB" else f"{city} ({invoice.country})",
        postal_code=postcode,
        country=country,
    )
    items = [
        ItemDraft(
            line.sku, line.quantity, _taxed("item", line.price * line.quantity), line.title[:200]
        )
        for line in invoice.lines
    ]
    if invoice.shipping:
        first = items[0]
        whole = {**first.amounts, **_taxed("shipping", invoice.shipping)}
        items[0] = ItemDraft(first.sku, first.quantity, whole, first.title)
    return OrderDraft(
        purchased_at=fate.at,
        buyer_name=name,
        contact=contact,
        items=tuple(items),
        payment_token="ok",
        merchant_order_number=invoice.number,
    )


def _taxed(what: str, gross: Decimal) -> dict[str, Decimal]:
    """Split what was paid into price and tax, to the penny."""
    paid = round_half_up(gross, "GBP")
    net = round_half_up(paid / VAT, "GBP")
    return {f"{what}_price": net, f"{what}_tax": paid - net}
