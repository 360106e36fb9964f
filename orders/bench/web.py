"""Workload http: the list through gunicorn, beside a page with the same frame and no rows."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse

from orders.bench.databases import Filled
from orders.bench.desk import Desk
from orders.bench.measure import Act, Figure, in_turn

GOAL = 0.15
CLIENTS = 4
REQUESTS = 40  # of each client in a round
STARTS_WITHIN = 30  # seconds


def figures(filled: Filled, rounds: int) -> Iterator[Figure]:
    """Ask for both pages in turn, over kept connections on the loopback."""
    desk = Desk(filled)
    with _gunicorn(filled) as port, ThreadPoolExecutor(CLIENTS) as clients:
        ours, floor = in_turn(
            rounds,
            _rate(clients, port, desk.session_key, reverse("orders:list")),
            _rate(clients, port, desk.session_key, reverse("shortcuts")),
            warm=1,
        )
    case = "list through gunicorn, 2 workers"
    yield Figure("http", case, filled.orders, ours, floor, "frame alone", GOAL, unit="/s")


def _rate(clients: ThreadPoolExecutor, port: int, session: str, address: str) -> Act:
    """Return the act that says how many requests a second are answered."""

    def ask(_client: int) -> None:
        talk = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Host": "localhost", "Cookie": f"sessionid={session}"}
        for _request in range(REQUESTS):
            talk.request("GET", address, headers=headers)
            answer = talk.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{address} was answered with {answer.status}")
        talk.close()

    def run() -> float:
        started = time.perf_counter()
        list(clients.map(ask, range(CLIENTS)))
        return CLIENTS * REQUESTS / (time.perf_counter() - started)

    return run


@contextmanager
def _gunicorn(filled: Filled) -> Iterator[int]:
    """Run the product's web server on the filled database and a free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "sellercentral.wsgi"]
    command += ["--config", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "4", "--log-level", "warning"]
    server = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": _url(filled),
            "REDIS_URL": settings.REDIS_URL,
            "CACHE_URL": settings.CACHE_URL,
            "SECRET_KEY": settings.SECRET_KEY,  # the session was signed with it
            "LOG_LEVEL": "WARNING",
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(server, port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and server.poll() is None:
        talk = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
        try:
            talk.request("GET", "/health/live/", headers={"Host": "localhost"})
            if talk.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            talk.close()
    raise RuntimeError("The web server of the benchmark did not start.")


def _url(filled: Filled) -> str:
    at = filled.wrapper.settings_dict
    user, password = quote(at["USER"], safe=""), quote(at["PASSWORD"], safe="")
    return f"postgres://{user}:{password}@{at['HOST']}:{at['PORT']}/{filled.name}"
