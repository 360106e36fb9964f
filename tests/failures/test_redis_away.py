"""Redis is stopped, frozen, emptied, restarted or full: it carries nudges and counters only."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.failures.person import Person, promised
from tests.failures.stack import BREAKER, LONG, wait_until

SLOWER = 2.5  # seconds that one page may take longer, once in each web process
WEB_PROCESSES = 2


def acts_of(stack, stage, alice, sign_in):
    """Everything a page does with Redis: counting tries, nudging workers."""
    orders = {
        status: iter(stage.orders(status=status, count=8)) for status in ("unshipped", "shipped")
    }
    forms = {
        "confirm": [
            (n, alice.confirm_form(n)) for n in [next(orders["unshipped"]) for _ in range(2)]
        ],
        "cancel": [
            (n, alice.cancel_form(n)) for n in [next(orders["unshipped"]) for _ in range(2)]
        ],
        "refund": [(n, alice.refund_form(n)) for n in [next(orders["shipped"]) for _ in range(2)]],
    }

    def act(*, sign_in_first: bool) -> list[float]:
        took = []
        if sign_in_first:
            took += sign_ins(stack, sign_in)
        for name, ready in forms.items():
            for number, form in ready:
                answer = getattr(alice, name)(number, form)
                assert promised(answer), answer.html
                took.append(answer.seconds)
        if not sign_in_first:
            took += sign_ins(stack, sign_in)
        return took

    return act


def sign_ins(stack, sign_in) -> list[float]:
    """Tries are counted in Redis, or by each process for itself."""
    answers = [Person(stack.address).sign_in(**sign_in) for _ in range(3)]
    assert {answer.path in ("/home/", "/orders/") for answer in answers} == {True}
    return [answer.seconds for answer in answers]


def usual(stack, stage, alice, sign_in) -> float:
    return max(acts_of(stack, stage, alice, sign_in)(sign_in_first=True))


def insist_on_quick(took: list[float], usually: float) -> None:
    """No page waits longer than allowed, and each web process only while it has to find out."""
    assert max(took) <= SLOWER + 2 * usually + 0.5, took
    slow = sum(seconds > 2 * usually + 0.5 for seconds in took)
    assert slow <= WEB_PROCESSES * (1 + sum(took) // BREAKER), took


def jobs_run(stage, seconds: float) -> None:
    ended = stage.runs_ended()
    wait_until(lambda: stage.runs_ended() > ended + 2, seconds, "jobs run")


@pytest.mark.parametrize("first", ["act", "sign in"])
@pytest.mark.parametrize("how", ["kill", "freeze"])
@pytest.mark.req("FT-10", "FT-11", "G-4", "G-7", "G-10", "IMPL-25")
def test_nobody_waits_for_a_redis_that_is_away(stack, stage, alice, sign_in, how, first):
    usually = usual(stack, stage, alice, sign_in)
    act = acts_of(stack, stage, alice, sign_in)
    getattr(stack, how)("redis")

    insist_on_quick(act(sign_in_first=first == "sign in"), usually)
    assert stack.health("ready") == 200

    stack.again("redis") if how == "kill" else stack.thaw("redis")
    wait_until(lambda: stage.open_operations() == 0, 60, "workers are at it again")
    wait_until(lambda: stage.mails()["due"] == 0, 60, "mails leave again")
    assert alice.get("/orders/").path == "/orders/"  # nobody was signed out


@pytest.mark.req("FT-12", "INV-11", "G-4")
def test_a_redis_that_is_emptied_costs_nothing_but_time(stack, stage, alice, promises):
    twice = stack.letters_twice()
    numbers = stage.orders(status="unshipped", count=30 if LONG else 6)
    broker = Redis.from_url(stack.redis.url())
    for turn, number in enumerate(numbers):
        broker.flushall()
        act = "confirm" if turn % 2 else "cancel"
        assert promised(getattr(alice, act)(number))
        promises.note(act, number)
    broker.flushall()
    broker.close()

    ended = stage.runs_ended()
    wait_until(lambda: stage.open_operations() == 0, 60, "operations are settled")
    wait_until(lambda: stage.mails()["due"] == 0, 60, "mails left")
    wait_until(lambda: stage.runs_ended() > ended + 4, 60, "jobs run")
    assert alice.get("/orders/").path == "/orders/"
    assert stack.letters_twice() == twice


@pytest.mark.req("FT-13", "G-4", "G-7")
def test_workers_consume_again_after_each_restart_of_redis(stack, stage):
    workers = stack.children_of("worker")
    for _ in range(10 if LONG else 3):
        stack.restart("redis")
        jobs_run(stage, 30)
    assert stack.children_of("worker") == workers
    assert stack.runs("beat")


@pytest.mark.req("FT-14", "G-4")
def test_a_redis_that_is_full_is_as_one_that_is_away(stack, stage, alice, sign_in):
    usually = usual(stack, stage, alice, sign_in)
    act = acts_of(stack, stage, alice, sign_in)
    broker = Redis.from_url(stack.redis.url())
    broker.config_set("maxmemory", "1mb")
    try:
        insist_on_quick(act(sign_in_first=True), usually)
        assert stack.health("ready") == 200
    finally:
        broker.config_set("maxmemory", "0")
        broker.close()
    wait_until(lambda: stage.open_operations() == 0, 60, "workers are at it again")
