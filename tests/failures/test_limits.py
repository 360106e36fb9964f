"""What is too large, too slow or broken off gets an answer from the web server as it runs."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.failures.stack import BODY_SECONDS

FORM = 2_621_440
MEGABYTE = 1024 * 1024
PLAIN = "application/x-www-form-urlencoded"


class Talk:
    """One connection, spoken by hand: what is sent, and when, is the test's own."""

    def __init__(self, stack) -> None:
        where = urlsplit(stack.address)
        self.host = where.netloc
        self._socket = socket.create_connection((where.hostname, where.port), timeout=20)

    def ask(self, line: str, *headers: str) -> None:
        self.send("\r\n".join([line, f"Host: {self.host}", *headers, "", ""]).encode())

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def no_more(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self) -> tuple[int, str]:
        """Read until the connection ends, or the whole answer is here."""
        told = b""
        while b"\r\n\r\n" not in told:
            told += self._more()
        head, _blank, body = told.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        while len(body) < length:
            body += self._more()
        return int(head.split()[1]), body.decode()

    def _more(self) -> bytes:
        read = self._socket.recv(65536)
        assert read, "the connection ended without an answer"
        return read

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def talk(stack):
    talking = Talk(stack)
    yield talking
    talking.close()


def post(talk: Talk, path: str, body: bytes, kind: str = PLAIN) -> tuple[int, str]:
    talk.ask(f"POST {path} HTTP/1.1", f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    talk.send(body)
    return talk.answer()


@pytest.mark.parametrize("size", [FORM + 1, 8 * MEGABYTE, 40 * MEGABYTE])
@pytest.mark.req("SD-11")
def test_a_form_that_is_too_large_is_answered_and_not_cut_off(talk, size):
    started = time.monotonic()
    status, page = post(talk, "/login/", b"note=" + b"x" * (size - 5))
    assert status == 413
    assert "That is too much at once" in page
    assert time.monotonic() - started < 5


@pytest.mark.req("SD-11", "BI-API")
def test_a_program_that_sends_too_much_is_answered_in_its_own_shape(talk):
    status, body = post(talk, "/api/v1/orders/", b"[" + b"1," * (2 * MEGABYTE), "application/json")
    assert (status, json.loads(body)["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize(("megabytes", "status"), [(11, 403), (13, 413)])
@pytest.mark.req("SD-11")
def test_who_sends_a_file_that_nobody_reads_is_answered(talk, megabytes, status):
    """A stranger has no token: the file is not looked at, and the answer arrives all the same."""
    part = b'--b\r\nContent-Disposition: form-data; name="logo"; filename="l.png"\r\n\r\n'
    body = part + b"x" * (megabytes * MEGABYTE) + b"\r\n--b--\r\n"
    assert post(talk, "/login/", body, "multipart/form-data; boundary=b")[0] == status


@pytest.mark.req("SD-11")
def test_who_waits_to_be_told_to_go_on_is_answered(talk):
    """As curl sends a large form: first the headers alone."""
    talk.ask(
        "POST /login/ HTTP/1.1",
        f"Content-Type: {PLAIN}",
        f"Content-Length: {50 * MEGABYTE}",
        "Expect: 100-continue",
        "Connection: close",
    )
    assert talk._more().startswith(b"HTTP/1.1 100 ")
    talk.send(b"x" * 50 * MEGABYTE)
    assert talk.answer()[0] == 413


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("GET /" + "x" * 9000 + " HTTP/1.1", [], 414),
        ("GET /login/ HTTP/1.1", ["X-Long: " + "x" * 9000], 431),
        ("GET /login/ HTTP/1.1", [f"X-{n}: y" for n in range(70)], 431),
        ("GET /login/ HTTP/1.1", [f"X-{n}: " + "x" * 500 for n in range(40)], 431),
        ("POST /login/ HTTP/1.1", ["Transfer-Encoding: chunked", f"Content-Type: {PLAIN}"], 411),
    ],
    ids=["line", "header", "headers", "all headers", "no length"],
)
@pytest.mark.req("SD-11", "BI-URL")
def test_headers_that_are_too_long_are_answered(talk, line, headers, status):
    talk.ask(line, *headers, "Connection: close")
    if "chunked" in str(headers):
        talk.send(b"3\r\na=b\r\n0\r\n\r\n")
    assert talk.answer()[0] == status


@pytest.mark.parametrize(
    ("where", "status"),
    [("/login/", 403), ("/api/v1/orders/", 401), ("/api/gateway/callback/", 408)],
)
@pytest.mark.req("SD-11")
def test_a_body_that_does_not_come_keeps_nobody_for_ever(talk, where, status):
    """A byte now and then does not help; who may not send at all is told so, not that it is late."""
    kind = PLAIN if where == "/login/" else "application/json"
    talk.ask(f"POST {where} HTTP/1.1", f"Content-Type: {kind}", "Content-Length: 1000")
    started = time.monotonic()
    for _ in range(3):
        talk.send(b"a")
        time.sleep(0.3)
    assert talk.answer()[0] == status
    assert time.monotonic() - started < max(BODY_SECONDS, 5) + 4


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.req("SD-11", "INV-11")
def test_half_a_form_is_not_taken_for_the_whole(stack, stage, alice, waits):
    """Everything but the end of it has come: token, reason, and all."""
    (number,) = stage.orders(status="unshipped")
    form = alice.cancel_form(number)
    started = time.monotonic()
    status, page = alice.break_off(f"/orders/{number}/cancel/", form, waits=waits)
    assert (status, "Your request did not arrive" in page) == (408, True)
    assert time.monotonic() - started < BODY_SECONDS + 4
    assert stage.story(number=number)["status"] == "unshipped"
