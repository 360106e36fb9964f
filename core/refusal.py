"""A refusal is data: pages, buttons, APIs, files and dry runs all speak from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Code to HTTP status: table 4.3 of the requirements and section 8 of reliability.
HTTP_STATUS: Mapping[str, int] = {
    "NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "ORDER_PENDING": 409,
    "ORDER_CANCELLED": 409,
    "ORDER_ALREADY_SHIPPED": 409,
    "ORDER_PARTIALLY_SHIPPED": 409,
    "CONFIRMATION_PERIOD_ENDED": 409,
    "CONFIRMATION_IN_PROGRESS": 409,
    "NOT_CHARGED": 409,
    "USE_CANCEL": 409,
    "INVALID_TRANSITION": 409,
    "CANCEL_WINDOW_CLOSED": 409,
    "EDIT_WINDOW_CLOSED": 409,
    "STALE_ORDER": 409,
    "STALE_SETTINGS": 409,
    "LAST_OWNER": 409,
    "LINK_ENDED": 410,
    "TOO_MANY": 429,
    "PLATFORM_FULFILLED": 409,
    "ACCOUNT_SUSPENDED": 409,
    "CANCELLATION_REQUESTED": 409,
    "NO_OPEN_REQUEST": 409,
    "PAYMENT_CAPTURE_FAILED": 402,
    "PAYMENT_NOT_AUTHORISED": 402,
    "REFUND_LIMIT": 422,
    "QUANTITY_EXCEEDED": 422,
    "OUT_OF_STOCK": 422,
    "LISTING_INACTIVE": 422,
    "INVALID_INPUT": 422,
    "TOKEN_REUSED": 422,
    "ALREADY_KNOWN": 409,
    "GATEWAY_UNAVAILABLE": 503,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act is not possible now.

    code: one of ``HTTP_STATUS``.
    message: one sentence a merchant can read, with the rule and its facts.
    facts: what it rests on, by name; plain values fit for JSON.
    remedy: what or when would allow it, or what to do instead; empty when nothing would.
    field: the input it is about ("tracking_id"), or empty.
    """

    code: str
    message: str
    facts: Mapping[str, object] = field(default_factory=dict)
    remedy: str = ""
    field: str = ""

    def __post_init__(self) -> None:
        if self.code not in HTTP_STATUS:
            raise ValueError(f"Unknown refusal code {self.code}")

    @property
    def status(self) -> int:
        """The HTTP status a page or an API answers with."""
        return HTTP_STATUS[self.code]

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class Refused(Exception):
    """An act was refused; nothing was written. ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal

    @property
    def code(self) -> str:
        return self.refusal.code
