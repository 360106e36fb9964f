"""Work in a process of its own: what is endless, greedy or dies ends there (FT-37)."""

from __future__ import annotations

import os
import signal
import time

import pytest

from core.bounded import Bounded, Unfinished

pytestmark = pytest.mark.req("FT-37", "TH-42", "INV-20")


def doubled(text: str) -> str:
    return text * 2


def endless() -> None:
    while True:
        time.sleep(1)


def greedy() -> int:
    return len(bytearray(600 * 1024 * 1024))


def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fails() -> None:
    raise LookupError("what a buyer wrote")


def is_missing() -> None:
    raise OSError("no library")


@pytest.fixture(scope="module")
def bounded() -> Bounded:
    return Bounded(preload=[], seconds=30, wait=0.1, megabytes=512)


def test_what_ends_in_time_is_answered(bounded):
    assert bounded.run(doubled, "ab") == "abab"


@pytest.mark.parametrize(
    ("work", "why"), [(greedy, "too much memory"), (dies, "died"), (fails, "LookupError")]
)
def test_what_goes_wrong_there_goes_wrong_there_only(bounded, work, why):
    with pytest.raises(Unfinished, match=f"^{why}$"):
        bounded.run(work)
    assert bounded.run(doubled, "x") == "xx"


def test_what_takes_too_long_is_ended():
    with pytest.raises(Unfinished, match=r"^too long$"):
        Bounded(preload=[], seconds=0.5, wait=0.1, megabytes=512).run(endless)


def test_what_the_machine_lacks_is_told_as_such(bounded):
    with pytest.raises(OSError, match="no library"):
        bounded.run(is_missing)


def test_more_at_once_wait_for_their_turn_and_are_told(bounded):
    bounded._turns.acquire()
    bounded._turns.acquire()
    with pytest.raises(Unfinished, match=r"^busy$"):
        bounded.run(doubled, "x")
    bounded._turns.release()
    bounded._turns.release()
