"""What the product asks of a payment gateway; an adapter is one class with these methods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from core.money import Money

CLOSED = "closed"  # the code of a key that was closed before anything was done under it


class GatewayUnavailable(Exception):
    """No answer: the act may or may not have happened; ask ``find`` before anything else."""


class VerificationOutcome(StrEnum):
    VERIFIED = "verified"
    PAID = "paid"  # the money came in advance
    CHECKING = "checking"
    AWAITING = "awaiting"  # the buyer has not paid the convenience store yet
    DECLINED = "declined"
    FRAUD = "fraud"


@dataclass(frozen=True, slots=True)
class Verification:
    outcome: VerificationOutcome


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway did under one key.

    code: why not, in the gateway's word; empty on success.
    """

    succeeded: bool
    reference: str
    code: str = ""


class Gateway(Protocol):
    """One payment gateway. Every act carries a stable key: the same key again acts once.

    Each method may raise GatewayUnavailable; none may take longer than 10 seconds.
    """

    def verify(
        self, *, token: str, amount: Money, started_at: datetime, at: datetime
    ) -> Verification:
        """Say whether the buyer's payment method holds the amount (PENDING-02)."""

    def authorise(self, *, key: UUID, token: str, amount: Money, at: datetime) -> Answer:
        """Hold another amount at once, beside what is held (BUYERCANCEL-01)."""

    def capture(self, *, key: UUID, token: str, amount: Money, at: datetime) -> Answer:
        """Charge the amount."""

    def void(self, *, key: UUID, token: str, amount: Money, at: datetime) -> Answer:
        """Release an authorisation that will not be captured."""

    def refund(self, *, key: UUID, token: str, amount: Money, at: datetime) -> Answer:
        """Give the amount back to the buyer."""

    def find(self, *, key: UUID) -> Answer | None:
        """Return what was done under a key; None when the gateway never heard of it."""

    def close(self, *, key: UUID) -> Answer:
        """Return what was done under a key; if nothing was, see to it that nothing ever will be.

        A call that comes late then gets the same answer: not succeeded, code ``CLOSED``.
        """
