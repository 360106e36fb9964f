"""A sandbox merchant's clock: it runs ahead of the platform's and only ever moves forward."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.models import Merchant
from accounts.models.merchant import FURTHEST_AHEAD
from accounts.permissions import Function
from audit.domain import history, submissions
from audit.domain.submissions import Once
from core import clock, jobs
from core.actor import Actor
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work

ACTION = "move_clock"
MOVED = "sandbox.clock_moved"
MOST_AT_ONCE = timedelta(days=400)


@unit_of_work
def move_clock(
    *,
    merchant_id: int,
    by: Actor,
    forward: timedelta = timedelta(0),
    to: datetime | None = None,
    once: Once | None = None,
) -> Merchant:
    """Move a sandbox merchant's clock forward by so much, or to an instant; all jobs look for work.

    The jobs do for this merchant what has become due, and for the others what they always do.
    Raises Refused: NOT_FOUND for a merchant that trades, PERMISSION_DENIED, INVALID_INPUT for a
        move backwards or too far, TOKEN_REUSED.
    Source: IMPL-21, reliability section 6 (clock).
    """
    rows = Merchant.objects.select_related("marketplace")
    merchant = rows.select_for_update(of=("self",), no_key=True).get(pk=merchant_id)
    _insist_on_a_sandbox(merchant, by)
    now = clock.now()
    before = merchant.clock_ahead
    first = submissions.claim(once, merchant_id=merchant.pk, action=ACTION, by=by, at=now + before)
    if first is not None:
        return merchant
    after = before + forward if to is None else to - now
    _insist_on_a_step_forward(before, after)
    merchant.clock_ahead = after
    merchant.save(update_fields=["clock_ahead"])
    submissions.conclude(once, merchant_id=merchant.pk, result={"ahead": after.total_seconds()})
    for job in jobs.JOBS.values():
        jobs.nudge(job.task)
    line = history.Line(
        merchant.pk,
        MOVED,
        now + after,
        by,
        before={"seconds_ahead": round(before.total_seconds())},
        after={"seconds_ahead": round(after.total_seconds())},
    )
    history.append([line])
    return merchant


def _insist_on_a_sandbox(merchant: Merchant, by: Actor) -> None:
    if not merchant.is_sandbox:
        raise Refused(Refusal("NOT_FOUND", _("This account trades; its clock is everybody's.")))
    if not by.may_edit(Function.ACCOUNT_INFO):
        raise Refused(
            Refusal(
                "PERMISSION_DENIED",
                _("You do not have the permission “%(function)s”.")
                % {"function": Function.ACCOUNT_INFO.label},
                {"function": Function.ACCOUNT_INFO.value},
                _("Ask the account owner."),
            )
        )


def _insist_on_a_step_forward(before: timedelta, after: timedelta) -> None:
    if after <= before:
        raise _wrong(_("The clock only moves forward."))
    if after - before > MOST_AT_ONCE:
        raise _wrong(_("The clock moves %d days at most at once.") % MOST_AT_ONCE.days)
    if after > FURTHEST_AHEAD:
        raise _wrong(_("The clock runs %d days ahead at most.") % FURTHEST_AHEAD.days)


def _wrong(message: str) -> Refused:
    return Refused(Refusal("INVALID_INPUT", message, field="move"))
