"""E-mails on an order's timeline: kind, time and result (DETAIL-10, NOTIF-11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.domain import outbox
from notifications.models import Outbox
from orders.letters.kinds import LABELS
from orders.models import Order

_TO: Mapping[str, Any] = {
    Outbox.Channel.BUYER_EMAIL: gettext_lazy("E-mail to the buyer"),
    Outbox.Channel.MERCHANT_EMAIL: gettext_lazy("E-mail to you"),
}


def merged(events: Sequence[dict[str, Any]], order: Order) -> list[dict[str, Any]]:
    """Return what happened to an order with the e-mails about it, oldest first."""
    mails = [_mail(row) for row in outbox.mails_of(order.pk)]
    return sorted([*events, *mails], key=lambda event: event["at"])


def _mail(row: Outbox) -> dict[str, Any]:
    """One line. The server's code, never its text or an address: those stay hidden (PENDING-04)."""
    what = {"to": _TO[row.channel], "what": LABELS.get(row.kind, row.kind), "code": row.last_error}
    if row.state == Outbox.State.SENT:
        text = _("%(to)s: %(what)s") % what
    elif row.state == Outbox.State.FAILED:
        text = _("%(to)s failed for good: %(what)s (%(code)s)") % what
    else:
        text = _("%(to)s was not taken yet and will be tried again: %(what)s (%(code)s)") % what
    return {
        "text": text,
        "at": row.finished_at or row.available_at,
        "by": _("the mail server") if row.state == Outbox.State.FAILED else _("the platform"),
        "door": "",
        "tone": "is-bad" if row.state == Outbox.State.FAILED else "",
    }
