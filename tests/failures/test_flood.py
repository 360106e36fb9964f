"""One merchant's program asks without pause: the others go on working."""

from __future__ import annotations

import json
import statistics
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.failures.person import promised
from tests.failures.stack import LONG

CALLS = 1000
A_MINUTE = 360  # calls of one key that are answered
PAGES = 30 if LONG else 12
# On a machine that has nothing else to do than this test; where others work beside it, less exact.
SLOWER, SLACK = (1.25, 0.05) if LONG else (3.0, 0.3)


def flood(address: str, key: str, calls: int) -> Counter[tuple[int, str]]:
    """Call the API without pause; return how often each was answered: status, code, when again."""
    answers: Counter[tuple[int, str]] = Counter()
    for _ in range(calls):
        asked = urllib.request.Request(
            f"{address}/api/v1/orders/", headers={"Authorization": f"Bearer {key}"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=20) as page:
                page.read()
                answers[page.status, ""] += 1
        except urllib.error.HTTPError as refused:
            told = json.loads(refused.read())["code"]
            again = 0 < int(refused.headers.get("Retry-After", 0)) <= 60
            answers[refused.code, told if again else "not when again"] += 1
    return answers


def pages(alice, number: str) -> float:
    took = []
    for path in ("/orders/", f"/orders/{number}/", "/home/") * (PAGES // 3):
        answer = alice.get(path)
        assert answer.status == 200
        took.append(answer.seconds)
    return statistics.median(took)


@pytest.mark.req("FT-40", "SD-10", "TH-48", "G-4")
def test_a_merchant_who_floods_is_slowed_down_and_nobody_else(stack, stage, alice, promises):
    number, confirmed, cancelled = stage.orders(status="unshipped", count=3)
    key = stage.key()
    usual = pages(alice, number)
    with ThreadPoolExecutor(4) as pool:
        floods = [pool.submit(flood, stack.address, key, CALLS // 4) for _ in range(4)]
        meanwhile = pages(alice, number)
        for act, which in (("confirm", confirmed), ("cancel", cancelled)):
            answer = getattr(alice, act)(which)
            assert (promised(answer), answer.seconds < 3) == (True, True)
            promises.note(act, which)
        answers = sum((one.result() for one in floods), Counter())
    assert sum(answers.values()) == CALLS
    assert set(answers) == {(200, ""), (429, "THROTTLED")}
    assert answers[200, ""] <= 2 * A_MINUTE  # a minute may end on the way
    assert meanwhile < SLOWER * usual + SLACK, (usual, meanwhile)
