"""One stack for all failures; after each test everything runs again, and nothing is false."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quickstart import services
from tests.failures.person import Person, Promises
from tests.failures.stack import Stack, wait_until

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them share one stack, so one worker runs them all, one after the other."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.failures)
            item.add_marker(pytest.mark.xdist_group("failures"))


class Stagehand:
    """The process that sets the stage; its functions are those of ``stagehand.py``."""

    def __init__(self, stack: Stack) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.failures.stagehand"],
            cwd=services.ROOT,
            env=stack.environment | {"FAIL_POINTS_FILE": "", "LOG_LEVEL": "CRITICAL"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps([name, arguments]) + "\n")
            self._process.stdin.flush()
            told = json.loads(self._process.stdout.readline())
            assert "error" not in told, told["error"]
            return told["answer"]

        return call

    def leave(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # and so it ends
        self._process.wait(30)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def running() -> Iterator[Stack]:
    stack = Stack()
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="session")
def crew(running: Stack) -> Iterator[Stagehand]:
    stagehand = Stagehand(running)
    yield stagehand
    stagehand.leave()


@pytest.fixture(scope="session")
def sign_in(crew: Stagehand) -> dict[str, str]:
    told: dict[str, str] = crew.cast()
    return told


@pytest.fixture(scope="session")
def signed_in(running: Stack, sign_in: dict[str, str]) -> Person:
    person = Person(running.address)
    assert person.sign_in(**sign_in).path in ("/home/", "/orders/")
    return person


@pytest.fixture
def promises(tmp_path: Path) -> Promises:
    return Promises(tmp_path / "promises.jsonl")


@pytest.fixture
def stack(running: Stack, stage: Stagehand, promises: Promises) -> Iterator[Stack]:
    """The running product; at the end it is whole again and no promise is broken."""
    yield running
    running.repair()
    wait_until(lambda: stage.open_operations() == 0, 120, "no operation is open")
    wait_until(lambda: stage.mails()["due"] == 0, 120, "no mail is due")
    assert stage.wrong() == []
    assert set(running.letters()) == set(stage.mails()["sent"])
    assert promises.broken(stage.stories() if promises.all() else {}) == []


@pytest.fixture
def stage(crew: Stagehand, sign_in: dict[str, str]) -> Stagehand:
    return crew


@pytest.fixture
def alice(signed_in: Person) -> Person:
    return signed_in


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """These tests leave the other tests' cache alone."""
