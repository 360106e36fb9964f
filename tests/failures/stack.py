"""PostgreSQL, Redis, web, worker and beat as processes, each to be killed, frozen or started again.

Every process has a group of its own; the supervisor's watchdog ends them all, whatever becomes of
the test run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from core import failpoints
from quickstart import product, services
from quickstart.pytest_plugin import place_of_our_own, template
from quickstart.supervisor import Child, Supervisor

LONG = os.environ.get("FAILURES") == "long"
ROUNDS = 10 if LONG else 1
# The product's own leases and ticks are waited for in the long lane only.
LEASE, TICK = (45, 15) if LONG else (4, 2)
BREAKER = 30 if LONG else 10
BODY_SECONDS = 60 if LONG else 3  # for what a request carries to arrive
RECOVERY = 60  # seconds until work that a process left is gone on with (G-7)


class Stack:
    """The product, running. Parts: postgres, redis, web, worker, beat, mail; see ``part``."""

    def __init__(self) -> None:
        self._number, self._lock = place_of_our_own("failures")
        self.folder = services.runtime_dir() / f"failures-{self._number}"  # logs, of the last run
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.points = self.folder / "points.json"
        self.address = f"http://127.0.0.1:{(port := services.free_port())}"
        self._port, self._mail_port = port, services.free_port()
        self.webhook_port = services.free_port()  # where nobody listens, unless a test does
        self.mails = self.folder / "mails.jsonl"
        self._supervisor = Supervisor(self._say)
        self._children: dict[str, Child] = {}
        self.environment: dict[str, str] = {}

    # Starting and ending -----------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and wait until the product is ready."""
        runtime = services.runtime_dir()
        self.postgres = services.Postgres(runtime, f"failures-{self._number}-pg")
        self.postgres.init()
        self._start(
            Child(
                "postgres",
                self.postgres.command(),
                self.postgres.log,
                ready=self.postgres.ready,
                stop=signal.SIGINT,
                popen={"cwd": "/", **services.unprivileged()},
            )
        )
        self.postgres.sql(f"drop database if exists {services.DATABASE}")
        made_from = template(self.postgres)
        self.postgres.sql(f"create database {services.DATABASE} template {made_from}")
        self.redis = services.Redis(runtime, f"failures-{self._number}-redis")
        self.redis.init()
        self._start(Child("redis", self.redis.command(), self.redis.log, ready=self.redis.ready))
        self.environment = self._environment()
        self._migrate()
        sink = [sys.executable, "-m", "tests.sinks.smtp", str(self._mail_port), str(self.mails)]
        self.start_another("mail", sink, ready=lambda: _listens(self._mail_port))
        self.start_another("worker", product.worker())
        self.start_another("beat", product.beat())
        self.start_another("web", product.web("127.0.0.1", self._port), ready=self.is_ready)

    def stop(self) -> None:
        """End everything; what is frozen is thawed first, so that it can end."""
        for child in self._children.values():
            _signal(child, signal.SIGCONT)
        self._supervisor.stop_all()
        self._lock.close()

    def start_another(
        self,
        name: str,
        args: list[str],
        *,
        ready: Callable[[], bool] | None = None,
        where: Path = services.ROOT,
        **environment: str,
    ) -> None:
        """Start one more process of the product under a name of its own; where: its code."""
        env = self.environment | environment
        log = self.folder / f"{name}.log"
        self._start(Child(name, args, log, env, ready, popen={"cwd": where}))

    def _start(self, child: Child) -> None:
        self._children[child.name] = child
        self._supervisor.start(child)

    def _environment(self) -> dict[str, str]:
        unwanted = ("PYTEST_", "TEST_", "EMAIL_", "DATABASE_")
        env = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        return env | {
            "DJANGO_SETTINGS_MODULE": "sellercentral.settings.lane",
            "DATABASE_URL": self.postgres.url(role=services.APPLICATION),
            "REDIS_URL": self.redis.url(),
            "CACHE_URL": self.redis.url(1),
            "SITE_URL": self.address,
            "FAIL_POINTS_FILE": str(self.points),
            "OPERATION_LEASE_SECONDS": str(LEASE),
            "JOB_LEASE_SECONDS": str(LEASE),
            "OUTBOX_LEASE_SECONDS": "60" if LONG else "10",  # longer than a hand-over takes
            "UPLOAD_CHUNK": "10",
            "UPLOAD_LEASE_SECONDS": str(LEASE),
            "MEDIA_ROOT": str(self.folder / "files"),
            "TICK_SECONDS": str(TICK),
            "BREAKER_SECONDS": str(BREAKER),
            "BODY_SECONDS": str(BODY_SECONDS),
            "EMAIL_URL": f"smtp://127.0.0.1:{self._mail_port}",
            "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{self.webhook_port}/",
            "SANDBOX_VERIFICATION_SECONDS": "0",
            "PYTHONUNBUFFERED": "1",
        }

    def _migrate(self) -> None:
        """Let ``migrate`` make the application's role and give it its rights, as on a server."""
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
        env = self.environment | {"DATABASE_OWNER_URL": self.postgres.url()}
        subprocess.run(command, cwd=services.ROOT, env=env, check=True)

    # What can befall a process -----------------------------------------------------------------

    def kill(self, name: str) -> None:
        """Kill a process and all its children at once, as kill -9 of its group does."""
        self._clear_away(self._children[name])

    def kill_child(self, name: str) -> None:
        """Kill one of a part's own children, if it has any just now; the part replaces it."""
        for pid in self.children_of(name)[-1:]:
            os.kill(pid, signal.SIGKILL)

    def end(self, name: str) -> None:
        """Let a process end in its own orderly way."""
        child = self._children[name]
        assert child.process is not None
        child.process.send_signal(child.stop)
        wait_until(lambda: _has_ended(child), 60, f"{name} ends")
        self._clear_away(child)

    def retire(self, name: str) -> float:
        """Let a process end in its own orderly way, for good; return how many seconds it took."""
        started = time.monotonic()
        self.end(name)
        del self._children[name]
        return time.monotonic() - started

    def _clear_away(self, child: Child) -> None:
        """Kill what is left of a group while its number is still its own, then let go of it."""
        _signal(child, signal.SIGKILL)
        assert child.process is not None
        child.process.wait(30)
        self._supervisor.forget(child)

    def again(self, name: str, *, wait: bool = True) -> None:
        """Start a process that ended, with the same command line."""
        child = self._children[name]
        ready, child.ready = child.ready, (child.ready if wait else None)
        try:
            self._supervisor.start(child)
        finally:
            child.ready = ready

    def restart(self, name: str) -> None:
        self.kill(name)
        self.again(name)

    def freeze(self, name: str) -> None:
        _signal(self._children[name], signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        _signal(self._children[name], signal.SIGCONT)

    def drop(self, name: str) -> None:
        """End a process for good."""
        self.kill(name)
        del self._children[name]

    def drop_if_there(self, name: str) -> None:
        """As ``drop``, after a test that may have ended before it did so."""
        if name in self._children:
            self.drop(name)

    def runs(self, name: str) -> bool:
        return not _has_ended(self._children[name])

    def children_of(self, name: str) -> list[int]:
        """Return the process ids of the children that a part of the product keeps."""
        process = self._children[name].process
        assert process is not None
        told = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        return [int(pid) for pid in told.read_text().split()]

    def repair(self) -> None:
        """Bring back whatever is dead or frozen, and take all fail points away."""
        self.points.unlink(missing_ok=True)
        self.points.with_suffix(".hits").unlink(missing_ok=True)
        for name, child in self._children.items():
            _signal(child, signal.SIGCONT)
            if _has_ended(child):
                self._clear_away(child)
                self.again(name)
        wait_until(self.is_ready, 60, "the product is ready")

    # Fail points -------------------------------------------------------------------------------

    def fail_at(self, point: str, act: str, **more: object) -> None:
        """Tell all processes to fail at a point; see ``core.failpoints``."""
        self.fail_where({point: {"act": act, **more}})

    def fail_where(self, told: Mapping[str, Mapping[str, object]]) -> None:
        """Tell all processes to fail at several points, and forget earlier hits."""
        self.points.with_suffix(".hits").unlink(missing_ok=True)
        fresh = self.points.with_suffix(".new")
        fresh.write_text(json.dumps(told))
        fresh.replace(self.points)

    def heal(self) -> None:
        self.points.unlink(missing_ok=True)

    def hits(self, point: str) -> int:
        return failpoints.hits(self.points).get(point, 0)

    # Looking at it -----------------------------------------------------------------------------

    def is_ready(self) -> bool:
        return self.health("ready") == 200

    def health(self, which: str) -> int:
        """Return the status of a health address; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.address}/health/{which}/", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def letters(self) -> list[str]:
        """Return the Message-IDs that the mail server took, in the order they came."""
        if not self.mails.exists():
            return []
        return [json.loads(line)["id"] for line in self.mails.read_text().splitlines()]

    def letters_twice(self) -> int:
        """Return how many letters came once more than they should."""
        came = self.letters()
        return len(came) - len(set(came))

    def _say(self, text: str) -> None:
        with (self.folder / "supervisor.log").open("a") as lines:
            lines.write(text + "\n")

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    @contextmanager
    def session(self) -> Any:
        """Yield a cursor of a session of one's own, in an open transaction."""
        talk = psycopg2.connect(self.postgres.url())
        try:
            with talk.cursor() as cursor:
                yield cursor
        finally:
            talk.close()

    def rows(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        with self.session() as cursor:
            cursor.execute(text, values)
            return list(cursor.fetchall())


def wait_until(holds: Callable[[], object], seconds: float, what: str) -> float:
    """Wait for a state; return how long it took. Raises AssertionError when it does not come."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - started


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _has_ended(child: Child) -> bool:
    """Tell whether a process has ended, without taking its number from it."""
    process = child.process
    if process is None or process.returncode is not None:
        return True
    looking = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, looking) is not None


def _signal(child: Child, number: signal.Signals) -> None:
    """Signal a group, unless its number may belong to somebody else by now."""
    if child.process is None or child.process.returncode is not None:
        return
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return
