"""Beat doubled, away for days, or started anew; hosts whose clocks are wrong."""

from __future__ import annotations

import shutil

import pytest

from quickstart import product, services
from tests.failures.person import Person, promised
from tests.failures.stack import RECOVERY, wait_until

FAKETIME = shutil.which("faketime")
# A host that is wrong about the time, as far as this machine can play one.
WRONG = {"in Kathmandu": []} | (
    {"ten minutes ahead": [FAKETIME, "-f", "+10m"], "ten minutes behind": [FAKETIME, "-f", "-10m"]}
    if FAKETIME
    else {}
)


@pytest.mark.req("FT-25", "AUTO-13", "INV-09", "G-4")
def test_three_beats_do_as_much_as_one(stack, stage, alice):
    twice = stack.letters_twice()
    for name in ("beat-2", "beat-3"):
        stack.start_another(name, product.beat())
    pending = stage.orders(status="pending", count=3)
    cancelled = stage.orders(status="unshipped", count=3)
    for number in cancelled:
        alice.cancel(number)

    wait_until(
        lambda: {stage.story(number=n)["status"] for n in pending} == {"unshipped"},
        RECOVERY,
        "all are verified",
    )
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "all are released")
    wait_until(lambda: stage.mails()["due"] == 0, RECOVERY, "mails left")
    for name in ("beat-2", "beat-3"):
        stack.drop(name)
    for number in pending:
        assert stage.story(number=number)["events"]["order.verified"] == 1
    for number in cancelled:
        story = stage.story(number=number)
        assert (story["books"], story["events"]["order.voided"]) == ({"void": 1}, 1)
    assert stack.letters_twice() == twice


@pytest.mark.req("FT-26", "AUTO-02", "AUTO-13", "INV-07", "PENDING-10", "G-4", "G-7")
def test_what_fell_due_while_beat_was_away_is_done_once_it_is_back(stack, stage):
    """A month passes for a shop; nothing is warned of any more whose time is over."""
    stack.kill("beat")
    shop = {"shop": "time-machine"}
    unpaid = stage.orders(status="pending", count=3, token="convenience-store-unpaid", **shop)
    unconfirmed = stage.orders(status="unshipped", count=3, **shop)
    stage.days_pass(days=31)
    assert {stage.story(number=n)["status"] for n in unpaid} == {"pending"}
    assert {stage.story(number=n)["status"] for n in unconfirmed} == {"unshipped"}

    stack.again("beat")
    wait_until(
        lambda: {stage.story(number=n)["status"] for n in unpaid + unconfirmed} == {"cancelled"},
        RECOVERY,
        "all are cancelled",
    )
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "all are released")
    for number in unpaid:
        assert stage.story(number=number)["events"]["order.payment_refused"] == 1
    for number in unconfirmed:
        story = stage.story(number=number)
        assert (story["events"]["order.auto_cancelled"], story["books"]) == (1, {"void": 1})
        assert "N07" not in story["mails"]


@pytest.mark.req("FT-27", "G-4")
def test_beat_keeps_no_state_to_lose(stack, stage):
    stack.restart("beat")
    ended = stage.runs_ended()
    wait_until(lambda: stage.runs_ended() > ended + 4, RECOVERY, "jobs run")
    assert list(services.ROOT.glob("celerybeat*")) == []


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.req("FT-28", "IMPL-20", "G-4")
def test_hosts_with_wrong_clocks_decide_the_same(stack, stage, sign_in, wrong):
    """Web and worker believe another time; what they write is the database's."""
    port = services.free_port()
    address = f"http://127.0.0.1:{port}"
    zone = "Asia/Kathmandu" if wrong == "in Kathmandu" else "UTC"
    stack.end("worker")
    stack.start_another("wrong-worker", [*WRONG[wrong], *product.worker()], TZ=zone)
    stack.start_another(
        "wrong-web",
        [*WRONG[wrong], *product.web("127.0.0.1", port)],
        ready=lambda: Person(address).get("/health/ready/").status == 200,
        TZ=zone,
    )
    person = Person(address)
    assert person.sign_in(**sign_in).path in ("/home/", "/orders/")
    confirmed, cancelled = stage.orders(status="unshipped", count=2)
    (pending,) = stage.orders(status="pending")

    assert promised(person.confirm(confirmed))
    assert promised(person.cancel(cancelled))
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "the authorisation is released")
    wait_until(
        lambda: stage.story(number=pending)["status"] == "unshipped", RECOVERY, "it is verified"
    )
    wait_until(lambda: stage.mails()["due"] == 0, RECOVERY, "mails left")
    for name in ("wrong-web", "wrong-worker"):
        stack.drop(name)
    stack.again("worker")
    assert 0 <= stage.confirmed_ago(number=confirmed) < 120
