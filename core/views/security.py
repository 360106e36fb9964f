"""What browsers report about pages that tried to load what the policy forbids (SD-06)."""

from __future__ import annotations

import json
import re

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.security import Event, note

_LONGEST = 8192  # bytes; a report is short, anything longer is somebody else's text
_DIRECTIVE = re.compile(r"[a-z-]{1,40}")


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Note which rule was broken. Anybody may send this, so nothing else of it is kept."""
    if directive := _directive(request):
        note(Event.POLICY_VIOLATED, directive)
    return HttpResponse(status=204)


def _directive(request: HttpRequest) -> str:
    """Return the name of the broken rule, or nothing when this is no report."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > _LONGEST:
            return ""
        report = json.loads(request.body)["csp-report"]
        told = str(report.get("effective-directive") or report.get("violated-directive"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    found = _DIRECTIVE.match(told)
    return found.group() if found else ""
