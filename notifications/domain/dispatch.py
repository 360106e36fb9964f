"""Sending the e-mails of the outbox: claimed, handed over under no lock, recorded under the claim.

Whatever dies on the way, nothing is missing: a lease that lapses gives its row to the next worker.
A mail is doubled only when a worker dies between hand-over and record, and then under the same
Message-ID (INV-09). Instant notifications are not touched here.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from core import breaker, clock, failpoints, jobs
from core.logs import following, request_id
from notifications.domain import envelopes, letters
from notifications.domain.letters import Letter, Unwritten
from notifications.domain.mail_server import Answer, MailServer, Unreachable, Verdict
from notifications.models import LetterCopy, Outbox

BATCH = 100
SENDING = timedelta(seconds=30)  # a slow server's batch ends here; the rest is the next one's
ATTEMPTS = 8
# Between the tries: minutes at first, three days in all, so that a long outage is outlived.
PAUSES = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 360, 960, 2880))

State = Outbox.State
log = logging.getLogger(__name__)
# How a mail ended; its line names the action that owes it.
_LINES = {
    State.SENT.value: (logging.INFO, "mail.sent"),
    State.FAILED.value: (logging.ERROR, "mail.failed"),
    State.DROPPED.value: (logging.INFO, "mail.dropped"),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What one batch led to. more: whether there may be further rows to send now."""

    counts: Mapping[str, int] = field(default_factory=dict)
    more: bool = False


class _Watch:
    """The database's time at the start of a batch, running on without asking it again."""

    def __init__(self) -> None:
        self._at, self._started = clock.now(), time.monotonic()

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self._started)

    def now(self) -> datetime:
        return self._at + self.elapsed

    def now_for(self, row: Outbox) -> datetime:
        ahead = row.merchant.clock_ahead if row.merchant else timedelta(0)
        return self.now() + ahead

    def lease(self) -> datetime:
        return self.now() + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)


def due(at: datetime) -> QuerySet[Outbox]:
    """Return the e-mails that may leave now and that no worker has in hand."""
    return ready(at).filter(Q(lease_until=None) | Q(lease_until__lte=at))


def ready(at: datetime) -> QuerySet[Outbox]:
    """Return the e-mails whose time has come at an instant, each by its merchant's clock.

    Of an order's mails to one side only the oldest is due, so that they leave in the order of
    what happened; by state, never by number, for rows commit out of their order. Kinds that nobody
    here can write wait for a newer worker.
    """
    before = Outbox.objects.filter(
        order=OuterRef("order"),
        channel=OuterRef("channel"),
        state=State.QUEUED,
        pk__lt=OuterRef("pk"),
    )
    time_has_come = Q(merchant=None, available_at__lte=at)  # letters to who works for none
    time_has_come |= Q(available_at__lte=at + F("merchant__clock_ahead"))
    rows = Outbox.objects.filter(
        ~Exists(before), time_has_come, state=State.QUEUED, kind__in=sorted(letters.READERS)
    ).exclude(channel=Outbox.Channel.NOTIFICATION)
    return rows.order_by("available_at", "pk")


def send_due(*, limit: int = BATCH) -> Sent:
    """Send one batch of what is due (NOTIF-01, NOTIF-02).

    A server that is away ends the batch and costs its letters no attempt; it is asked again
    half a minute later. Source: FT-30 to FT-33.
    """
    if breaker.mail.is_open:
        return Sent()
    watch = _Watch()
    waiting = _claim(limit, watch)
    counts: Counter[str] = Counter()
    if not waiting:
        return Sent()
    failpoints.hit("outbox.after_claim")
    written = letters.write(waiting)
    try:
        with MailServer() as server:
            while waiting and watch.elapsed < SENDING:
                row = waiting[0]
                with following(row.request_id or request_id.get()):
                    counts[f"mails {_send(row, written[row.pk], server, watch)}"] += 1
                waiting.pop(0)
    except Unreachable as gone:
        log.warning("mail_server.away", extra={"code": str(gone), "count": len(waiting)})
        breaker.mail.trip()
        _put_back(waiting)
        return Sent(counts)
    _put_back(waiting)
    return Sent(counts, more=True)


@transaction.atomic
def _claim(limit: int, watch: _Watch) -> list[Outbox]:
    """Take rows for as long as the lease lasts; what others hold is passed over."""
    rows = due(watch.now()).select_related("merchant")
    taken = list(rows.select_for_update(skip_locked=True, of=("self",))[:limit])
    mine = Outbox.objects.filter(pk__in=[row.pk for row in taken])
    mine.update(claim=F("claim") + 1, lease_until=watch.lease())
    for row in taken:
        row.claim += 1
    return taken


def _send(row: Outbox, letter: Letter | Unwritten | None, server: MailServer, watch: _Watch) -> str:
    """Carry one row to its next state; return that in a word."""
    if letter is None:
        return _end(row, State.DROPPED, "", watch)
    if row.attempts >= ATTEMPTS:  # eight workers died with it in hand
        return _end(row, State.FAILED, "given up", watch)
    if isinstance(letter, Unwritten):
        if not _begin(row, watch):
            return "taken over"
        return _put_off(row, letter.why, watch)
    try:
        message = envelopes.seal(row, letter)
    except envelopes.Unusable as error:
        return _end(row, State.FAILED, str(error), watch)
    if not message.to:
        return _end(row, State.FAILED, "no address", watch)
    server.open()  # before the attempt is counted
    if not _begin(row, watch):
        return "taken over"
    failpoints.hit("outbox.before_hand_over")
    try:
        answer = server.hand_over(message)
    except Unreachable:
        _mine(row).update(attempts=F("attempts") - 1)
        raise
    failpoints.hit("outbox.after_hand_over")
    told = _settle(row, message, answer, watch)
    failpoints.hit("outbox.after_record")
    return told


def _begin(row: Outbox, watch: _Watch) -> bool:
    """Count the attempt and renew the lease; False when another worker has the row by now."""
    jobs.still_here()
    begun = _mine(row).update(attempts=F("attempts") + 1, lease_until=watch.lease())
    row.attempts += begun
    return begun == 1


def _settle(row: Outbox, message: EmailMessage, answer: Answer, watch: _Watch) -> str:
    if answer.verdict is Verdict.NEVER:
        return _end(row, State.FAILED, answer.code, watch)
    if answer.verdict is Verdict.LATER:
        return _put_off(row, answer.code, watch)
    if not settings.MAIL_VIEWER:
        return _end(row, State.SENT, answer.code, watch)
    with transaction.atomic():
        told = _end(row, State.SENT, answer.code, watch)
        if told == State.SENT:
            LetterCopy.objects.create(
                outbox=row,
                merchant_id=row.merchant_id,
                message_id=message.extra_headers["Message-ID"],
                sent_to=list(message.to),
                subject=str(message.subject),
                body=str(message.body),
                sent_at=watch.now_for(row),
            )
    return told


def _put_off(row: Outbox, why: str, watch: _Watch) -> str:
    """Try again after a pause that grows; the eighth try was the last."""
    if row.attempts >= ATTEMPTS:
        return _end(row, State.FAILED, why, watch)
    later = watch.now_for(row) + PAUSES[row.attempts - 1]
    told = _record(row, State.QUEUED, last_error=why, available_at=later)
    return "put off" if told == State.QUEUED else told


def _end(row: Outbox, state: Outbox.State, why: str, watch: _Watch) -> str:
    """Write the last state of a row: sent, failed for good or dropped."""
    told = _record(row, state, last_error=why, finished_at=watch.now_for(row))
    if told in _LINES:
        level, event = _LINES[told]
        extra = {
            "code": f"{row.kind} {why}".strip(),
            "merchant": row.merchant_id,
            "order": row.order_id,
        }
        log.log(level, event, extra=extra | {"outbox": row.pk})
    return told


def _record(row: Outbox, state: Outbox.State, **facts: object) -> str:
    """Write what became of a row, if it is still this worker's; return it in a word."""
    if not _mine(row).update(state=state, lease_until=None, **facts):
        return "taken over"
    return state.value


def _put_back(rows: Sequence[Outbox]) -> None:
    """Give back rows that were not handed over; those that others took meanwhile are theirs."""
    if rows:
        ours = reduce(or_, (Q(pk=row.pk, claim=row.claim) for row in rows))
        Outbox.objects.filter(ours, state=State.QUEUED).update(lease_until=None)


def _mine(row: Outbox) -> QuerySet[Outbox]:
    return Outbox.objects.filter(pk=row.pk, claim=row.claim, state=State.QUEUED)
