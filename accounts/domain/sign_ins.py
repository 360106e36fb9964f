"""Open sign-ins of a person: which there are, and ending them (TH-25)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Session, User


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a sign-in lasts: without use, and at most (reliability SD-05)."""

    idle: timedelta
    longest: timedelta


OF_MEMBERS = Lifetime(timedelta(hours=12), timedelta(days=7))
OF_OPERATORS = Lifetime(timedelta(minutes=30), timedelta(hours=12))


def lifetime_of(user: User) -> Lifetime:
    return OF_OPERATORS if user.is_operator else OF_MEMBERS


@dataclass(frozen=True, slots=True)
class SignIn:
    """An open sign-in. handle: names it on pages; its key never leaves the server.

    browser: what the browser said about itself, cut; address: where the sign-in came from.
    """

    handle: str
    started_at: datetime
    seen_at: datetime
    browser: str
    address: str
    is_this: bool


def begin(*, browser: str, address: str) -> dict[str, object]:
    """Return what a new session remembers about its sign-in."""
    now = timezone.now().timestamp()
    return {"started": now, "seen": now, "browser": browser[:200], "address": address}


def open_of(user: User, *, this: str) -> list[SignIn]:
    """Return a person's open sign-ins, the present one first, then the last used."""
    now = timezone.now()
    limits = lifetime_of(user)
    rows = Session.objects.filter(user=user, expire_date__gt=now)
    found = [_sign_in(row, this) for row in rows]
    alive = [
        each
        for each in found
        if now - each.started_at <= limits.longest and now - each.seen_at <= limits.idle
    ]
    return sorted(alive, key=lambda each: (not each.is_this, -each.seen_at.timestamp()))


def end(*, user: User, handle: str) -> bool:
    """End one of a person's sign-ins with its next request; say whether it was open."""
    keys = Session.objects.filter(user=user).values_list("session_key", flat=True)
    found = [key for key in keys if handle_of(key) == handle]
    return Session.objects.filter(user=user, session_key__in=found).delete()[0] > 0


def end_all(*, user: User, but: str = "") -> int:
    """End every sign-in of a person, but the one with a given key; return how many ended."""
    return Session.objects.filter(user=user).exclude(session_key=but).delete()[0]


def handle_of(key: str) -> str:
    return hashlib.sha256(f"sign-in {key}".encode()).hexdigest()[:16]


def ended(*, before: datetime) -> QuerySet[Session]:
    """Return the rows of sessions whose time was over by then."""
    return Session.objects.filter(expire_date__lt=before)


def _sign_in(row: Session, this: str) -> SignIn:
    told: Mapping[str, Any] = row.get_decoded()
    started = datetime.fromtimestamp(told.get("started", 0), UTC)
    return SignIn(
        handle=handle_of(row.session_key),
        started_at=started,
        seen_at=datetime.fromtimestamp(told.get("seen", told.get("started", 0)), UTC),
        browser=told.get("browser", ""),
        address=told.get("address", ""),
        is_this=row.session_key == this,
    )
