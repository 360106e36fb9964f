"""Reading the history of an account: newest first, a bounded stretch at a time (IMPL-04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from orders.enums import OrderEvent
from orders.models import Order

PAGE = 50  # lines
STRETCH = 20_000  # lines looked through for a page: a filter that fits few never reads them all
MOST_EXPORTED = 50_000  # lines in one file

# What happens to an account, its people and its keys; what happens to orders is in OrderEvent.
ACCOUNT_EVENTS: Mapping[str, Any] = {
    "account.opened": _("Account opened"),
    "account.changed": _("Account Info changed"),
    "sandbox.clock_moved": _("Sandbox clock moved"),
    "policies.changed": _("Info & Policies changed"),
    "member.added": _("Person added"),
    "member.removed": _("Person removed"),
    "member.permissions_changed": _("Permissions changed"),
    "member.renamed": _("Name changed"),
    "member.email_changed": _("Sign-in e-mail changed"),
    "member.password_changed": _("Password changed"),
    "member.two_step_on": _("Second step switched on"),
    "member.two_step_off": _("Second step switched off"),
    "member.recovery_codes_renewed": _("Recovery codes renewed"),
    "member.recovery_code_used": _("Recovery code used"),
    "member.questions_chosen": _("Security questions chosen"),
    "member.questions_dropped": _("Security questions dropped"),
    "invitation.sent": _("Invitation sent"),
    "invitation.withdrawn": _("Invitation withdrawn"),
    "key.created": _("Key created"),
    "key.revoked": _("Key revoked"),
    "report.requested": _("Report requested"),
    "report.requested_again": _("Report requested again"),
    "report.viewed": _("Report viewed"),
    "report.downloaded": _("Report downloaded"),
    "report.failed": _("Report failed"),
    "reports.columns_changed": _("Report columns changed"),
    "reports.schedule_changed": _("Report schedule changed"),
    "upload.received": _("File uploaded"),
    "upload.processed": _("File processed"),
    "orders.read": _("Orders read by program"),
    "trail.exported": _("Audit trail exported"),
}
# Kinds to choose from: how their events begin, and their words.
KINDS: Mapping[str, tuple[str, Any]] = {
    "orders": ("order", _("Orders")),
    "account": ("account.", _("Account")),
    "people": ("member.", _("People")),
    "invitations": ("invitation.", _("Invitations")),
    "keys": ("key.", _("Keys")),
    "reports": ("report", _("Reports")),
    "uploads": ("upload.", _("Uploads")),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a history is wanted; empty values stand for everything.

    kind: a key of ``KINDS``. actor: the name as the history shows it. order: an Order ID.
    """

    from_at: datetime | None = None
    to_at: datetime | None = None
    actor: str = ""
    door: str = ""
    kind: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines found, newest first. older: before which number to look next; None at the beginning."""

    entries: Sequence[Entry]
    older: int | None


def stretch(merchant_id: int, asked: Asked, *, before: int | None = None) -> Stretch:
    """Return a page of a merchant's history that fits, below a number.

    Lines of one order are found by its own index; others among the next ``STRETCH`` numbers.
    """
    top = before
    if top is None:
        last = Entry.objects.filter(merchant=merchant_id).aggregate(last=Max("number"))["last"]
        top = (last or 0) + 1
    floor = max(top - STRETCH, 1)
    rows = Entry.objects.filter(_fits(merchant_id, asked), merchant=merchant_id, number__lt=top)
    if asked.order:
        floor = 1
    else:
        rows = rows.filter(number__gte=floor)
    found = list(rows.select_related("order").order_by("-number")[: PAGE + 1])
    if len(found) > PAGE:
        return Stretch(found[:PAGE], found[PAGE - 1].number)
    return Stretch(found, floor if floor > 1 else None)


def export(merchant_id: int, asked: Asked) -> Iterator[Entry]:
    """Yield the newest lines that fit, up to ``MOST_EXPORTED``."""
    before, left = None, MOST_EXPORTED
    while left > 0:
        part = stretch(merchant_id, asked, before=before)
        yield from part.entries[:left]
        left -= len(part.entries)
        if part.older is None:
            return
        before = part.older


def label_of(event: str) -> str:
    """Return the words on screen for an event."""
    if event in OrderEvent.values:
        return str(OrderEvent(event).label)
    return str(ACCOUNT_EVENTS.get(event, event))


def _fits(merchant_id: int, asked: Asked) -> Q:
    fits = Q()
    if asked.from_at is not None:
        fits &= Q(happened_at__gte=asked.from_at)
    if asked.to_at is not None:
        fits &= Q(happened_at__lt=asked.to_at)
    if asked.actor:
        fits &= Q(actor__iexact=asked.actor)
    if asked.door:
        fits &= Q(door=asked.door)
    if asked.kind:
        fits &= Q(event__startswith=KINDS[asked.kind][0])
    if asked.order:
        mine = Order.objects.for_merchant(merchant_id).filter(number=asked.order)
        fits &= Q(order__in=mine.values("pk"))
    return fits
