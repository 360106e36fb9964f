"""Settings > Audit trail: what happened in the account, by whom, through which door (IMPL-04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.domain import calendar
from accounts.models import Marketplace
from accounts.permissions import Function
from audit.domain import history
from audit.models import DOORS, Entry
from core import days
from core.http import MerchantRequest
from orders.domain import numbers, trail
from orders.domain.trail import KINDS, Asked

_FIELDS = ("from", "to", "person", "door", "kind", "order")
_COLUMNS = ("number", "time", "who", "door", "what", "order-id", "before", "after")
# A name that a spreadsheet would take for a formula is written as text (REPORT-18).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@require_safe
@needs(Function.AUDIT_TRAIL)
def audit_trail(request: MerchantRequest) -> HttpResponse:
    """Show a page of the history, newest first."""
    member = request.member
    marketplace = member.merchant.marketplace
    form = _Form.read(request, marketplace)
    found = trail.stretch(member.merchant_id, form.asked, before=_number(request.GET.get("before")))
    typed = {name: value for name, value in form.typed.items() if value}
    older = urlencode({**typed, "before": str(found.older)}) if found.older else ""
    context = {
        "form": form,
        "lines": [_line(entry) for entry in found.entries],
        "older": f"?{older}" if older else "",
        "newest": f"?{urlencode(typed)}" if "before" in request.GET else "",
        "export": f"export/?{urlencode(typed)}",
        "kinds": [(key, words) for key, (_begins, words) in KINDS.items()],
        "doors": DOORS,
        "date_example": days.example(marketplace.country),
        "sees_account": request.actor.may_view(Function.ACCOUNT_INFO),
    }
    return render(request, "settings/audit_trail.html", context, status=422 if form.errors else 200)


@require_safe
@needs(Function.AUDIT_TRAIL)
def export(request: MerchantRequest) -> HttpResponseBase:
    """Send the lines that fit as tab-delimited text; the history remembers that, too."""
    member = request.member
    form = _Form.read(request, member.merchant.marketplace)
    if form.errors:
        return audit_trail(request)
    at = calendar.now_for(member.merchant)
    told = {name: value for name, value in form.typed.items() if value}
    if request.method == "GET":
        history.append(
            [history.Line(member.merchant_id, "trail.exported", at, request.actor, after=told)]
        )
    entries = trail.export(member.merchant_id, form.asked)
    answer = StreamingHttpResponse(
        ("\t".join(row) + "\r\n" for row in _rows(entries)),
        content_type="text/tab-separated-values; charset=utf-8",
    )
    answer["Content-Disposition"] = 'attachment; filename="audit-trail.txt"'
    return answer


@dataclass(slots=True)
class _Form:
    """What was asked for: as typed, as read, and what could not be read."""

    typed: dict[str, str]
    asked: Asked
    errors: dict[str, str]

    @classmethod
    def read(cls, request: MerchantRequest, marketplace: Marketplace) -> _Form:
        typed = {name: request.GET.get(name, "").strip()[:200] for name in _FIELDS}
        errors: dict[str, str] = {}
        first = _day(typed, "from", marketplace, errors)
        last = _day(typed, "to", marketplace, errors)
        order = numbers.normalised(typed["order"]) or "" if typed["order"] else ""
        if typed["order"] and not order:
            errors["order"] = _("Enter an Order ID of 17 digits")
        if first and last and first > last:
            errors["from"] = _("From must be before To")
        asked = Asked(
            from_at=_midnight(first, marketplace) if first else None,
            to_at=_midnight(last + timedelta(days=1), marketplace) if last else None,
            actor=typed["person"],
            door=typed["door"] if typed["door"] in DOORS else "",
            kind=typed["kind"] if typed["kind"] in KINDS else "",
            order=order,
        )
        return cls(typed, asked, errors)


def _day(
    typed: Mapping[str, str], name: str, marketplace: Marketplace, errors: dict[str, str]
) -> date | None:
    if not typed[name]:
        return None
    day = days.read_day(typed[name])
    if day is None or not 2000 <= day.year <= 2100:
        errors[name] = _("Enter a date, like %s") % days.example(marketplace.country)
        return None
    return day


def _midnight(day: date, marketplace: Marketplace) -> datetime:
    return datetime.combine(day, time(0), marketplace.zone).astimezone(UTC)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _line(entry: Entry) -> dict[str, Any]:
    names = sorted({*entry.before, *entry.after})
    return {
        "entry": entry,
        "what": trail.label_of(entry.event),
        "changes": [(name, entry.before.get(name), entry.after.get(name)) for name in names],
    }


def _rows(entries: Iterator[Entry]) -> Iterator[list[str]]:
    yield list(_COLUMNS)
    for entry in entries:
        cells = [
            str(entry.number),
            entry.happened_at.astimezone(UTC).isoformat(timespec="seconds"),
            entry.actor,
            entry.door,
            trail.label_of(entry.event),
            entry.order.number if entry.order else "",
            _flat(entry.before),
            _flat(entry.after),
        ]
        yield [_plain(cell) for cell in cells]


def _flat(values: Mapping[str, object]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in sorted(values.items()))


def _plain(cell: str) -> str:
    text = " ".join(cell.split())
    return f"'{text}" if text.startswith(_FORMULA) else text
