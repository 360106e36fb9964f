"""The letter that tells an operator of an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from core.runbook import runbook
from notifications.domain.letters import Letter, writes
from notifications.domain.outbox import ALERT
from operators.domain.alerts import BEGAN
from operators.domain.conditions import CONDITIONS
from operators.models import Alert

if TYPE_CHECKING:
    from notifications.models import Outbox


@writes(ALERT)
def alert(row: Outbox) -> Letter | None:
    """Write what began or ended; nobody is told who is no operator any more."""
    reader = User.objects.filter(pk=row.payload["user"], is_operator=True, is_active=True).first()
    told = Alert.objects.get(pk=row.payload["alert"])
    condition = CONDITIONS.get(told.condition)
    if reader is None or condition is None:
        return None
    began = row.payload["word"] == BEGAN
    values = {
        "began": began,
        "words": condition.words,
        "facts": told.facts,
        "seen": f"{told.seen_at:%Y-%m-%d %H:%M} UTC",
        "ended": "" if told.ended_at is None else f"{told.ended_at:%Y-%m-%d %H:%M} UTC",
        "runbook": runbook(told.condition),
        "link": f"{settings.SITE_URL}{reverse('operators:work')}",
    }
    subject = _("Alert: %s") if began else _("Ended: %s")
    body = render_to_string("emails/alert.txt", values)
    return Letter((reader.email,), f"{subject % condition.words} ({settings.SITE_NAME})", body)
