"""The embedded sandbox gateway: named test outcomes, and books of its own (PENDING-15).

Its books are written through a connection of their own, at once and for good, so that they stand
outside the product's transactions as a real gateway's do: what it charged, it charged, whatever
the caller rolled back afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core import clock
from core.money import Money
from payments.gateways.base import (
    CLOSED,
    Answer,
    GatewayUnavailable,
    Verification,
    VerificationOutcome,
)

OK = "ok"
OK_SLOW = "ok-slow"
DECLINED = "declined"
FRAUD = "fraud"
AUTHORISE_FAILS = "authorise-fails"
CAPTURE_FAILS = "capture-fails"
REFUND_FAILS = "refund-fails"
UNAVAILABLE = "unavailable"
ANSWER_LOST = "answer-lost"
CONVENIENCE_STORE_PAID = "convenience-store-paid"
CONVENIENCE_STORE_UNPAID = "convenience-store-unpaid"

TOKENS = (
    OK,
    OK_SLOW,
    DECLINED,
    FRAUD,
    AUTHORISE_FAILS,
    CAPTURE_FAILS,
    REFUND_FAILS,
    UNAVAILABLE,
    ANSWER_LOST,
    CONVENIENCE_STORE_PAID,
    CONVENIENCE_STORE_UNPAID,
)
CONVENIENCE_STORE = frozenset({CONVENIENCE_STORE_PAID, CONVENIENCE_STORE_UNPAID})

_books = threading.local()
_opened: list[BaseDatabaseWrapper] = []


class SandboxGateway:
    """Does what the token says; a token may carry a suffix after a colon ("ok:buyer-17").

    ok: verified after SANDBOX_VERIFICATION_DELAY; ok-slow: after four times as long; declined,
    fraud: refused after the delay; authorise-fails, capture-fails, refund-fails: that act is
    declined, the first when an order is changed;
    unavailable: captures and refunds never answer and never happen; answer-lost: they happen, but
    the answer is lost.
    """

    def verify(
        self, *, token: str, amount: Money, started_at: datetime, at: datetime
    ) -> Verification:
        word = _word(token)
        waited = at - started_at
        delay: timedelta = settings.SANDBOX_VERIFICATION_DELAY
        if word == OK_SLOW:
            delay *= 4
        if word == CONVENIENCE_STORE_UNPAID:
            return Verification(VerificationOutcome.AWAITING)
        if word == CONVENIENCE_STORE_PAID:
            paid = waited >= delay
            return Verification(VerificationOutcome.PAID if paid else VerificationOutcome.AWAITING)
        if waited < delay:
            return Verification(VerificationOutcome.CHECKING)
        if word == DECLINED or word not in TOKENS:  # a slip of the pen is no sale
            return Verification(VerificationOutcome.DECLINED)
        if word == FRAUD:
            return Verification(VerificationOutcome.FRAUD)
        return Verification(VerificationOutcome.VERIFIED)

    def authorise(self, *, key: UUID, token: str, amount: Money, at: datetime) -> Answer:
        return self._act("authorise", key, token, amount, at, fails=AUTHORISE_FAILS)

    def capture(self, *, key: UUID, token: str, amount: Money, at: datetime) -> Answer:
        return self._act("capture", key, token, amount, at, fails=CAPTURE_FAILS)

    def void(self, *, key: UUID, token: str, amount: Money, at: datetime) -> Answer:
        return self._act("void", key, token, amount, at, fails="")

    def refund(self, *, key: UUID, token: str, amount: Money, at: datetime) -> Answer:
        return self._act("refund", key, token, amount, at, fails=REFUND_FAILS)

    def find(self, *, key: UUID) -> Answer | None:
        with _cursor() as cursor:
            cursor.execute(
                "SELECT succeeded, reference, code FROM payments_sandboxentry WHERE key = %s", [key]
            )
            row = cursor.fetchone()
        return Answer(succeeded=row[0], reference=row[1], code=row[2]) if row else None

    def close(self, *, key: UUID) -> Answer:
        nothing = Money(Decimal(0), "")
        return self._write("close", key, "", nothing, clock.now(), CLOSED)

    def _act(
        self, act: str, key: UUID, token: str, amount: Money, at: datetime, *, fails: str
    ) -> Answer:
        word = _word(token)
        if word == UNAVAILABLE:
            raise GatewayUnavailable(f"{act} {key}: no answer")
        code = f"{act}_declined" if word == fails else ""
        answer = self._write(act, key, token, amount, at, code)
        if word == ANSWER_LOST:
            raise GatewayUnavailable(f"{act} {key}: the answer was lost")
        return answer

    def _write(
        self, act: str, key: UUID, token: str, amount: Money, at: datetime, code: str
    ) -> Answer:
        """Enter an act in the books, unless its key stands there already; return what stands."""
        with _cursor() as cursor:
            cursor.execute(
                "INSERT INTO payments_sandboxentry"
                " (key, act, token, amount, currency, succeeded, code, reference, asked_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING",
                [
                    key,
                    act,
                    token,
                    amount.amount,
                    amount.currency,
                    not code,
                    code,
                    f"sandbox-{key.hex[:16]}",
                    at,
                ],
            )
        answer = self.find(key=key)
        assert answer is not None
        return answer


def close_books() -> None:
    """Close every connection of the books, in all threads; a database about to go needs it."""
    while _opened:
        _opened.pop().close()


def _word(token: str) -> str:
    return token.split(":", 1)[0]


@contextmanager
def _cursor() -> Iterator[Any]:
    books: BaseDatabaseWrapper | None = getattr(_books, "connection", None)
    if books is None:
        books = connections.create_connection("default")
        books.inc_thread_sharing()  # closed from another thread when a test run ends
        _books.connection = books
        _opened.append(books)
    books.close_if_unusable_or_obsolete()
    with books.cursor() as cursor:
        yield cursor
