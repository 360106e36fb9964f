"""How a buyer comes to the pages of an order: by its link alone, signed in nowhere."""

from __future__ import annotations

from typing import Any

from django.test import Client

from core.actor import Actor
from orders.domain import buyer_links, guards, requests
from orders.enums import RequestReason
from orders.models import BuyerRequest, Order
from tests.pages import form_of

BUYER = Actor("buyer", "the buyer")


def page_of(order: Order, act: str = "") -> str:
    """Return the address of a buyer's page: the order's own, "change/", "cancel/" …"""
    return f"/buyer/{buyer_links.token_for(order)}/{act}"


def post(client: Client, order: Order, act: str, **typed: Any) -> Any:
    """Fill in the form of a page and send it, as a buyer does."""
    where = page_of(order, act)
    return client.post(where, form_of(client, where) | typed)


def file_request(order: Order, reason: RequestReason = RequestReason.TOO_LATE) -> BuyerRequest:
    """Ask for a cancellation now; the order's window has passed."""
    return requests.file_request(order_id=order.pk, reason=reason, by=BUYER)


def window_ends(order: Order) -> Any:
    return guards.window_ends(Order.objects.select_related("marketplace").get(pk=order.pk))
