"""The only way a request reaches a report."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from accounts.access import View, needs
from accounts.permissions import Function, Level
from core.http import MerchantRequest
from reports.models import Report


def report_needs(level: Level) -> Callable[[View], View]:
    """Hand the view its report: members without the level get 403, strangers 404 (REPORT-21)."""

    def decorate(view: View) -> View:
        @needs(Function.ORDER_REPORTS, level)
        @wraps(view)
        def of_ours(request: MerchantRequest, number: int) -> HttpResponseBase:
            mine = Report.objects.for_merchant(request.member.merchant_id)
            report = get_object_or_404(mine.select_related("merchant__marketplace"), pk=number)
            return view(request, report)

        return of_ours

    return decorate
