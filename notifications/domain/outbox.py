"""Messages owed: written with the fact they tell, sent after it is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from django.db import models

from core.jobs import nudge
from core.logs import request_id
from notifications.models import Outbox

SEND = "notifications.send_outbox"
NOTIFICATIONS = "Notification"  # every instant notification's kind ends with it
MERCHANT_KINDS = frozenset({"N02", "N07", "N08", "N20", "N37"})
ALERT = "Alert"  # to operators: none of the kinds that merchants and buyers get
# About one's own sign-in and place, or to operators.
PERSON_KINDS = frozenset({"N27", "N28", "N29", ALERT})
# Every channel but one is e-mail.
MAILS = tuple(each for each in Outbox.Channel if each != Outbox.Channel.NOTIFICATION)

_silent: ContextVar[bool] = ContextVar("outbox_silent", default=False)


@dataclass(frozen=True, slots=True)
class Owed:
    """One message to be sent because of one line of the history.

    key: names the fact ("order-17-3"); with the kind it is unique.
    available_at: not to be sent before this instant.
    """

    merchant_id: int | None
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
    if kind in PERSON_KINDS:
        return Outbox.Channel.PERSON_EMAIL
    return Outbox.Channel.BUYER_EMAIL


def owe(messages: Sequence[Owed]) -> None:
    """Write messages in the caller's transaction; each leaves after commit under its key."""
    state = Outbox.State.DROPPED if _silent.get() else Outbox.State.QUEUED
    rows = Outbox.objects.bulk_create(
        Outbox(
            merchant_id=message.merchant_id,
            order_id=message.order_id,
            channel=channel_of(message.kind),
            kind=message.kind,
            event_key=f"{message.key}:{message.kind}",
            payload=dict(message.payload),
            state=state,
            created_at=message.at,
            available_at=message.available_at,
            request_id=request_id.get(),
        )
        for message in messages
    )
    if any(row.channel in MAILS and row.state == Outbox.State.QUEUED for row in rows):
        nudge(SEND)


@contextmanager
def silently() -> Iterator[None]:
    """Tell nobody of what happens in the enclosed code: it happened long ago, elsewhere."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def mails_of(order_id: int) -> models.QuerySet[Outbox]:
    """Return an order's e-mails that left, failed for good or were put off (DETAIL-10)."""
    told = models.Q(state__in=[Outbox.State.SENT, Outbox.State.FAILED]) | models.Q(attempts__gt=0)
    mails = Outbox.objects.exclude(channel=Outbox.Channel.NOTIFICATION)
    return mails.filter(told, order=order_id).order_by("pk")


def rejected_mail(merchant_id: int) -> Outbox | None:
    """Return the last e-mail to a merchant's own address if it failed for good (NOTIF-11).

    None once a later one was taken: then the address is good again.
    """
    ended = Outbox.objects.filter(
        merchant=merchant_id,
        channel=Outbox.Channel.MERCHANT_EMAIL,
        state__in=[Outbox.State.SENT, Outbox.State.FAILED],
    )
    last = ended.order_by("-pk").first()
    return last if last is not None and last.state == Outbox.State.FAILED else None
