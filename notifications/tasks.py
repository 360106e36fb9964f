"""Jobs of the outbox; a task means "look for work"."""

from __future__ import annotations

from collections.abc import Iterator

from core import clock
from core.jobs import Done, Planned, job
from notifications.domain import dispatch
from notifications.models import Outbox


def _planned_mails() -> Iterator[Planned]:
    for row in dispatch.due(clock.now()).select_related("order").iterator():
        subject = row.order.number if row.order else row.event_key
        whom = Outbox.Channel(row.channel).value.removesuffix("_email")
        yield Planned(subject, f"write to the {whom}", (row.kind,))


@job("send-outbox", plan=_planned_mails)
def send_outbox() -> Done:
    """Send the e-mails that are owed (NOTIF-01)."""
    sent = dispatch.send_due()
    return Done(sent.counts, more=sent.more)
