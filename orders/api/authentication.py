"""A program signs in with its merchant's key: ``Authorization: Bearer sc_…``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.domain import keys
from accounts.models import ApiKey
from core import security
from core.actor import Actor
from core.security import Event


class KeyUser:
    """Who a request with a key acts as; the framework asks only whether it is authenticated."""

    is_authenticated = True

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.merchant = key.merchant
        self.actor = Actor("api", f"API key {key.name}", levels=dict(key.levels))
        self.pk = key.pk


class KeyAuthentication(BaseAuthentication):
    keyword = b"bearer"

    def authenticate(self, request: Request) -> tuple[KeyUser, None] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword:
            return None
        secret = words[1].decode("latin-1") if len(words) == 2 else ""
        key = keys.authenticate(secret)
        if key is None:
            if revoked := keys.revoked(secret):
                security.note(Event.KEY_REFUSED, "revoked", merchant=revoked.merchant_id)
            else:
                security.note(Event.KEY_REFUSED, "unknown")
            raise AuthenticationFailed("The key is unknown or revoked.")
        return KeyUser(key), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
