"""Workers killed in the middle of an upload: each record acts once and is answered once."""

from __future__ import annotations

import os
import re

import pytest

from tests.failures.stack import RECOVERY, wait_until

MANY = int(os.environ.get("UPLOAD_RECORDS", "45"))  # of which BAD are to fail; 1,045 for a release
BAD = 15
PATH = "/orders/uploads/shipping-confirmation/"
POINTS = (
    "uploads.read.before_commit",
    "uploads.read.after_commit",
    "shipments.intend.after_commit",
    "shipments.settle_captures.before_commit",
    "shipments.settle_captures.after_commit",
    "uploads.chunk.before_answers",
    "uploads.chunk.after_answers",
)


def day_s_file(stage, day: str) -> tuple[str, list[str]]:
    """Return a file, and the numbers of the orders that its good records confirm."""
    numbers = stage.orders(status="unshipped", count=MANY - BAD)
    lines = [f"{number}\t{day}\tRoyal Mail\tT{number[-7:]}" for number in numbers]
    step = max(len(lines) // BAD, 1)
    for place in range(BAD):
        lines.insert(place * (step + 1), f"111-1111111-{place:07}\t{day}\tRoyal Mail\t")
    return "order-id\tship-date\tcarrier-code\ttracking-number\n" + "\n".join(lines), numbers


def hand_in(alice, text: str) -> str:
    """Return the batch number."""
    answer = alice.upload(PATH, text)
    found = re.fullmatch(r"/orders/uploads/(\d+)/", answer.path)
    assert found, answer.html[:500]
    return found[1]


def report(alice, number: str) -> str:
    return alice.get(f"/orders/uploads/{number}/processing-report.txt").html


def ended(stage, number: str):
    return lambda: stage.upload(number=int(number)) not in ("submitted", "in_progress")


@pytest.mark.req("FEED-18", "FEED-40", "FT-04", "FT-05", "INV-12", "G-3")
def test_a_worker_killed_again_and_again_makes_no_difference(stack, stage, alice):
    day = stage.today()
    calm, _numbers = day_s_file(stage, day)
    calmly = hand_in(alice, calm)
    wait_until(ended(stage, calmly), 60 + MANY, "the undisturbed file is done")

    text, numbers = day_s_file(stage, day)
    stack.fail_where(
        {point: {"act": "kill", "nth": 1 + place // 3} for place, point in enumerate(POINTS)}
    )
    number = hand_in(alice, text)
    wait_until(lambda: all(stack.hits(point) for point in POINTS), 120, "the worker was killed")
    stack.heal()
    wait_until(ended(stage, number), RECOVERY + 60 + MANY, "the file is done")

    assert report(alice, number) == report(alice, calmly)
    assert f"Number of records processed: {MANY}\n" in report(alice, number)
    assert f"Number of records successful: {MANY - BAD}\n" in report(alice, number)
    for each in numbers:
        story = stage.story(number=each)
        assert (story["status"], story["shipments"]) == ("shipped", 1)
        assert story["books"] == {"capture": 1}
        assert story["mails"]["N05"] == 1
        assert story["events"]["order.shipment_confirmed"] == 1


@pytest.mark.req("FT-08", "INV-12")
def test_a_record_that_kills_its_worker_three_times_is_left_alone(stack, stage, alice):
    day = stage.today()
    good, poison = stage.orders(status="unshipped", count=2)
    stack.fail_at("uploads.judge." + poison, "kill")
    head = "order-id\tship-date\n"
    number = hand_in(alice, head + f"{poison}\t{day}\n{good}\t{day}\n")
    wait_until(ended(stage, number), 120, "the file is done")
    told = report(alice, number)
    assert "Number of records successful: 1\n" in told
    assert "\n1\t1112\terror\tInternal failure, nothing was done for this record (" in told
    assert stage.story(number=good)["status"] == "shipped"
    assert stage.story(number=poison)["status"] == "unshipped"
    stack.heal()
