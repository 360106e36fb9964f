"""Which merchant a signed-in person works for in this request, and with which rights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from core.actor import Actor

_REFRESH = timedelta(minutes=1)  # how stale the session's expiry may get
_LONGEST = timedelta(days=7)  # a session ends then, used or not (reliability SD-05)


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
    """Keep an idle session alive for 12 hours from now; end it a week after the sign-in."""
    now = timezone.now()
    started = request.session.setdefault("started", now.timestamp())
    if now.timestamp() - started > _LONGEST.total_seconds():
        return True
    seen = request.session.get("seen", 0)
    if now.timestamp() - seen > _REFRESH.total_seconds():
        request.session["seen"] = now.timestamp()
    return False
