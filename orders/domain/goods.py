"""Units of cancelled orders going back to their listings (INVENTORY-05, CANCEL-10)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from catalog.domain import stock
from orders.domain import lifecycle
from orders.models import Order


def release(orders: Collection[Order], *, at: datetime, zero_out: Collection[int] = ()) -> None:
    """Return the units of cancelled orders to their listings, or empty those of ``zero_out``."""
    items = lifecycle.items_of(orders)
    listings = stock.lock({item.listing_id for rows in items.values() for item in rows})
    movements = []
    for order in orders:
        units = stock.units_by_listing(
            (item.listing_id, item.quantity_purchased) for item in items[order.pk]
        )
        for listing_id, count in units.items():
            emptied = order.pk in zero_out
            movements.append(
                stock.Movement(
                    listing_id,
                    order.pk,
                    None if emptied else count,
                    stock.Cause.ZERO_OUT if emptied else stock.Cause.CANCELLATION,
                )
            )
    stock.move(listings, movements, at=at)
