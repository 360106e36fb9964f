"""Upload Order Related Files: hand in a file, and see how the last ones came out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import needs
from accounts.permissions import Function
from core import clock, throttle
from core.http import MerchantRequest
from core.refusal import Refusal, Refused
from core.stored_files import NoRoom
from core.views import errors
from uploads.access import get_upload, may_upload
from uploads.columns import LAYOUTS, marker_row
from uploads.domain import receiving
from uploads.enums import FUNCTIONS, NAMES, Feed
from uploads.forms import UploadForm
from uploads.models import Upload

LAST = 10  # uploads the page shows; the others are one link away (FEED-14)
PAGE = 25
UPLOADS_AN_HOUR = 30  # of one merchant (SD-10)


@require_safe
@needs(Function.UPLOADS)
def first(request: MerchantRequest) -> HttpResponse:
    return _page(request, Feed.SHIPPING, UploadForm())


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Function.UPLOADS)
def upload_files(request: MerchantRequest, feed: Feed) -> HttpResponse:
    """Show the three steps of a kind of file; a post hands one in (FEED-01, FEED-02, FEED-13)."""
    if request.method != "POST":
        return _page(request, feed, UploadForm())
    if not may_upload(request, feed):
        return errors.refused(request, _("Ask the account owner for access."))
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, feed, form, status=422)
    who = str(request.member.merchant_id)
    wait = throttle.use("upload", who, limit=UPLOADS_AN_HOUR, seconds=3600, at=clock.now())
    if wait:
        text = _("At most %d files are taken in an hour.") % UPLOADS_AN_HOUR
        return errors.too_often(request, text, wait)
    file = form.cleaned_data["file"]
    check_only = "check" in request.POST
    try:
        upload = receiving.receive(
            merchant=request.member.merchant,
            feed=feed,
            file_name=file.name,
            pieces=list(file.chunks()),
            by=request.actor,
            check_only=check_only,
            again=form.cleaned_data["again"],
        )
    except Refused as refused:
        return _refused(request, feed, refused.refusal)
    except NoRoom:
        return errors.unfinished(
            request, _("The file could not be stored; nothing was processed. Try again later.")
        )
    messages.success(
        request,
        (
            _("“%(file)s” is being checked as batch %(number)s; nothing is changed")
            if check_only
            else _("“%(file)s” was uploaded as batch %(number)s")
        )
        % {"file": upload.file_name, "number": upload.number},
    )
    return redirect("uploads:results", upload.number)


@require_safe
@needs(Function.UPLOADS)
def row(request: MerchantRequest, number: int) -> HttpResponse:
    """Answer with one upload's line of the history; it asks again until it has ended."""
    upload = get_upload(request, number)
    return render(request, "uploads/_row.html", {"upload": upload, "done": done_of(upload)})


@require_safe
@needs(Function.UPLOADS)
def history(request: MerchantRequest, feed: Feed) -> HttpResponse:
    """Page through every upload of a kind (FEED-14)."""
    pages = Paginator(_uploads(request, feed), PAGE)
    shown = pages.get_page(request.GET.get("page"))
    context = {
        "feed": feed,
        "address": reverse(f"uploads:{NAMES[feed]}"),
        "page": shown,
        "uploads": _with_progress(shown),
    }
    return render(request, "uploads/history.html", context)


def done_of(upload: Upload) -> int:
    """Return how many records are answered: of an upload under way, counted now."""
    if not upload.is_open:
        return upload.count
    return upload.records.filter(is_done=True).count()


def _refused(request: MerchantRequest, feed: Feed, refusal: Refusal) -> HttpResponse:
    form = UploadForm({}, {}, asks_again=refusal.field == "again")
    form.errors.clear()
    form.add_error("file" if refusal.field in ("file", "again") else None, str(refusal))
    return _page(request, feed, form, status=refusal.status)


def _page(
    request: MerchantRequest, feed: Feed, form: UploadForm, *, status: int = 200
) -> HttpResponse:
    layout = LAYOUTS[feed]
    example = [marker_row(feed), "\t".join(layout.names)]
    example.append("\t".join(column.example for column in layout.columns))
    required = [column.name for column in layout.columns if column.required]
    context: dict[str, Any] = {
        "feed": feed,
        "kinds": _kinds(),
        "form": form,
        "address": reverse(f"uploads:{NAMES[feed]}"),
        "required": required,
        "example": "\n".join(example),
        "may_upload": may_upload(request, feed),
        "missing_right": FUNCTIONS[feed].label,
        "uploads": _with_progress(_uploads(request, feed)[:LAST]),
    }
    return render(request, "uploads/upload_files.html", context, status=status)


def _uploads(request: MerchantRequest, feed: Feed) -> QuerySet[Upload]:
    rows = Upload.objects.filter(merchant=request.member.merchant_id, feed=feed)
    return rows.order_by("-pk")


def _with_progress(uploads: Any) -> list[dict[str, Any]]:
    return [{"upload": upload, "done": done_of(upload)} for upload in uploads]


def _kinds() -> list[dict[str, Any]]:
    return [{"feed": feed, "url": f"uploads:{name}"} for feed, name in NAMES.items()]
