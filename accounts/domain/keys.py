"""Keys of a merchant's programs for the JSON API."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from accounts.domain import calendar
from accounts.models import ApiKey, Merchant
from accounts.permissions import ORDER_FUNCTIONS, Function, Level
from audit.domain import history
from core.actor import Actor

_USED_EVERY = timedelta(minutes=5)  # how exact "last used" is


@transaction.atomic
def create_key(
    *,
    merchant: Merchant,
    name: str,
    by: Actor,
    levels: Mapping[Function, Level] = ORDER_FUNCTIONS,
) -> tuple[ApiKey, str]:
    """Make a key; return it with its secret, which is shown now and never again (IMPL-13)."""
    prefix = secrets.token_hex(4)
    secret = f"sc_{prefix}_{secrets.token_urlsafe(32)}"
    at = calendar.now_for(merchant)
    key = ApiKey.objects.create(
        merchant=merchant,
        name=name,
        prefix=prefix,
        digest=_digest(secret),
        levels={function.value: level.value for function, level in levels.items()},
        created_by_id=by.user_id,
        created_at=at,
    )
    line = history.Line(merchant.pk, "key.created", at, by, after={"key": prefix, "name": name})
    history.append([line])
    return key, secret


@transaction.atomic
def revoke_key(*, key_id: int, by: Actor) -> None:
    """End a key: its next request is refused."""
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=key_id)
    if key.revoked_at is None:
        at = calendar.now_for(key.merchant)
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        line = history.Line(key.merchant_id, "key.revoked", at, by, after={"key": key.prefix})
        history.append([line])


def authenticate(secret: str) -> ApiKey | None:
    """Return the live key of a secret, with merchant and marketplace, or None."""
    key = (
        ApiKey.objects.select_related("merchant__marketplace")
        .filter(digest=_digest(secret), revoked_at=None)
        .first()
    )
    if key is not None:
        now = calendar.now_for(key.merchant)
        unused = Q(last_used_at=None) | Q(last_used_at__lt=now - _USED_EVERY)
        ApiKey.objects.filter(unused, pk=key.pk).update(last_used_at=now)
    return key


def revoked(secret: str) -> ApiKey | None:
    """Return the ended key of a secret: somebody still has it, or has found it."""
    return ApiKey.objects.filter(digest=_digest(secret), revoked_at__isnull=False).first()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
