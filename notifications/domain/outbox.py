"""Messages owed: written with the fact they tell, sent after it is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from notifications.models import Outbox

NOTIFICATIONS = "Notification"  # every instant notification's kind ends with it
MERCHANT_KINDS = frozenset({"N02", "N07", "N08", "N20", "N37"})


@dataclass(frozen=True, slots=True)
class Owed:
    """One message to be sent because of one line of the history.

    key: names the fact ("order-17-3"); with the kind it is unique.
    available_at: not to be sent before this instant.
    """

    merchant_id: int
    order_id: int | None
    kind: str
    key: str
    at: datetime
    available_at: datetime
    payload: Mapping[str, object] = field(default_factory=dict)


def channel_of(kind: str) -> Outbox.Channel:
    """Return by which way a kind of message leaves."""
    if kind.endswith(NOTIFICATIONS):
        return Outbox.Channel.NOTIFICATION
    if kind in MERCHANT_KINDS:
        return Outbox.Channel.MERCHANT_EMAIL
    return Outbox.Channel.BUYER_EMAIL


def owe(messages: Sequence[Owed]) -> None:
    """Write messages in the caller's transaction; each leaves after commit under its key."""
    Outbox.objects.bulk_create(
        Outbox(
            merchant_id=message.merchant_id,
            order_id=message.order_id,
            channel=channel_of(message.kind),
            kind=message.kind,
            event_key=f"{message.key}:{message.kind}",
            payload=dict(message.payload),
            created_at=message.at,
            available_at=message.available_at,
        )
        for message in messages
    )
