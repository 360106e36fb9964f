"""The supervisor: starts in order, keeps up, stops in reverse, never leaves a process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quickstart.supervisor import Child, Supervisor

ROOT = Path(__file__).resolve().parents[2]

# A child that says when it is there and when it is told to stop, and has a child of its own.
CHILD = r"""
import os, signal, subprocess, sys, time
name, book = sys.argv[1:]
def write(text):
    with open(book, "a") as f:
        f.write(text + "\n")
def stop(*_):
    write("stopped " + name)
    helper.kill()
    sys.exit(0)
helper = subprocess.Popen(["sleep", "600"])
signal.signal(signal.SIGTERM, stop)
write("started %s %d %d" % (name, os.getpid(), helper.pid))
while True:
    time.sleep(60)
"""

# A supervisor with two such children, to be killed.
SUPERVISOR = r"""
import pathlib, sys
from quickstart.supervisor import Child, Supervisor
book, child = pathlib.Path(sys.argv[1]), sys.argv[2]
supervisor = Supervisor(lambda text: None)
for name in ("first", "second"):
    there = lambda: ("started " + name) in (book.read_text() if book.exists() else "")
    supervisor.start(Child(name, [sys.executable, "-c", child, name, str(book)], book, ready=there))
book.with_name("ready").touch()
supervisor.run()
supervisor.stop_all()
book.with_name("done").touch()
"""


def until(happened: Callable[[], bool], seconds: float = 20) -> bool:
    """Wait for a state; return whether it came."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class Book:
    """What the children wrote, and who they were."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[str]:
        text = self.path.read_text() if self.path.exists() else ""
        return [line for line in text.splitlines() if line.startswith(("started", "stopped"))]

    def pids(self) -> list[int]:
        return [int(w) for line in self.lines() if line[:7] == "started" for w in line.split()[2:]]

    def stops(self) -> list[str]:
        return [line.split()[1] for line in self.lines() if line[:7] == "stopped"]

    def starts(self, name: str) -> int:
        return len([line for line in self.lines() if line.startswith(f"started {name} ")])


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "book")


@pytest.fixture
def running(tmp_path: Path, book: Book) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(book.path), CHILD],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert until((tmp_path / "ready").exists)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    assert until(lambda: not any(alive(pid) for pid in book.pids()))


def child_of(book: Book, name: str) -> Child:
    return Child(
        name,
        [sys.executable, "-c", CHILD, name, str(book.path)],
        book.path.with_name(f"{name}.log"),
        ready=lambda: book.starts(name) > 0,
    )


def test_children_stop_in_the_reverse_order_of_their_start(book: Book) -> None:
    supervisor = Supervisor(lambda text: None)
    for name in ("database", "broker", "web"):
        supervisor.start(child_of(book, name))

    supervisor.stop_all()

    assert book.stops() == ["web", "broker", "database"]
    assert [pid for pid in book.pids() if alive(pid)] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(
    running: subprocess.Popen[bytes], book: Book, tmp_path: Path, number: signal.Signals
) -> None:
    running.send_signal(number)

    assert running.wait(20) == 0
    assert book.stops() == ["second", "first"]
    assert (tmp_path / "done").exists()
    assert [pid for pid in book.pids() if alive(pid)] == []


def test_the_watchdog_stops_what_a_killed_supervisor_left(
    running: subprocess.Popen[bytes], book: Book
) -> None:
    assert all(alive(pid) for pid in book.pids())

    running.kill()

    assert until(lambda: not any(alive(pid) for pid in book.pids()))
    assert book.stops() == ["second", "first"]


def test_a_child_that_was_killed_is_started_again_without_its_leftovers(
    running: subprocess.Popen[bytes], book: Book
) -> None:
    first, helper = book.pids()[:2]

    os.kill(first, signal.SIGKILL)

    assert until(lambda: book.starts("first") == 2)
    assert until(lambda: not alive(helper))
    assert running.poll() is None


def test_a_killed_watchdog_is_replaced_by_one_that_knows_the_children(
    running: subprocess.Popen[bytes], book: Book
) -> None:
    def children() -> list[int]:
        text = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text()
        return [int(pid) for pid in text.split() if alive(int(pid))]

    (watchdog,) = set(children()) - set(book.pids())
    os.kill(watchdog, signal.SIGKILL)
    assert until(lambda: len(set(children()) - set(book.pids()) - {watchdog}) == 1)

    running.kill()

    assert until(lambda: not any(alive(pid) for pid in book.pids()))


def test_a_child_that_keeps_ending_is_given_up_with_a_sentence(tmp_path: Path) -> None:
    told: list[str] = []
    supervisor = Supervisor(told.append)
    child = Child("web", [sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "web.log")
    supervisor.start(child)
    child.starts = [time.monotonic()] * 5
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    try:
        code = supervisor.run()
    finally:
        for number, handler in zip(
            (signal.SIGINT, signal.SIGTERM, signal.SIGHUP), before, strict=True
        ):
            signal.signal(number, handler)
        supervisor.stop_all()

    assert code == 1
    assert told == [
        f"web ended 5 times within a minute (exit 3); giving up, see {tmp_path / 'web.log'}"
    ]


def test_a_child_that_ends_before_it_is_ready_stops_the_start(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda text: None)
    log = tmp_path / "web.log"

    with pytest.raises(SystemExit) as told:
        supervisor.start(Child("web", [sys.executable, "-c", "exit(2)"], log, ready=lambda: False))
    supervisor.stop_all()

    assert str(told.value) == f"web ended at once (exit 2); see {log}"
