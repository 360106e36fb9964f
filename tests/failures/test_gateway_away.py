"""The gateway gives no answer: the page says so, the worker finishes it."""

from __future__ import annotations

import pytest

from tests.failures.person import promised
from tests.failures.stack import RECOVERY, wait_until


@pytest.mark.parametrize(
    ("token", "status", "charged"), [("answer-lost", "shipped", 1), ("unavailable", "unshipped", 0)]
)
@pytest.mark.req("FT-35", "FT-03", "IMPL-16", "INV-02", "G-4", "G-7")
def test_an_outcome_nobody_knows_is_asked_for(stack, stage, alice, token, status, charged):
    (number,) = stage.orders(status="unshipped", token=token)

    answer = alice.confirm(number)
    assert (answer.status, answer.seconds < 10) == (409, True)
    assert "You need not repeat anything" in answer.html

    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "the worker asks the gateway")
    story = stage.story(number=number)
    assert (story["status"], story["books"].get("capture", 0)) == (status, charged)
    if not charged:
        stage.pays_with(number=number, token="ok")
        assert promised(alice.confirm(number))
        assert stage.story(number=number)["books"] == {"capture": 1}
