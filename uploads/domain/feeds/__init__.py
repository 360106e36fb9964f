"""What the records of each kind of file ask for: one module a kind, all of one shape."""

from __future__ import annotations

from collections.abc import Mapping

from uploads.domain.feeds import adjustments, cancellations, shipping
from uploads.domain.feeds.shape import Kind
from uploads.enums import Feed

KINDS: Mapping[Feed, Kind] = {
    Feed.SHIPPING: shipping.KIND,
    Feed.CANCELLATION: cancellations.KIND,
    Feed.ADJUSTMENTS: adjustments.KIND,
}
