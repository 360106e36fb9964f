"""Units leave and come back to a listing only here; each change has its line in the journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.models import Listing, StockChange
from core.bulk import update_rows

Cause = StockChange.Cause


@dataclass(frozen=True, slots=True)
class Movement:
    """Units of one listing moving because of one order.

    units: below zero when sold, above zero when returned; None empties the listing (CANCEL-10).
    """

    listing_id: int
    order_id: int | None
    units: int | None
    cause: StockChange.Cause


def lock(listing_ids: Iterable[int]) -> dict[int, Listing]:
    """Lock listings in key order and return them by key."""
    return {listing.pk: listing for listing in Listing.objects.filter(pk__in=listing_ids).locked()}


def short(listings: Mapping[int, Listing], wanted: Mapping[int, int]) -> list[Listing]:
    """Return the locked listings that have fewer units than wanted."""
    return [listings[pk] for pk, units in wanted.items() if listings[pk].quantity_available < units]


def move(listings: Mapping[int, Listing], movements: Sequence[Movement], *, at: datetime) -> None:
    """Apply movements to locked listings, in order, and write the journal.

    Never below zero: the caller has asked ``short``, and the database refuses (INVENTORY-04).
    """
    journal = []
    changed: dict[int, tuple[int]] = {}
    for movement in movements:
        listing = listings[movement.listing_id]
        before = listing.quantity_available
        after = 0 if movement.units is None else before + movement.units
        if after == before:
            continue
        listing.quantity_available = after
        changed[listing.pk] = (after,)
        journal.append(
            StockChange(
                merchant_id=listing.merchant_id,
                listing=listing,
                order_id=movement.order_id,
                cause=movement.cause,
                before=before,
                after=after,
                changed_at=at,
            )
        )
    update_rows(Listing, ["quantity_available"], changed)
    StockChange.objects.bulk_create(journal)


def units_by_listing(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Add up (listing id, units) pairs."""
    total: dict[int, int] = defaultdict(int)
    for listing_id, units in pairs:
        total[listing_id] += units
    return dict(total)
