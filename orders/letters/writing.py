"""Putting letters on paper: values of a kind, its template, the reader's address."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.template.loader import render_to_string

from notifications.domain.envelopes import one_line
from notifications.domain.letters import Letter, Writer, reads
from notifications.models import Outbox
from orders.domain import buyer_links
from orders.letters import dossiers
from orders.letters.dossiers import Dossier
from orders.letters.kinds import KINDS


@reads(*KINDS)
def read(rows: Sequence[Outbox]) -> Writer:
    """Read what a batch of rows tells; return what writes each of their letters."""
    collected = dossiers.collect(rows)
    return lambda row: write(collected[row.pk])


def write(d: Dossier) -> Letter | None:
    """Write one letter, None when it has nothing to tell any more. Source: NOTIF-08, NOTIF-10."""
    values = KINDS[d.row.kind](d)
    if values is None:
        return None
    values |= {
        "number": d.order.number,
        "seller": one_line(d.order.merchant.display_name),
        "site_name": one_line(settings.SITE_NAME),
    }
    if d.row.channel == Outbox.Channel.BUYER_EMAIL:
        to: tuple[str, ...] = (d.buyer.email,)
        values["buyer_name"] = one_line(d.order.buyer_name)
        values["order_link"] = buyer_links.link_for(d.order)
    else:
        to = d.merchant_addresses
    text = render_to_string(f"emails/{d.language}/{d.row.kind.lower()}.txt", values)
    subject, _, body = text.strip().partition("\n")
    return Letter(to=to, subject=subject, body=body.strip() + "\n")
