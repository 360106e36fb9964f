"""How tests go in through the pages: post forms as a browser would, and look at what is there."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from audit.models import Entry
from notifications.models import Outbox
from orders.models import Order
from payments.models import LedgerLine, Operation


class _Fields(HTMLParser):
    """Collects the fields of the form that has a given action."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.inside = action, False
        self.fields: dict[str, Any] = {}
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form":
            self.inside = given.get("action") == self.action and given.get("method") == "post"
        if not self.inside:
            return
        name = given.get("name") or ""
        if tag == "input" and given.get("type") in ("checkbox", "radio"):
            if "checked" in given:
                self.fields[name] = given.get("value") or "on"
        elif tag == "input":
            self.fields[name] = given.get("value") or ""
        elif tag == "select":
            self._select = name
            self.fields.setdefault(name, "")
        elif tag == "option" and self._select and "selected" in given:
            self.fields[self._select] = given.get("value") or ""
        elif tag == "textarea":
            self._textarea = name
            self.fields[name] = ""

    def handle_data(self, data: str) -> None:
        if self.inside and self._textarea:
            self.fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""
        elif tag == "form":
            self.inside = False


def form_of(client: Client, path: str, action: str = "") -> dict[str, Any]:
    """Get a page and return the fields of its form as a browser would send them."""
    return fields_in(client.get(path).content.decode(), action or path.split("?")[0])


def fields_in(html: str, action: str) -> dict[str, Any]:
    reader = _Fields(action)
    reader.feed(html)
    fields = {name: value for name, value in reader.fields.items() if name}
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def words(response: Any) -> str:
    """Return a page's text without its tags, white space folded."""
    text: list[str] = []
    reader = HTMLParser()
    reader.handle_data = text.append  # type: ignore[method-assign]
    reader.feed(response.content.decode())
    return " ".join(unescape(" ".join(text)).split())


def body(response: Any) -> str:
    """Return a page without its form tokens, which differ each time."""
    html: str = response.content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", html)


def snapshot(order: Order) -> tuple[Any, ...]:
    """Everything that an act could change about an order."""
    row = Order.objects.filter(pk=order.pk).values().get()
    return (
        row,
        list(order.items.order_by("line").values()),
        list(Operation.objects.filter(order=order).values()),
        list(LedgerLine.objects.filter(order=order).values()),
        list(Entry.objects.filter(order=order).values_list("number")),
        list(Outbox.objects.filter(order=order).values_list("event_key")),
    )


def kinds(order: Order) -> list[str]:
    """Kinds of messages owed for an order, sorted."""
    return sorted(Outbox.objects.filter(order=order).values_list("kind", flat=True))
