"""Short secrets that must be read again: encrypted and authenticated at rest (reliability SD-18).

The keys are made from SECRET_KEY and its fallbacks, so that they change together: what an older
key has sealed is still read, what is sealed now is sealed by the newest.
"""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(ValueError):
    """A sealed text was altered, is too old, or was sealed for something else."""


def seal(text: str, *, purpose: str) -> str:
    """Return a text so that only ``unseal`` for the same purpose can read it."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str, seconds: int | None = None) -> str:
    """Return what was sealed, at most so many seconds ago. Raises Unreadable."""
    try:
        return _box(purpose).decrypt(sealed.encode(), ttl=seconds).decode()
    except InvalidToken as error:
        raise Unreadable(purpose) from error


def _box(purpose: str) -> MultiFernet:
    return _made((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS), purpose)


@lru_cache(maxsize=16)
def _made(secrets: tuple[str, ...], purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(secret, purpose)) for secret in secrets])


def _key(secret: str, purpose: str) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=f"sealing {purpose}".encode())
    return base64.urlsafe_b64encode(derived.derive(secret.encode()))
