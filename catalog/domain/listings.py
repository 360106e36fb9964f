"""Creating listings, and remembering the titles they are sold under."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection

from accounts.models import Merchant
from catalog.models import Listing, ListingTitle, StockChange

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class NewListing:
    """A listing to be: price in the merchant's currency per unit, quantity in units."""

    sku: str
    title: str
    price: Decimal
    quantity: int


def new_listing_id() -> str:
    """Return a fresh listing ID: ten letters and digits, not guessable in sequence."""
    return "L" + "".join(secrets.choice(ALPHABET) for _ in range(9))


def keys_of(skus: Iterable[str]) -> dict[str, str]:
    """Return the key of each SKU; those with the same key name one listing.

    What differs in case alone is the same to the database, whose unique key decides. Python agrees
    with it about ASCII; of Σ and İ, for one, the two write other small letters.
    """
    wanted = set(skus)
    keys = {sku: sku.lower() for sku in wanted if sku.isascii()}
    if others := sorted(wanted - keys.keys()):
        with connection.cursor() as cursor:
            cursor.execute("SELECT sku, lower(sku) FROM unnest(%s::text[]) AS t (sku)", [others])
            keys |= dict(cursor.fetchall())
    return keys


def create_listings(
    merchant: Merchant, wanted: Sequence[NewListing], *, at: datetime
) -> list[Listing]:
    """Create listings with their first title and their opening stock."""
    currency = merchant.marketplace.currency
    listings = Listing.objects.bulk_create(
        Listing(
            merchant=merchant,
            sku=new.sku,
            listing_id=new_listing_id(),
            title=new.title,
            price=new.price,
            currency=currency,
            quantity_available=new.quantity,
        )
        for new in wanted
    )
    StockChange.objects.bulk_create(
        StockChange(
            merchant=merchant,
            listing=listing,
            cause=StockChange.Cause.IMPORT,
            before=0,
            after=listing.quantity_available,
            changed_at=at,
        )
        for listing in listings
        if listing.quantity_available
    )
    return listings


def titles_for(
    merchant_id: int, pairs: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], ListingTitle]:
    """Return the kept title of each (listing id, title), creating those not met before."""
    wanted = set(pairs)
    rows = [
        ListingTitle(merchant_id=merchant_id, listing_id=listing_id, title=title)
        for listing_id, title in sorted(wanted)
    ]
    ListingTitle.objects.bulk_create(rows, ignore_conflicts=True)
    kept = ListingTitle.objects.filter(listing_id__in={listing_id for listing_id, _ in wanted})
    return {(t.listing_id, t.title): t for t in kept if (t.listing_id, t.title) in wanted}
