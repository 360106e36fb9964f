"""Which merchant a signed-in person works for in this request, and with which rights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.domain import sign_ins
from core.actor import Actor

_REFRESH = timedelta(minutes=1)  # how stale the session's expiry may get


class Member:
    """Attach ``member`` and ``actor``, read anew each time: removal takes effect at once.

    ``other_merchants`` are those one may switch to (PERMISSION-06).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.member = None  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            if _outlived(request):
                logout(request)
            else:
                _attach(request)
        return self.get_response(request)


def _attach(request: HttpRequest) -> None:
    """Take the merchant chosen in the session, else the first one."""
    user = request.user
    places = user.places  # type: ignore[union-attr]
    if not places:
        return
    chosen = request.session.get("merchant")
    member = next((place for place in places if place.merchant_id == chosen), places[0])
    request.member = member  # type: ignore[attr-defined]
    others = [place.merchant for place in places if place is not member]
    request.other_merchants = others  # type: ignore[attr-defined]
    request.actor = Actor(  # type: ignore[attr-defined]
        "form",
        user.name,  # type: ignore[union-attr]
        user_id=user.pk,
        levels={row["function"]: row["level"] for row in member.levels},
        owner=member.is_owner,
    )


def _outlived(request: HttpRequest) -> bool:
    """Keep an idle session alive for its time from now; end it at last, used or not (SD-05)."""
    now = timezone.now().timestamp()
    limits = sign_ins.lifetime_of(request.user)  # type: ignore[arg-type]
    request.idle_seconds = int(limits.idle.total_seconds())  # type: ignore[attr-defined]
    started = request.session.setdefault("started", now)
    seen = request.session.setdefault("seen", now)
    if now - started > limits.longest.total_seconds() or now - seen > limits.idle.total_seconds():
        return True
    if now - seen > _REFRESH.total_seconds():
        request.session["seen"] = now
    return False
