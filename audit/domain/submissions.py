"""Each request acts once: a repeat gets the first answer (IMPL-01, INV-02)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import CombinedExpression
from django.utils.translation import gettext as _

from audit.models import Submission
from core.actor import Actor
from core.refusal import Refusal, Refused
from core.security import Event, note

Result = dict[str, Any]
KEPT = timedelta(days=30)  # a request repeated later than this is a new one (INV-02)


@dataclass(frozen=True, slots=True)
class Once:
    """The one-use key a request carries.

    token: from the form's hidden field, or the Idempotency-Key header.
    scope: "form", or the key and route of an API call.
    fingerprint: digest of what is asked, made by ``fingerprint_of``.
    """

    token: str
    fingerprint: str
    scope: str = "form"


def fingerprint_of(asked: Mapping[str, object]) -> str:
    """Return a digest of what is asked, the same for equal requests."""
    text = json.dumps(asked, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def claim(
    once: Once | None, *, merchant_id: int, action: str, by: Actor, at: datetime
) -> Result | None:
    """Claim a request for the open transaction; return the first result if it acted already.

    A request that runs at this moment is waited for on the unique key. None means: act now, then
    call ``conclude``. Raises Refused: TOKEN_REUSED when the token was used for something else,
    PERMISSION_DENIED when by someone else, CONFIRMATION_IN_PROGRESS when the first one waits for
    the gateway.
    """
    if once is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_submission"
            " (merchant_id, scope, token, user_id, action, fingerprint, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (merchant_id, scope, token) DO NOTHING",
            [merchant_id, once.scope, once.token, by.user_id, action, once.fingerprint, at],
        )
        if cursor.rowcount:
            return None
    first = Submission.objects.get(merchant_id=merchant_id, scope=once.scope, token=once.token)
    _insist_on_the_same(first, once, action, by)
    if first.result is None:
        raise Refused(
            Refusal(
                "CONFIRMATION_IN_PROGRESS",
                _("This request is being carried out right now."),
                {"repeat": "of a request under way"},
                remedy=_("You need not repeat it; look again in a minute."),
            )
        )
    return Result(first.result)


def earlier_answer(once: Once, *, merchant_id: int, action: str, by: Actor) -> Result | None:
    """Return the result of the same request, if it acted before; nothing is claimed.

    A page asks this first: what was typed need not make sense any more once it was carried out.
    Raises Refused: TOKEN_REUSED, PERMISSION_DENIED.
    """
    first = Submission.objects.filter(
        merchant_id=merchant_id, scope=once.scope, token=once.token
    ).first()
    if first is None:
        return None
    _insist_on_the_same(first, once, action, by)
    return None if first.result is None else Result(first.result)


def _insist_on_the_same(first: Submission, once: Once, action: str, by: Actor) -> None:
    if first.user_id != by.user_id:
        note(Event.FORM_REFUSED, "person", user=by.user_id, merchant=first.merchant_id)
        raise Refused(
            Refusal(
                "PERMISSION_DENIED",
                _("This form was sent by somebody else."),
                remedy=_("Open the page again; nothing was changed this time."),
            )
        )
    if (first.action, first.fingerprint) != (action, once.fingerprint):
        raise Refused(
            Refusal(
                "TOKEN_REUSED",
                _("This form was already sent with other values."),
                remedy=_("Open the page again and repeat."),
            )
        )


def conclude(once: Once | None, *, merchant_id: int, result: Result) -> None:
    """Keep the result of a claimed request, in the transaction of its effect."""
    if once is not None:
        Submission.objects.filter(
            merchant_id=merchant_id, scope=once.scope, token=once.token
        ).update(result=result)


def withdraw(once: Once | None, *, merchant_id: int) -> None:
    """Give a claimed token back: the request was refused and nothing happened."""
    if once is not None:
        Submission.objects.filter(
            merchant_id=merchant_id, scope=once.scope, token=once.token, result__isnull=True
        ).delete()


def old(*, before: datetime | CombinedExpression) -> QuerySet[Submission]:
    """Return requests made before an instant, which may look at ``merchant`` and its clock."""
    return Submission.objects.filter(created_at__lt=before)


def forget(*, before: datetime | CombinedExpression) -> int:
    """Delete old requests, and with them the memory of their answers; return how many."""
    count, _by_model = old(before=before).delete()
    return count


def wait_for(once: Once, *, merchant_id: int, seconds: float = 5.0) -> Result | None:
    """Wait for the result of the same request under way; None when it does not come in time.

    Of a double click the browser shows the second answer, so that one waits for the first.
    """
    end = time.monotonic() + seconds
    while True:
        first = Submission.objects.filter(
            merchant_id=merchant_id, scope=once.scope, token=once.token
        ).first()
        if first is None:
            return None
        if first.result is not None:
            return Result(first.result)
        if time.monotonic() >= end:
            return None
        time.sleep(0.05)
