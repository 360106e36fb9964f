"""Handing messages to the mail server of the settings, over one connection."""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend

from notifications.domain.envelopes import on_the_wire, sender


class Unreachable(Exception):
    """The mail server is not there; no message is at fault. ``str()`` says how, in a word."""


class Verdict(Enum):
    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one hand-over. code: the server's codes, or the kind of fault."""

    verdict: Verdict
    code: str = ""


class MailServer:
    """One connection, opened when it is first needed and reused until it fails.

    Any e-mail backend of the framework will do; with SMTP each step of a hand-over is its own,
    because it matters whether a connection broke before or after the data.
    """

    def __init__(self) -> None:
        self._backend = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._backend.close()

    def open(self) -> None:
        """Connect unless connected. Raises Unreachable."""
        try:
            self._backend.open()
            if isinstance(self._backend, EmailBackend):
                _session(self._backend).ehlo_or_helo_if_needed()
        except OSError as error:  # those of SMTP, TLS and names are all of this kind
            self._drop()
            raise Unreachable(_fault(error)) from error

    def hand_over(self, message: EmailMessage) -> Answer:
        """Hand one message over and return what the server said.

        Raises Unreachable when the server went away before it had the message.
        """
        self.open()
        if not isinstance(self._backend, EmailBackend):
            return self._hand_to(message)
        smtp = _session(self._backend)
        try:
            refused = _envelope(smtp, message.recipients())
        except OSError as error:
            return self._cut(error)
        if refused is not None and refused.verdict is not Verdict.TAKEN:
            self._begin_anew(smtp)
            return refused
        try:
            answer = _data(smtp, on_the_wire(message))
        except OSError as error:
            # It may have the message: it gets it once more, under the same Message-ID.
            self._drop()
            return Answer(Verdict.LATER, f"{_fault(error)} after the data")
        if answer.verdict is not Verdict.TAKEN:
            self._begin_anew(smtp)
            return answer
        return refused or answer

    def _hand_to(self, message: EmailMessage) -> Answer:
        try:
            self._backend.send_messages([message])
        except OSError as error:
            raise Unreachable(_fault(error)) from error
        return Answer(Verdict.TAKEN)

    def _cut(self, error: OSError) -> Answer:
        """Tell a server that is gone from one that cannot bear this message."""
        self._drop()
        self.open()
        return Answer(Verdict.LATER, _fault(error))

    def _begin_anew(self, smtp: smtplib.SMTP) -> None:
        """Let the session forget a refused message, if it still stands."""
        try:
            smtp.rset()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        """Close what is left of a connection without waiting for anybody."""
        smtp = getattr(self._backend, "connection", None)
        if smtp is not None:
            smtp.close()
            self._backend.connection = None  # type: ignore[attr-defined]


def _session(backend: EmailBackend) -> smtplib.SMTP:
    assert isinstance(backend.connection, smtplib.SMTP)
    return backend.connection


def _envelope(smtp: smtplib.SMTP, recipients: list[str]) -> Answer | None:
    """Name sender and recipients; return what was refused, None when everything was taken.

    TAKEN with a code: some of several addresses were refused, the others get the message.
    """
    code, text = smtp.mail(sender())
    if code != 250:
        # About us, not about this message: a setting may be repaired, so never for good.
        return Answer(Verdict.LATER, _answer(code, text).code)
    refused = []
    for address in recipients:
        code, text = smtp.rcpt(address)
        if code not in (250, 251):
            refused.append(_answer(code, text))
    if not refused:
        return None
    if len(refused) < len(recipients):
        return Answer(Verdict.TAKEN, refused[0].code)
    later = [one for one in refused if one.verdict is Verdict.LATER]
    return (later or refused)[0]


def _data(smtp: smtplib.SMTP, message: bytes) -> Answer:
    """Send the text and wait long for its receipt: who hangs up too early sends twice."""
    assert smtp.sock is not None
    smtp.sock.settimeout(settings.MAIL_ANSWER_SECONDS)
    try:
        answer = _answer(*smtp.data(message))
    except smtplib.SMTPDataError as error:
        answer = _answer(error.smtp_code, error.smtp_error)
    if smtp.sock is not None:
        smtp.sock.settimeout(settings.EMAIL_TIMEOUT)
    return answer


def _answer(code: int, text: bytes | str) -> Answer:
    """Judge a reply by its first digit; keep its codes, never its text, which names addresses."""
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", text)
    told = f"{code} {enhanced[0]}" if enhanced else str(code)
    if 200 <= code < 300:
        return Answer(Verdict.TAKEN)
    return Answer(Verdict.NEVER if 500 <= code < 600 else Verdict.LATER, told)


def _fault(error: OSError) -> str:
    """Name a fault without its text."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error).code
    return type(error).__name__
