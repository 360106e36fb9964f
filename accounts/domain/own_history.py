"""What people change about their own sign-in, told to every merchant they work for (IMPL-04)."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.domain import calendar
from accounts.models import Merchant, User
from audit.domain import history
from core.actor import Actor


def tell(
    user: User,
    event: str,
    after: Mapping[str, object] | None = None,
    *,
    by: Actor | None = None,
) -> None:
    """Append a line to the history of each merchant of a person; names no secret.

    by: who did it, if not they themselves.
    """
    by = by or Actor("form", user.name, user_id=user.pk)
    told = {"user": user.pk, **(after or {})}
    places = Merchant.objects.filter(memberships__user=user, memberships__removed_at=None)
    history.append(
        [
            history.Line(merchant.pk, event, calendar.now_for(merchant), by, after=told)
            for merchant in places.order_by("pk")
        ]
    )


def home_of(user: User) -> Merchant | None:
    """Return the merchant under which a person's letters are kept; None for who has none."""
    places = Merchant.objects.filter(memberships__user=user, memberships__removed_at=None)
    return places.order_by("memberships__pk").first()
