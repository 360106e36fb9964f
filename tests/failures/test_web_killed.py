"""A web worker dies anywhere on the way of a confirmation, a cancellation or a refund."""

from __future__ import annotations

import pytest

from tests.failures.person import promised
from tests.failures.stack import RECOVERY, ROUNDS, wait_until

# Where it dies, and what the gateway then knows of it.
CONFIRMING = {
    "shipments.intend.before_commit": "nothing happened",
    "shipments.intend.after_commit": "nobody was charged",
    "payment.before_call": "nobody was charged",
    "payment.after_call": "charged",
    "shipments.settle_captures.before_commit": "charged",
    "shipments.settle_captures.after_commit": "shipped",
}
REFUNDING = {
    "refunds.submit.before_commit": "nothing happened",
    "refunds.submit.after_commit": "reserved",
    "payment.before_call": "reserved",
    "payment.after_call": "reserved",
    "refunds.settle_refunds.before_commit": "reserved",
    "refunds.settle_refunds.after_commit": "reserved",
}


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("point", CONFIRMING)
@pytest.mark.req("FT-01", "FT-02", "FT-03", "INV-02", "INV-11", "IMPL-01", "IMPL-16", "G-4")
def test_a_confirmation_killed_on_its_way_charges_once(
    stack, stage, alice, promises, point, round_
):
    (number,) = stage.orders(status="unshipped")
    form = alice.confirm_form(number)
    stack.fail_at(point, "kill", nth=1)

    assert alice.confirm(number, form).status == 0
    assert stack.hits(point) == 1
    stack.heal()
    wait_until(stack.is_ready, 30, "another web worker answers")
    if CONFIRMING[point] == "charged":
        assert alice.get(f"/orders/{number}/cancel/").status == 409
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "the operation is settled")

    again = alice.confirm(number, form)
    if CONFIRMING[point] == "nobody was charged":
        assert "nobody was charged" in again.html
        again = alice.confirm(number)  # from the page opened anew
    assert promised(again), again.html
    promises.note("confirm", number)
    story = stage.story(number=number)
    assert (story["status"], story["books"]) == ("shipped", {"capture": 1})
    assert (story["mails"]["N05"], story["events"]["order.shipment_confirmed"]) == (1, 1)


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("point", REFUNDING)
@pytest.mark.req("FT-01", "FT-02", "FT-03", "INV-01", "INV-02", "INV-11", "IMPL-01", "G-4")
def test_a_refund_killed_on_its_way_pays_once(stack, stage, alice, promises, point, round_):
    (number,) = stage.orders(status="shipped")
    form = alice.refund_form(number)
    stack.fail_at(point, "kill", nth=1)

    assert alice.refund(number, form).status == 0
    assert stack.hits(point) == 1
    stack.heal()
    wait_until(stack.is_ready, 30, "another web worker answers")

    assert promised(alice.refund(number, form))
    promises.note("refund", number)
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "the operation is settled")
    story = stage.story(number=number)
    assert story["refunds"] == [["1.00", "completed"]]
    assert (story["books"]["refund"], story["mails"]["N10"]) == (1, 1)


@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
@pytest.mark.req("FT-01", "FT-02", "INV-11", "IMPL-01")
def test_a_cancellation_killed_before_or_after_its_commit(stack, stage, alice, promises, moment):
    (number,) = stage.orders(status="unshipped")
    form = alice.cancel_form(number)
    stack.fail_at(f"cancellations.cancel_orders.{moment}", "kill", nth=1)

    assert alice.cancel(number, form).status == 0
    stack.heal()
    wait_until(stack.is_ready, 30, "another web worker answers")
    expected = {"before_commit": "unshipped", "after_commit": "cancelled"}
    assert stage.story(number=number)["status"] == expected[moment]

    assert promised(alice.cancel(number, form))
    promises.note("cancel", number)
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "the authorisation is released")
    story = stage.story(number=number)
    assert (story["status"], story["books"]) == ("cancelled", {"void": 1})
    assert story["events"]["order.cancelled"] == 1
