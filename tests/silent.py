"""Gateways that behave badly, named by the setting PAYMENT_GATEWAY."""

from __future__ import annotations

from typing import Any

from payments.gateways import GatewayUnavailable, Verification
from payments.gateways.sandbox import SandboxGateway


class Silent(SandboxGateway):
    """Does not answer when asked about a verification."""

    def verify(self, **asked: Any) -> Verification:
        raise GatewayUnavailable("no answer")
