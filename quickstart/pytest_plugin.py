"""What a test run needs around it: servers of its own, and a word about the browser tests.

PostgreSQL and Redis are started unless DATABASE_URL, REDIS_URL name some. A plugin and no
conftest.py: pytest-django reads the settings before any conftest is loaded.

Where there is no Chromium the browser tests are left out and named; with BROWSER_TESTS=required
a run in which none of them passed has failed. Tests that mount a file system are left out and named
where that is not allowed.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import IO, Any

import pytest

from quickstart import services
from quickstart.browser import chromium
from quickstart.supervisor import Child, Supervisor

_in_browser = 0  # browser tests that passed in this run


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: Any, args: list[str]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ or {"--version", "--help", "-h"} & set(args):
        return  # workers inherit the controller's environment
    wants_postgres, wants_redis = "DATABASE_URL" not in os.environ, "REDIS_URL" not in os.environ
    if not (wants_postgres or wants_redis):
        return
    number, lock = place_of_our_own("test")
    supervisor = Supervisor()
    try:
        if wants_postgres:
            _start_postgres(supervisor, f"test-pg-{number}")
        if wants_redis:
            _start_redis(supervisor, f"test-redis-{number}")
    except BaseException:
        supervisor.stop_all()
        raise
    early_config.add_cleanup(supervisor.stop_all)
    early_config.add_cleanup(lock.close)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    there = {"browser": chromium() is not None, "mounts": may_mount()}
    missing = [mark for mark, is_there in there.items() if not is_there]
    left_out = [item for item in items if any(map(item.get_closest_marker, missing))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    global _in_browser
    if report.when == "call" and report.passed and "browser" in report.keywords:
        _in_browser += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _missed_the_browser() and "PYTEST_XDIST_WORKER" not in os.environ:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if chromium() is None:
        terminalreporter.write_line(
            "NOT RUN: the browser tests. There is no Chromium here; install one, or set CHROMIUM."
        )
    if not may_mount():
        terminalreporter.write_line(
            "NOT RUN: the test of a full disk of the database (FT-22, -m mounts). It mounts a small"
            " file system, which takes root and a container that may."
        )
    if chromium() is not None and _missed_the_browser():
        terminalreporter.write_line("FAILED: browser tests are required, and none passed.")


def _missed_the_browser() -> bool:
    return os.environ.get("BROWSER_TESTS") == "required" and _in_browser == 0


@functools.cache
def may_mount() -> bool:
    """Tell whether a file system of our own can be mounted: tried, and taken away again."""
    if not services.AS_ROOT or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
        nothing = subprocess.DEVNULL
        if subprocess.run(command, stdout=nothing, stderr=nothing).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


def place_of_our_own(kind: str) -> tuple[int, IO[str]]:
    """Return a number that no other test run in this checkout uses, and the lock that holds it."""
    for number in range(1, 20):
        lock = open(services.runtime_dir() / f"{kind}-{number}.lock", "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return number, lock
    raise SystemExit("Twenty test runs in one checkout are enough.")


def _start_postgres(supervisor: Supervisor, name: str) -> None:
    postgres = services.Postgres(services.runtime_dir(), name, durable=False)
    postgres.init()
    supervisor.start(
        Child(
            "postgres",
            postgres.command(),
            postgres.log,
            ready=postgres.ready,
            stop=signal.SIGQUIT,
            popen={"cwd": "/", **services.unprivileged()},
        )
    )
    postgres.ensure_database(services.DATABASE)
    os.environ["DATABASE_URL"] = postgres.url()
    os.environ["TEST_DATABASE_TEMPLATE"] = template(postgres)


def _start_redis(supervisor: Supervisor, name: str) -> None:
    redis = services.Redis(services.runtime_dir(), name)
    redis.init()
    supervisor.start(Child("redis", redis.command(), redis.log, ready=redis.ready))
    os.environ["REDIS_URL"] = redis.url()


def template(postgres: services.Postgres) -> str:
    """Migrate once into a template; every test database is a copy of it.

    It is named after what it was made from, and renamed only when it is whole.
    """
    digest = hashlib.sha256((services.ROOT / "requirements" / "runtime.txt").read_bytes())
    for file in sorted(services.ROOT.glob("*/migrations/*.py")):
        digest.update(file.read_bytes())
    name = f"template_{digest.hexdigest()[:12]}"
    if not postgres.has_database(name):
        half_made = f"{name}_new"
        postgres.sql(f'drop database if exists "{half_made}"')
        postgres.ensure_database(half_made)
        env = dict(
            os.environ,
            DATABASE_URL=postgres.url(half_made),
            DATABASE_OWNER_URL="",
            DJANGO_SETTINGS_MODULE="sellercentral.settings.test",
        )
        env.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
        subprocess.run(command, cwd=services.ROOT, env=env, check=True)
        postgres.sql(f'alter database "{half_made}" rename to "{name}"')
    return name
