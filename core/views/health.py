"""Health addresses: whether the process lives, and whether it can work (TECH-11)."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from core import health
from core.http import is_internal


def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return _answer({"live": "ok"}, 200)


def ready(request: HttpRequest) -> JsonResponse:
    """Say a word for each part to those inside, to others only whether all is well."""
    told = health.words()
    is_ready = health.is_ready(told)
    status = 200 if is_ready else 503
    return _answer(told if is_internal(request) else {"ready": "ok" if is_ready else "no"}, status)


def _answer(parts: dict[str, str], status: int) -> JsonResponse:
    response = JsonResponse(parts, status=status)
    response["Cache-Control"] = "no-store"
    return response
