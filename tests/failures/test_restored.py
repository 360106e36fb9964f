"""The database is restored from an older copy: nothing that left since then leaves again by itself."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from quickstart import services
from tests.failures.person import promised
from tests.failures.stack import RECOVERY, TICK, wait_until

OURS = ("web", "worker", "beat")
CURRENT, COPY = services.DATABASE, "older_copy"


def manage(stack, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=services.ROOT,
        env=stack.environment | {"LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.req("FT-39", "INV-09", "G-4")
def test_a_restored_database_sends_nothing_before_an_operator_says_so(stack, stage, alice):
    numbers = stage.orders(status="unshipped", count=3)
    wait_until(lambda: stage.mails()["due"] == 0, RECOVERY, "earlier mails left")
    stack.kill("worker")
    for number in numbers:
        assert promised(alice.cancel(number))
    owed = stage.mails()["due"]
    assert owed >= len(numbers)
    for name in ("web", "beat"):
        stack.end(name)
    # Who looks at the product from here has a connection of its own, which a copy cannot bear.
    stack.postgres.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '%s'" % CURRENT
    )
    stack.postgres.sql(f"create database {COPY} template {CURRENT}")
    for name in OURS:
        stack.again(name)
    wait_until(lambda: stage.mails()["due"] == 0, RECOVERY, "mails leave")
    wait_until(lambda: stage.open_operations() == 0, RECOVERY, "authorisations are released")
    left = stack.letters()

    for name in OURS:
        stack.end(name)
    stack.postgres.sql(f"drop database {CURRENT}")
    stack.postgres.sql(f"alter database {COPY} rename to {CURRENT}")
    status, told = manage(stack, "restored")
    assert (status, "Jobs wait since" in told) == (0, True)
    for name in OURS:
        stack.again(name)
    threading.Event().wait(4 * TICK)  # as often as the timetable asks for everything
    status, told = manage(stack, "reconcile")
    assert status == 1
    assert "restored: the copy ends at" in told
    assert [told.count(f"unsure: N06 of {number} <") for number in numbers] == [1, 1, 1]
    assert stack.letters() == left
    assert {stage.story(number=number)["open"] for number in numbers} == {1}
    wait_until(lambda: "restored" in stage.open_alerts(), RECOVERY, "operators are told")

    assert manage(stack, "restored", "--end") == (0, "Jobs go on.\n")
    wait_until(lambda: stage.mails()["due"] == 0, RECOVERY, "mails leave once more")
    again = stack.letters()[len(left) :]
    assert set(again) <= set(left)  # under the ids that they had
    assert len(again) == owed
