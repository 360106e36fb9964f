"""The mail server is away or says nothing; the worker that sends dies in the middle."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.failures.person import promised
from tests.failures.stack import RECOVERY, wait_until


def mails_left(stage):
    return lambda: stage.mails()["due"] == 0


@pytest.mark.parametrize("how", ["kill", "freeze"])
@pytest.mark.req("FT-30", "FT-33", "NOTIF-01", "INV-09", "G-4", "G-10")
def test_a_mail_server_that_is_away_holds_up_nothing(stack, stage, alice, promises, how):
    getattr(stack, how)("mail")
    before, failed = len(stack.letters()), stage.mails()["failed"]
    confirmed, cancelled = stage.orders(status="unshipped", count=2)
    for act, number in (("confirm", confirmed), ("cancel", cancelled)):
        answer = getattr(alice, act)(number)
        assert (promised(answer), answer.seconds < 3) == (True, True)
        promises.note(act, number)
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "other jobs go on")
    assert stage.mails()["due"] > 0
    assert len(stack.letters()) == before

    stack.again("mail") if how == "kill" else stack.thaw("mail")
    wait_until(mails_left(stage), 90, "mails leave")
    assert stage.mails()["failed"] == failed
    assert len(stack.letters()) > before


@pytest.mark.parametrize(
    ("point", "doubled"),
    [
        ("outbox.after_claim", 0),
        ("outbox.before_hand_over", 0),
        ("outbox.after_hand_over", 1),
        ("outbox.after_record", 0),
    ],
)
@pytest.mark.req("INV-09", "FT-04", "FT-31", "NOTIF-01", "G-4")
def test_a_sender_killed_on_its_way_loses_no_mail(stack, stage, alice, point, doubled):
    """A mail comes twice only when the sender died between hand-over and record."""
    already = Counter(stack.letters())
    (number,) = stage.orders(status="unshipped")
    wait_until(mails_left(stage), RECOVERY, "earlier mails left")
    stack.fail_at(point, "kill", nth=1)
    assert promised(alice.cancel(number))
    wait_until(lambda: stack.hits(point) >= 1, RECOVERY, "the sender dies")

    wait_until(mails_left(stage), RECOVERY, "mails leave")
    wait_until(lambda: set(stage.mails()["sent"]) <= set(stack.letters()), 30, "all came")
    came = Counter(stack.letters()) - already
    assert sum(times - 1 for times in came.values()) == doubled
