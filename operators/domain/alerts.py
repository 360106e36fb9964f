"""Telling operators what is amiss: once, until it has ended (reliability section 5).

By mail through the outbox, by the webhook of the settings, and by a line of the log at ERROR.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import User
from core import clock, jobs
from core.runbook import runbook
from notifications.domain import outbox
from operators.domain import webhook
from operators.domain.conditions import CONDITIONS, Condition, Facts
from operators.models import Alert

BEGAN, ENDED = "began", "ended"
POSTED_FOR = timedelta(days=1)  # how long the webhook is tried for

log = logging.getLogger(__name__)


def look() -> Mapping[str, int]:
    """Judge every condition, tell what began and what ended; return how many of each."""
    told: Counter[str] = Counter()
    for condition in CONDITIONS.values():
        at = clock.now()
        facts = condition.judge(at)
        jobs.still_here()
        if word := _remember(condition, facts, at):
            told[word] += 1
    _post(clock.now())
    return told


def amiss() -> Iterator[tuple[Condition, Facts]]:
    """Judge every condition and tell nobody."""
    at = clock.now()
    for condition in CONDITIONS.values():
        if facts := condition.judge(at):
            yield condition, facts


@dataclass(frozen=True, slots=True)
class Open:
    """An alert that has not ended. words: what is amiss; runbook: where it says what to do."""

    condition: str
    words: str
    facts: Facts
    since: datetime
    runbook: str


def shown() -> list[Open]:
    """Return the open alerts as an operator reads them, the oldest first."""
    return [
        Open(
            condition=alert.condition,
            words=CONDITIONS[alert.condition].words if alert.condition in CONDITIONS else "",
            facts=alert.facts,
            since=alert.seen_at,
            runbook=runbook(alert.condition),
        )
        for alert in open_alerts()
    ]


def open_alerts() -> list[Alert]:
    """Return what operators were told of and has not ended."""
    return list(Alert.objects.filter(ended_at=None, told_at__isnull=False).order_by("told_at"))


@transaction.atomic
def _remember(condition: Condition, facts: Facts, at: datetime) -> str:
    """Carry a condition's alert on; return "began" or "ended" if operators are told so now."""
    alert = Alert.objects.select_for_update().filter(condition=condition.name, ended_at=None)
    now = alert.first()
    if not facts:
        return _end(now, at) if now else ""
    if now is None:
        now = Alert.objects.create(condition=condition.name, facts=dict(facts), seen_at=at)
    if now.told_at or at - now.seen_at < condition.patience:
        return ""
    now.facts, now.told_at = dict(facts), at
    now.save(update_fields=["facts", "told_at"])
    _tell(now, BEGAN, at)
    return BEGAN


def _end(alert: Alert, at: datetime) -> str:
    """End an alert; who was not told that it began is not told that it ended."""
    if alert.told_at is None:
        alert.delete()
        return ""
    alert.ended_at = at
    alert.save(update_fields=["ended_at"])
    _tell(alert, ENDED, at)
    return ENDED


def _tell(alert: Alert, word: str, at: datetime) -> None:
    """Owe each operator a mail and write the line; both stand or fall with the alert's row."""
    operators = User.objects.filter(is_operator=True, is_active=True).order_by("pk")
    outbox.owe(
        [
            outbox.Owed(
                merchant_id=None,
                order_id=None,
                kind=outbox.ALERT,
                key=f"alert-{alert.pk}-{word}-{user}",
                at=at,
                available_at=at,
                payload={"alert": alert.pk, "word": word, "user": user},
            )
            for user in operators.values_list("pk", flat=True)
        ]
    )
    told = {"alert": runbook(alert.condition), "code": alert.condition, "facts": alert.facts}
    level = logging.ERROR if word == BEGAN else logging.INFO
    transaction.on_commit(lambda: log.log(level, f"alert.{word}", extra=told))


def _post(at: datetime) -> None:
    """Give the webhook what it has not taken yet; one that does not answer is left until later."""
    if not settings.ALERT_WEBHOOK_URL:
        return
    told = Alert.objects.filter(told_at__gte=at - POSTED_FOR).order_by("pk")
    for alert in told.filter(Q(began_posted=False) | Q(ended_posted=False, ended_at__isnull=False)):
        for word, posted in ((BEGAN, alert.began_posted), (ENDED, alert.ended_posted)):
            if posted or (word == ENDED and alert.ended_at is None):
                continue
            jobs.still_here()
            try:
                webhook.post(_message(alert, word))
            except webhook.NotTaken as why:
                log.warning("webhook.not_taken", extra={"code": str(why)})
                return
            Alert.objects.filter(pk=alert.pk).update(**{f"{word}_posted": True})


def _message(alert: Alert, word: str) -> dict[str, object]:
    """Return what the webhook is told. id: the same however often it comes."""
    instant = alert.told_at if word == BEGAN else alert.ended_at
    assert instant is not None, "only what was told is posted"
    return {
        "id": f"{alert.pk}-{word}",
        "alert": alert.condition,
        "state": word,
        "text": CONDITIONS[alert.condition].words if alert.condition in CONDITIONS else "",
        "facts": alert.facts,
        "at": instant.isoformat(),
        "runbook": runbook(alert.condition),
        "site": settings.SITE_URL,
    }
