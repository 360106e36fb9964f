"""From a letter to a message on the wire: headers that nobody can add to, one plain text part."""

from __future__ import annotations

import hashlib
import re
from email.charset import BASE64, QP, Charset
from email.header import Header
from email.utils import formataddr, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.message import sanitize_address

from notifications.domain.letters import Letter
from notifications.models import Outbox

LONGEST_SUBJECT = 200
# Everything that ends a line somewhere, and characters that are none to be read.
_UNSEEN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u200b\\ufeff\\u202a-\\u202e]+")


class Unusable(ValueError):
    """A text is no address that a mail can go to."""


def one_line(text: str) -> str:
    """Return a text as it may stand in a header or within a line (NOTIF-09)."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def sender() -> str:
    """Return the one address that every e-mail comes from and bounces go to (NOTIF-07)."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def message_id(row: Outbox) -> str:
    """Return the same id for each hand-over of a row, from which nobody learns its key (INV-09)."""
    digest = hashlib.sha256(f"{row.event_key} {row.created_at.isoformat()}".encode()).hexdigest()
    return f"<{digest[:40]}@{sender().rpartition('@')[2]}>"


def seal(row: Outbox, letter: Letter) -> EmailMessage:
    """Make the message of a row. Raises Unusable when an address is none."""
    message = EmailMessage(
        subject=one_line(letter.subject)[:LONGEST_SUBJECT],
        body=letter.body,
        from_email=formataddr((one_line(settings.SITE_NAME), sender())),
        to=[_address(each) for each in letter.to],
        reply_to=[_address(letter.reply_to)] if letter.reply_to else None,
        headers={"Message-ID": message_id(row), "Auto-Submitted": "auto-generated"},
    )
    message.encoding = _charset(letter.body)
    return message


def on_the_wire(message: EmailMessage) -> bytes:
    """Return a message as it is sent, its lines ended as mail servers want them."""
    sealed: Any = message.message()
    subject = str(message.subject)
    if not subject.isascii():
        # The framework leaves no room for the header's name: its first line came out empty.
        sealed.replace_header("Subject", Header(subject, "utf-8", header_name="Subject"))
    return bytes(sealed.as_bytes(linesep="\r\n"))


def _address(text: str) -> str:
    """Return an address for a header and the envelope, its domain in ASCII."""
    local, at, domain = text.rpartition("@")
    if not (at and local.isascii() and domain) or _UNSEEN.search(text) or " " in text:
        raise Unusable("no address")
    try:
        return sanitize_address(text, "utf-8")
    except (ValueError, UnicodeError) as error:
        raise Unusable("no address") from error


def _charset(body: str) -> Charset:
    """Choose how a text travels: lines of it stay readable where most of it is ASCII.

    Both ways fold long lines, and neither needs a server that takes eight bits.
    """
    charset = Charset("utf-8")
    beyond = sum(not character.isascii() for character in body)
    charset.body_encoding = BASE64 if beyond * 4 > len(body) else QP
    return charset
