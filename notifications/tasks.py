"""Jobs of the outbox; a task means "look for work"."""

from __future__ import annotations

from collections.abc import Iterator

from core import clock
from core.jobs import Done, Planned, job
from notifications.domain import dispatch
from notifications.models import Outbox

_TO = {
    Outbox.Channel.BUYER_EMAIL.value: "write to the buyer",
    Outbox.Channel.MERCHANT_EMAIL.value: "write to the merchant",
}


def _planned_mails() -> Iterator[Planned]:
    for row in dispatch.due(clock.now()).select_related("order").iterator():
        subject = row.order.number if row.order else row.event_key
        yield Planned(subject, _TO[row.channel], (row.kind,))


@job("send-outbox", plan=_planned_mails)
def send_outbox() -> Done:
    """Send the e-mails that are owed (NOTIF-01)."""
    sent = dispatch.send_due()
    return Done(sent.counts, more=sent.more)
