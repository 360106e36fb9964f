"""Somebody who works at the desk over HTTP, and writes down what the product promised."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import os
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.pages import fields_in

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
Form = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back in the end. status 0: nobody answered, or the connection broke."""

    status: int
    path: str
    html: str
    seconds: float

    def form(self, action: str) -> Form:
        """Return the fields of a form of this page, ready to be sent; empty if there is none."""
        fields = fields_in(self.html, action)
        token = _TOKEN.search(self.html)
        return fields | {"csrfmiddlewaretoken": token[1]} if fields and token else {}


class Person:
    def __init__(self, address: str) -> None:
        self.address = address
        self._jar = http.cookiejar.CookieJar()
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))

    def sign_in(self, email: str, password: str) -> Answer:
        form = self.get("/login/").form("/login/")
        return self.post("/login/", form | {"login": email, "password": password})

    def get(self, path: str) -> Answer:
        return self._ask(urllib.request.Request(self.address + path))

    def post(self, path: str, form: Mapping[str, Any]) -> Answer:
        body = urllib.parse.urlencode(form, doseq=True).encode()
        return self._ask(urllib.request.Request(self.address + path, body))

    def break_off(self, path: str, form: Mapping[str, Any], *, waits: bool) -> tuple[int, str]:
        """Send a form without its last bytes; return what is answered. waits: without hanging up."""
        body = urllib.parse.urlencode(form, doseq=True).encode()
        asked = urllib.request.Request(self.address + path, body)
        self._jar.add_cookie_header(asked)
        talk = http.client.HTTPConnection(asked.host, timeout=20)
        talk.putrequest("POST", path)
        talk.putheader("Content-Type", "application/x-www-form-urlencoded")
        talk.putheader("Content-Length", str(len(body)))
        talk.putheader("Cookie", asked.get_header("Cookie") or "")
        talk.endheaders(body[:-3])
        assert talk.sock is not None
        if not waits:
            talk.sock.shutdown(socket.SHUT_WR)
        try:
            with talk.getresponse() as page:
                return page.status, page.read().decode()
        finally:
            talk.close()

    def _ask(self, asked: urllib.request.Request) -> Answer:
        started = time.monotonic()
        try:
            with self._browser.open(asked, timeout=40) as page:
                status, html, at = page.status, page.read().decode(), page.url
        except urllib.error.HTTPError as page:
            status, html, at = page.code, page.read().decode(), page.url
        except (OSError, http.client.HTTPException):
            status, html, at = 0, "", asked.full_url
        seconds = time.monotonic() - started
        return Answer(status, at.removeprefix(self.address), html, seconds)

    def upload(self, path: str, text: str) -> Answer:
        """Hand in a file at a page of uploads; the answer is the page of its results."""
        form = self.get(path).form(path) | {"again": "on"}
        edge = "edge-of-a-part"
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in form.items()
            if name in ("csrfmiddlewaretoken", "merchant", "again")
        ]
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="day.txt"\r\n'
            f"Content-Type: text/plain\r\n\r\n{text}\r\n--{edge}--\r\n"
        )
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        asked = urllib.request.Request(self.address + path, "".join(parts).encode(), kind)
        return self._ask(asked)

    # Acts: the form as the page gives it, then sending it --------------------------------------

    def confirm_form(self, number: str) -> Form:
        path = f"/orders/{number}/confirm-shipment/"
        form = self.get(path).form(path)
        return form and form | {"carrier": "UPS", "tracking_id": f"T{number[-7:]}"}

    def confirm(self, number: str, form: Form | None = None) -> Answer:
        form = form or self.confirm_form(number)
        return self.post(f"/orders/{number}/confirm-shipment/", form)

    def cancel_form(self, number: str) -> Form:
        path = f"/orders/{number}/cancel/"
        form = self.get(path).form(path)
        return form and form | {"reason": "NoInventory"}

    def cancel(self, number: str, form: Form | None = None) -> Answer:
        return self.post(f"/orders/{number}/cancel/", form or self.cancel_form(number))

    def refund_form(self, number: str, amount: str = "1.00") -> Form:
        """Fill the form in, and return the one of the last look."""
        path = f"/orders/{number}/refund/"
        form = self.get(f"{path}?tab=partial").form(path)
        box = next((name for name in form if name.startswith("item_cost_")), "")
        if not box:
            return {}
        item = box.removeprefix("item_cost_")
        typed = form | {f"item_{item}": "1", box: amount, "reason": "CustomerReturn"}
        look = self.post(path, typed).form(path)
        return look and look | {"confirmed": "1"}

    def refund(self, number: str, form: Form | None = None) -> Answer:
        return self.post(f"/orders/{number}/refund/", form or self.refund_form(number))


def promised(answer: Answer) -> bool:
    """Whether the product said that it is done: it leads to another page, which says so."""
    told = ("Shipment confirmed:", "is cancelled.", "submitted. It goes to")
    return answer.status == 200 and any(words in answer.html for words in told)


class Promises:
    """The acknowledgement log: each line is on the disk before its author goes on (INV-11)."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, act: str, number: str) -> None:
        with self._file.open("a") as lines:
            lines.write(json.dumps([act, number]) + "\n")
            lines.flush()
            os.fsync(lines.fileno())

    def all(self) -> list[tuple[str, str]]:
        if not self._file.exists():
            return []
        return [tuple(json.loads(line)) for line in self._file.read_text().splitlines()]

    def broken(self, stories: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Compare with what became of the orders; return what was promised and is not so."""
        told = []
        for act, number in self.all():
            story = stories.get(number, {})
            kept = {
                "confirm": story.get("shipments") == 1,
                "cancel": story.get("status") == "cancelled",
                "refund": len(story.get("refunds", ())) == 1,
            }[act]
            if not kept:
                told.append(f"{act} of {number} was promised: {story}")
        return told


def doubled(stories: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return orders that were charged, shipped, refunded or told of more often than once."""
    return [
        f"{number}: {story}"
        for number, story in stories.items()
        if story["shipments"] > 1
        or len(story["refunds"]) > 1
        or any(times > 1 for times in story["books"].values())
        or any(times > 1 for times in story["mails"].values())
    ]
