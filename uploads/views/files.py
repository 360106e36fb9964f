"""Files to take away: the processing report, what failed, and the original."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.permissions import Function
from core import stored_files
from core.http import MerchantRequest
from core.stored_files import Damaged
from core.views import errors
from uploads.access import get_upload
from uploads.domain import reports


@require_safe
@needs(Function.UPLOADS)
def processing_report(request: MerchantRequest, number: int) -> HttpResponseBase:
    """Send the processing report; ``layout=api`` as clients of the signed API read it."""
    upload = get_upload(request, number)
    if upload.is_open:
        return errors.unfinished(request, _("The file is still being processed."))
    wire = request.GET.get("layout") == "api"
    text = reports.wire_report(upload) if wire else reports.processing_report(upload)
    return _attachment(text, f"processing-report-{upload.number}.txt")


@require_safe
@needs(Function.UPLOADS)
def failed_records(request: MerchantRequest, number: int) -> HttpResponseBase:
    """Send the records that failed as a file, ready to be mended and uploaded again."""
    upload = get_upload(request, number)
    if upload.is_open or not upload.names:
        return errors.unfinished(request, _("There are no records to mend in this file."))
    return _attachment(reports.failed_records(upload), f"failed-records-{upload.number}.txt")


@require_safe
@needs(Function.UPLOADS)
def original(request: MerchantRequest, number: int) -> HttpResponseBase:
    """Send the file as it was uploaded (FEED-39)."""
    upload = get_upload(request, number)
    try:
        file = stored_files.hand_out(upload.kept)
    except Damaged:
        return errors.unfinished(request, _("The file is no longer there as it was uploaded."))
    name = upload.file_name or f"upload-{upload.number}.txt"
    return FileResponse(
        file, as_attachment=True, filename=name, content_type="application/octet-stream"
    )


def _attachment(pieces: Iterator[str], name: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(
        (piece.encode() for piece in pieces),
        content_type="text/tab-separated-values; charset=utf-8",
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
