"""Help around files: templates to fill in, and what every code of a report means."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.permissions import Function
from core.http import MerchantRequest
from uploads import workbooks
from uploads.codes import CODES
from uploads.columns import LAYOUTS
from uploads.enums import Feed

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@needs(Function.UPLOADS)
def template_help(request: MerchantRequest, feed: str) -> HttpResponse:
    """Explain a template and lead to it, with and without cell validation (FEED-03)."""
    kind = _feed(feed)
    context = {"feed": kind, "columns": LAYOUTS[kind].columns, "name": workbooks.NAMES[kind]}
    return render(request, "uploads/template_help.html", context)


@require_safe
@needs(Function.UPLOADS)
def template_file(request: MerchantRequest, feed: str) -> HttpResponse:
    """Send the workbook to fill in."""
    kind = _feed(feed)
    plain = request.GET.get("validation") == "no"
    country = request.member.merchant.marketplace.country
    data = workbooks.workbook(kind, country=country, validated=not plain)
    answer = HttpResponse(data, content_type=_XLSX)
    name = f"{kind.value}-template{'-plain' if plain else ''}.xlsx"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_safe
@needs(None)
def error_codes(request: MerchantRequest) -> HttpResponse:
    """List every code of the processing report with its cause and remedy (FEED-19)."""
    return render(request, "uploads/error_codes.html", {"codes": CODES.values()})


def _feed(name: str) -> Feed:
    if name not in Feed.values:
        raise Http404
    return Feed(name)
