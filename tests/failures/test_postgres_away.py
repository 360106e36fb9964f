"""PostgreSQL is restarted, killed, away, locked or full of sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from tests.failures.person import promised
from tests.failures.stack import LONG, RECOVERY, ROUNDS, wait_until

BEFORE, AFTER = "shipments.intend.before_commit", "shipments.settle_captures.after_commit"


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("how", ["end", "kill"])
@pytest.mark.req("FT-16", "FT-17", "INV-11", "G-4", "G-7", "IMPL-02")
def test_a_restart_under_way_keeps_what_was_typed(stack, stage, alice, promises, how, round_):
    """Whoever was in the middle of it gets a page to send the same form again, and it is done once."""
    number, earlier = stage.orders(status="unshipped", count=2)
    assert promised(alice.confirm(earlier))
    promises.note("confirm", earlier)
    form = alice.confirm_form(number)
    stack.fail_at(BEFORE, "sleep", nth=1, seconds=3)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(alice.confirm, number, form)
        wait_until(lambda: stack.hits(BEFORE) == 1, 30, "the request is under way")
        getattr(stack, how)("postgres")
        stack.again("postgres")
        busy = sent.result()

    again = busy.form(f"/orders/{number}/confirm-shipment/")
    assert (busy.status, again["token"], again["tracking_id"]) == (
        503, form["token"], form["tracking_id"],
    )  # fmt: skip
    assert stage.story(number=number)["shipments"] == 0
    wait_until(stack.is_ready, 10, "the service is back")
    assert promised(alice.confirm(number, again))
    promises.note("confirm", number)
    assert stage.story(number=number)["books"] == {"capture": 1}
    ended = stage.runs_ended()
    wait_until(lambda: stage.runs_ended() > ended + 4, RECOVERY, "worker and beat are back")


@pytest.mark.req("FT-18", "TECH-11", "G-4", "G-7")
def test_a_database_that_is_away_is_waited_for_calmly(stack, stage, alice):
    (number,) = stage.orders(status="unshipped")
    form = alice.confirm_form(number)
    processes = stack.children_of("worker")
    stack.end("postgres")
    away_from = {name: len(stack.log(name).splitlines()) for name in ("web", "worker", "beat")}

    assert (stack.health("live"), stack.health("ready")) == (200, 503)
    answer = alice.confirm(number, form)
    assert (answer.status, answer.seconds < 3) == (503, True)
    assert answer.form(f"/orders/{number}/confirm-shipment/")["token"] == form["token"]
    seconds = 600 if LONG else 5
    with pytest.raises(AssertionError):
        wait_until(stack.is_ready, seconds, "the database is back")

    tried = stack.log("worker").splitlines()[away_from["worker"] :]
    tries = sum("succeeded in" in line or "raised unexpected" in line for line in tried)
    assert tries <= (seconds + 10) * 5  # the timetable's pace: five jobs a second here
    stack.again("postgres")
    wait_until(stack.is_ready, 10, "the service is back")
    assert promised(alice.confirm(number, form))
    ended = stage.runs_ended()
    wait_until(lambda: stage.runs_ended() > ended + 4, RECOVERY, "worker and beat are back")
    assert stack.children_of("worker") == processes


@pytest.mark.req("FT-19", "G-4")
def test_a_lock_that_is_held_long_holds_up_nobody_else(stack, stage, alice):
    """The page says that nothing was changed; jobs do what they can for the others."""
    locked, other = stage.orders(status="pending", count=2)
    (number,) = stage.orders(status="unshipped")
    form = alice.confirm_form(number)
    with stack.session() as cursor:
        cursor.execute(
            "SELECT id FROM orders_order WHERE number IN (%s, %s) FOR UPDATE", [locked, number]
        )
        answer = alice.confirm(number, form)
        assert (answer.status, answer.seconds < 4.5) == (503, True)
        assert "Nothing was changed." in answer.html
        wait_until(
            lambda: stage.story(number=other)["status"] == "unshipped", 30, "the other is verified"
        )
        assert stage.story(number=locked)["status"] == "pending"
    assert promised(alice.confirm(number, form))
    wait_until(
        lambda: stage.story(number=locked)["status"] == "unshipped", 90, "it is verified, too"
    )


@pytest.mark.req("FT-21", "G-4")
def test_without_a_connection_left_pages_say_so_at_once(stack, stage, alice):
    (number,) = stage.orders(status="unshipped")
    form = alice.confirm_form(number)
    taken: list[psycopg2.extensions.connection] = []
    for name in ("worker", "beat"):
        stack.freeze(name)
    with stack.session() as cursor:
        take_what_is_left(stack, taken)
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
            " WHERE application_name = 'sellercentral'"
        )
        take_what_is_left(stack, taken)
        answer = alice.confirm(number, form)
    assert (answer.status, answer.seconds < 3) == (503, True)
    for session in taken:
        session.close()
    wait_until(stack.is_ready, 10, "there is room again")
    assert promised(alice.confirm(number, answer.form(f"/orders/{number}/confirm-shipment/")))


def take_what_is_left(stack, taken) -> None:
    """Open sessions until the server refuses one."""

    def take_all() -> None:
        while True:
            taken.append(psycopg2.connect(stack.postgres.url()))

    with pytest.raises(psycopg2.OperationalError, match="too many clients"):
        take_all()
