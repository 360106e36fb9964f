"""Which merchant a signed-in person works for in this request, and with which rights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import logout
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import Grant, Membership
from core.actor import Actor

_REFRESH = timedelta(minutes=10)  # how stale the session's expiry may get
_LONGEST = timedelta(days=7)  # a session ends then, used or not (reliability SD-05)


class Member:
    """Attach ``member`` and ``actor``, read anew each time: removal takes effect at once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.member = None  # type: ignore[attr-defined]
        user = request.user
        if user.is_authenticated:
            if _outlived(request):
                logout(request)
            else:
                self._attach(request)
        return self.get_response(request)

    def _attach(self, request: HttpRequest) -> None:
        member = _member(request)
        if member is None:
            return
        request.member = member  # type: ignore[attr-defined]
        levels = {row["function"]: row["level"] for row in member.levels}  # type: ignore[attr-defined]
        request.actor = Actor(  # type: ignore[attr-defined]
            "form",
            request.user.name,  # type: ignore[union-attr]
            user_id=request.user.pk,
            levels=levels,
            owner=member.is_owner,
        )


def _member(request: HttpRequest) -> Membership | None:
    """Return the membership worked under: the one chosen in the session, else the first."""
    levels = Grant.objects.filter(membership=OuterRef("pk"))
    mine = (
        Membership.objects.filter(user=request.user.pk, removed_at=None)
        .select_related("merchant__marketplace")
        .annotate(
            levels=ArraySubquery(levels.values(json=JSONObject(function="function", level="level")))
        )
        .order_by("pk")
    )
    chosen = request.session.get("merchant")
    rows = list(mine)
    return next((row for row in rows if row.merchant_id == chosen), rows[0] if rows else None)


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
