"""How the gateway signs what it reports, and how old it may be (TH-03)."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from django.conf import settings

FRESH = timedelta(minutes=5)


def signature(body: bytes, *, timestamp: str, secret: str) -> str:
    """Return the HMAC-SHA256 of time and body, in hexadecimal."""
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_authentic(body: bytes, *, timestamp: str, signed: str, at: datetime) -> bool:
    """Whether the gateway said this just now. timestamp: seconds since 1970, UTC.

    Without a secret in the settings nothing is authentic.
    """
    secret = settings.GATEWAY_CALLBACK_SECRET
    if not secret or not re.fullmatch(r"[0-9]{1,11}", timestamp, re.ASCII):
        return False
    said_at = datetime.fromtimestamp(int(timestamp), UTC)
    expected = signature(body, timestamp=timestamp, secret=secret)
    same = hmac.compare_digest(expected.encode(), signed.encode("utf-8", "replace"))
    return same and abs(at - said_at) <= FRESH
