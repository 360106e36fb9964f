"""Payment gateways: the interface, and the one that the settings name."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from payments.gateways.base import (
    CLOSED,
    Answer,
    Gateway,
    GatewayUnavailable,
    Verification,
    VerificationOutcome,
)

__all__ = [
    "CLOSED",
    "Answer",
    "Gateway",
    "GatewayUnavailable",
    "Verification",
    "VerificationOutcome",
    "gateway",
]


@cache
def _load(path: str) -> Gateway:
    adapter: Gateway = import_string(path)()
    return adapter


def gateway() -> Gateway:
    """Return the gateway named by the setting PAYMENT_GATEWAY."""
    return _load(settings.PAYMENT_GATEWAY)
