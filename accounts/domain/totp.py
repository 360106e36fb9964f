"""Codes that an app and we make from a shared secret and the time (RFC 6238: SHA-1, 30 s)."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

DIGITS = 6
STEP = 30  # seconds
_SECRET_BYTES = 20


def new_secret() -> str:
    """Return a fresh secret of 160 bit, in the letters that apps take (base 32)."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def counter_at(at: datetime) -> int:
    """Return the number of the time step an instant lies in."""
    return int(at.timestamp()) // STEP


def code_of(secret: str, counter: int) -> str:
    """Return the code of one time step."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", counter), "sha1")
    start = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[start : start + 4])
    return f"{(number & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}}"


def counter_of(secret: str, code: str, *, counters: Sequence[int]) -> int | None:
    """Return which of the given time steps a code belongs to, compared in constant time."""
    found = None
    for counter in counters:
        if hmac.compare_digest(code_of(secret, counter), code):
            found = counter
    return found


def address_for_apps(secret: str, *, account: str, issuer: str) -> str:
    """Return what the QR code tells the app: the secret, and under which name to keep it."""
    asked = {"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP}
    return f"otpauth://totp/{quote(f'{issuer}:{account}')}?{urlencode(asked, quote_via=quote)}"
