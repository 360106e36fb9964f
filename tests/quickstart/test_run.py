"""The first command, whole: it starts on the servers it is given, tells the way in, and stops.

Its processes sign in as a role of their own, which the first migration makes.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

ROOT = Path(__file__).resolve().parents[2]
OWNER = os.environ["DATABASE_URL"]  # of the tests' own server
ROLE, PASSWORD = "quickstart_of_a_test", "works"
SIGN_IN = re.compile(r"\S+@\S+\.example  \S+  \(.+, \S+\)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environments_of(runtime: Path) -> list[tuple[str, str]]:
    """Return the processes that were started with this runtime folder in their environment.

    Each as its command line, and what its environment tells it.
    """
    mark = f"SELLERCENTRAL_RUNTIME_DIR={runtime}\0"
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "environ").read_bytes().decode(errors="replace") + "\0"
            if mark in told:
                found.append(((entry / "cmdline").read_text().replace("\0", " "), told))
        except OSError:
            continue  # gone meanwhile, or another user's
    return found


def processes_of(runtime: Path) -> list[str]:
    return [command for command, _told in environments_of(runtime)]


class Product:
    """The running product: its process, where it answers, what it said."""

    def __init__(self, runtime: Path) -> None:
        self.port = free_port()
        self.runtime = runtime
        self.told = runtime.with_name("told")
        env = os.environ | {
            "SELLERCENTRAL_RUNTIME_DIR": str(runtime),
            "DJANGO_SETTINGS_MODULE": "sellercentral.settings.dev",
            "STATIC_ROOT": str(runtime / "static"),
            "PORT": str(self.port),
            "DATABASE_URL": OWNER.replace(
                urlsplit(OWNER).netloc.partition("@")[0], f"{ROLE}:{PASSWORD}"
            ),
            "DATABASE_OWNER_URL": OWNER,
        }
        env.pop("STATICFILES_BACKEND", None)
        with open(self.told, "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "quickstart"],
                cwd=ROOT,
                env=env,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        end = time.monotonic() + 120
        while "Ctrl-C stops everything" not in self.told.read_text():
            assert self.process.poll() is None, self.told.read_text()
            assert time.monotonic() < end, self.told.read_text()
            time.sleep(0.05)

    def get(self, path: str) -> tuple[int, str]:
        with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()


@pytest.fixture
def owner() -> Iterator[Any]:
    talk = psycopg2.connect(OWNER)
    talk.autocommit = True
    yield talk.cursor()
    talk.close()


@pytest.fixture
def product(tmp_path: Path, owner: Any) -> Iterator[Product]:
    started = Product(tmp_path / "runtime")
    yield started
    if started.process.poll() is None:
        started.process.send_signal(signal.SIGTERM)
        started.process.wait(60)
    owner.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


@pytest.mark.req("TECH-03", "SD-13", "INV-10")
def test_one_command_runs_everything_and_leaves_nothing(product: Product, owner: Any) -> None:
    product.wait_until_ready()

    status, page = product.get("/login/")
    assert status == 200
    assert "csrfmiddlewaretoken" in page
    style = re.search(r'href="(/static/css/app\.[0-9a-f]+\.css)"', page)
    assert style is not None
    assert product.get(style.group(1))[0] == 200
    assert product.get("/health/ready/")[0] == 200
    told = product.told.read_text()
    assert f"open http://localhost:{product.port}\n" in told
    assert len(SIGN_IN.findall(told)) >= 2
    running = " ".join(processes_of(product.runtime))
    assert [word for word in ("gunicorn", " worker ", " beat ") if word not in running] == []

    owner.execute(
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'sellercentral'"
        " AND datname = current_database()"
    )
    assert owner.fetchall() == [(ROLE,)]
    knowing = [command for command, told in environments_of(product.runtime) if OWNER in told]
    assert [word for word in ("gunicorn", "celery") if word in " ".join(knowing)] == []

    product.process.send_signal(signal.SIGINT)

    assert product.process.wait(60) == 0
    assert processes_of(product.runtime) == []
    assert not (product.runtime / "env").exists()
