"""An authenticator app in a few lines, written apart from the product's own (RFC 6238)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import datetime

from accounts.domain import second_factor, totp
from accounts.models import User
from core import clock

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(at: datetime | None = None, steps: int = 0, secret: str = SECRET) -> str:
    """The code of an instant, or so many steps later."""
    seconds = time.time() if at is None else at.timestamp()
    message = int(seconds // 30 + steps).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(secret), message, hashlib.sha1).digest()
    offset = digest[19] % 16
    number = int.from_bytes(digest[offset : offset + 4], "big") % 2**31
    return str(number % 1_000_000).zfill(6)


def turn_on(user: User) -> list[str]:
    """Turn the second step on five minutes ago; return the recovery codes."""
    before = clock.now().timestamp() - 300
    at = datetime.fromtimestamp(before, clock.now().tzinfo)
    with clock.stopped(at):
        return second_factor.turn_on(
            user=user, secret=SECRET, code=totp.code_of(SECRET, totp.counter_at(at))
        )
