"""Workers that die, freeze, or get messages that make no sense: the rows are worked off anyway."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from quickstart import product
from tests.failures.stack import RECOVERY, wait_until

# After the fourth of eight, and between the commit of one and the next.
IN_THE_MIDDLE = "cancellations.settle_voids.after_commit"


def cancel_eight(stack, stage, alice) -> list[str]:
    """Cancel orders while no worker is at it: eight authorisations are to be released."""
    numbers = stage.orders(status="unshipped", count=8)
    for number in numbers:
        alice.cancel(number)
    return numbers


def released_once(stage, numbers) -> None:
    for number in numbers:
        story = stage.story(number=number)
        assert story["books"] == {"void": 1}
        assert story["events"]["order.voided"] == 1


def all_released(stage):
    return lambda: stage.open_operations() == 0


@pytest.mark.req("FT-04", "INV-11", "G-4", "G-7")
def test_a_child_killed_in_mid_job_leaves_nothing_undone(stack, stage, alice):
    stack.freeze("worker")
    numbers = cancel_eight(stack, stage, alice)
    lost = stage.runs_lost()
    stack.fail_at(IN_THE_MIDDLE, "kill", nth=4)
    stack.thaw("worker")

    wait_until(lambda: stack.hits(IN_THE_MIDDLE) >= 4, RECOVERY, "the child dies")
    wait_until(all_released(stage), RECOVERY, "all are released")

    released_once(stage, numbers)
    assert stage.runs_lost() > lost
    assert stack.runs("worker")


@pytest.mark.req("FT-07", "G-11", "INV-11", "G-4")
def test_a_child_that_has_grown_is_replaced_after_its_task(stack, stage, alice):
    """With a limit that any child exceeds: each does one task, and nothing is lost between them."""
    stack.end("worker")
    stack.start_another("small-worker", product.worker(), WORKER_MEMORY_KB="1")
    numbers = cancel_eight(stack, stage, alice)
    wait_until(all_released(stage), RECOVERY, "all are released")
    released_once(stage, numbers)
    wait_until(lambda: len(stack.children_of("small-worker")) == 2, RECOVERY, "there are children")
    first = set(stack.children_of("small-worker"))
    wait_until(
        lambda: not first & set(stack.children_of("small-worker")), RECOVERY, "others took over"
    )
    stack.drop("small-worker")
    stack.again("worker")


@pytest.mark.req("FT-04", "FT-08", "FT-18", "G-4")
def test_a_task_that_always_kills_its_process_does_not_spin(stack, stage, alice):
    """Its children die at the pace of the timetable, and other jobs go on."""
    stack.fail_at("outbox.after_claim", "kill")
    (number,) = stage.orders(status="unshipped")
    alice.cancel(number)

    wait_until(lambda: stack.hits("outbox.after_claim") >= 2, RECOVERY, "it dies more than once")
    before, ended = stack.hits("outbox.after_claim"), stage.runs_ended()
    wait_until(lambda: stage.runs_ended() >= ended + 8, 60, "other jobs go on")
    assert stack.hits("outbox.after_claim") - before <= 8
    assert stage.story(number=number)["books"] == {"void": 1}


@pytest.mark.req("FT-05", "INV-11", "G-4", "G-7")
def test_a_whole_worker_killed_is_replaced_by_another(stack, stage, alice):
    """Nobody waits until the broker hands the dead worker's messages out again."""
    stack.freeze("worker")
    numbers = cancel_eight(stack, stage, alice)
    stack.fail_at(IN_THE_MIDDLE, "freeze", nth=4)
    stack.thaw("worker")
    wait_until(lambda: stack.hits(IN_THE_MIDDLE) >= 4, RECOVERY, "it is in the middle")

    stack.kill("worker")
    stack.heal()
    stack.again("worker")
    wait_until(all_released(stage), RECOVERY, "another worker releases the rest")

    released_once(stage, numbers)


@pytest.mark.req("FT-06", "INV-11", "G-4", "G-7")
def test_a_frozen_child_is_passed_over_and_comes_back_too_late(stack, stage, alice):
    """It froze between the gateway's answer and its record; meanwhile somebody else recorded."""
    stack.freeze("worker")
    numbers = cancel_eight(stack, stage, alice)
    stack.fail_at("payment.after_call", "freeze", nth=4)
    stack.thaw("worker")
    wait_until(lambda: stack.hits("payment.after_call") >= 4, RECOVERY, "it is in the middle")
    stack.heal()

    wait_until(all_released(stage), RECOVERY, "another child releases the rest")
    released_once(stage, numbers)
    ended = stage.runs_ended()
    stack.thaw("worker")
    wait_until(lambda: stage.runs_ended() >= ended + 8, 60, "both go on")
    released_once(stage, numbers)


@pytest.mark.req("FT-09", "G-4")
def test_messages_that_make_no_sense_kill_no_worker(stack, stage):
    junk = [
        b"\x00\xff no json",
        b"[]",
        b"{}",
        json.dumps({"body": "e30=", "headers": {}, "properties": {}}).encode(),
    ]
    broker = Redis.from_url(stack.redis.url())
    for message in junk:
        for queue in ("default", "notifications"):
            broker.lpush(queue, message)
    broker.close()
    stage.send_junk()

    ended = stage.runs_ended()
    wait_until(lambda: stage.runs_ended() >= ended + 8, RECOVERY, "jobs go on")
    assert stack.runs("worker")


@pytest.mark.req("FT-15", "INV-02", "INV-09", "G-4")
def test_each_task_five_times_does_nothing_twice(stack, stage, alice):
    twice = stack.letters_twice()
    numbers = cancel_eight(stack, stage, alice)
    pending = stage.orders(status="pending", count=3)
    stack.start_another("worker-2", product.worker())
    stage.send_all(times=5)

    wait_until(all_released(stage), RECOVERY, "all are released")
    wait_until(
        lambda: {stage.story(number=n)["status"] for n in pending} == {"unshipped"},
        90,
        "all are verified",
    )
    stage.send_all(times=5)
    wait_until(lambda: stage.mails()["due"] == 0, RECOVERY, "all mails left")
    stack.drop("worker-2")
    released_once(stage, numbers)
    for number in pending:
        assert stage.story(number=number)["events"]["order.verified"] == 1
    assert stack.letters_twice() == twice
