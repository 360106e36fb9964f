"""Upload results: the summary, every error beside its record, and a check that may be applied."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from accounts.permissions import Function
from core.http import MerchantRequest
from core.refusal import Refused
from core.stored_files import Damaged, NoRoom
from core.views import errors
from orders.models import Order
from uploads.access import get_upload, may_upload
from uploads.codes import CODES, Kind
from uploads.domain import receiving
from uploads.domain.reading import parsed
from uploads.enums import NAMES, Feed, UploadState
from uploads.models import Record, Upload
from uploads.views.pages import done_of

PAGE = 50
_SORTS = {"record": "number", "-record": "-number"}


@require_safe
@needs(Function.UPLOADS)
def upload_results(request: MerchantRequest, number: int) -> HttpResponse:
    """Show how an upload came out, or how far it is (FEED-15)."""
    upload = get_upload(request, number)
    kind = request.GET.get("type", "")
    kind = kind if kind in Kind.values else ""
    sort = request.GET.get("sort", "record")
    rows = upload.records.exclude(messages=[])
    if kind == Kind.ERROR:
        rows = rows.filter(succeeded=False)
    elif kind == Kind.WARNING:
        rows = rows.filter(succeeded=True)
    if sort == "code":
        rows = rows.order_by("messages__0__code", "number")
    else:
        rows = rows.order_by(_SORTS.get(sort, "number"))
    counts = {"error": upload.failed, "warning": upload.warned}
    pages = Paginator(rows, PAGE)
    pages.count = sum(counts.values()) if not kind else counts[kind]  # counted when it ended
    shown = pages.get_page(request.GET.get("page"))
    context = {
        "upload": upload,
        "done": done_of(upload),
        "problems": upload.problems,
        "page": shown,
        "lines": _lines(upload, list(shown) if not upload.is_open else []),
        "kind": kind,
        "sort": sort if sort in ("record", "-record", "code") else "record",
        "counts": counts,
        "total": sum(counts.values()),
        "plan": _plan(upload) if upload.state == UploadState.CHECKED else None,
        "may_apply": may_upload(request, Feed(upload.feed)),
        "upload_home": reverse(f"uploads:{NAMES[Feed(upload.feed)]}"),
    }
    return render(request, "uploads/results.html", context)


@require_POST
@needs(Function.UPLOADS)
def apply_checked(request: MerchantRequest, number: int) -> HttpResponse:
    """Apply a file that was checked: exactly it, once more judged as it is applied."""
    upload = get_upload(request, number)
    if upload.state != UploadState.CHECKED or not may_upload(request, Feed(upload.feed)):
        return errors.refused(request, _("Ask the account owner for access."))
    try:
        applied = receiving.apply_checked(upload=upload, by=request.actor)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("uploads:results", upload.number)
    except (Damaged, NoRoom):
        return errors.unfinished(
            request, _("The file could not be stored; nothing was processed. Try again later.")
        )
    return redirect("uploads:results", applied.number)


def _lines(upload: Upload, records: list[Record]) -> list[dict[str, Any]]:
    """Return the messages of records with their cells; orders that are ours become links."""
    values = {record.pk: parsed(upload.names, record.text) for record in records}
    numbers = {row.get("order-id", "") for row in values.values()}
    ours = set(
        Order.objects.for_merchant(upload.merchant_id)
        .filter(number__in=numbers)
        .values_list("number", flat=True)
    )
    return [
        {
            "record": record,
            "order": values[record.pk].get("order-id", ""),
            "is_ours": values[record.pk].get("order-id", "") in ours,
            "message": message,
            "kind": CODES[message["code"]].kind,
            "cells": values[record.pk].items(),
        }
        for record in records
        for message in record.messages
    ]


def _plan(upload: Upload) -> dict[str, Any]:
    """Add up what a checked file would do: orders, units, money, mails."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE effect <> '{}'),"
            " coalesce(sum((effect->>'units')::int), 0),"
            " coalesce(sum((effect->>'charged')::numeric), 0),"
            " coalesce(sum((effect->>'refunded')::numeric), 0),"
            " coalesce(sum((SELECT count(*) FROM jsonb_array_elements_text("
            "   coalesce(effect->'mails', '[]')) k WHERE k ~ '^N[0-9]')), 0),"
            " max(effect->>'currency')"
            " FROM uploads_record WHERE upload_id = %s AND succeeded",
            [upload.pk],
        )
        acts, units, charged, refunded, mails, currency = cursor.fetchone()
    return {
        "acts": acts,
        "units": units,
        "charged": charged,
        "refunded": refunded,
        "mails": mails,
        "currency": currency or upload.merchant.marketplace.currency,
    }
