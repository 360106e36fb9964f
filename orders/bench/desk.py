"""A signed-in person's browser at a filled database, and addresses worth asking for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from accounts.models import Membership
from orders.bench.databases import BIG, OWNER, Filled
from orders.cursors import write_cursor
from orders.domain.listing import Cursor
from orders.enums import OrderStatus


@dataclass(slots=True)
class Statements:
    """What a stretch of work asks of the database: milliseconds spent there, and the texts."""

    ms: float = 0.0
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.ms += (time.perf_counter() - started) * 1000
            self.asked.append((sql, params))


@dataclass(frozen=True, slots=True)
class Known:
    """What the addresses need of the data. middle: the order in the middle of all."""

    merchant_id: int
    middle: Cursor
    recent: str
    recent_email: str
    listing_id: str
    rare_sku: str


class Desk:
    """Asks for pages as the owner of the big shop, with the product's whole middleware."""

    def __init__(self, filled: Filled) -> None:
        settings.SEARCHES_A_MINUTE = sys.maxsize  # counted as ever, but nobody has to wait
        self.filled = filled
        with filled.entered():
            owner = Membership.objects.select_related("user").get(user__email=OWNER)
            self.client = Client(SERVER_NAME="localhost")
            self.client.force_login(owner.user)
            self.known = _known(filled.orders)

    @property
    def session_key(self) -> str:
        return str(self.client.cookies["sessionid"].value)

    def ask(self, address: str) -> tuple[float, Statements]:
        """Ask for a page; return its milliseconds and what it asked of the database."""
        statements = Statements()
        with self.filled.entered(), connection.execute_wrapper(statements):
            started = time.perf_counter()
            answer = self.client.get(address)
            ms = (time.perf_counter() - started) * 1000
        if answer.status_code != 200:
            raise RuntimeError(f"{address} was answered with {answer.status_code}")
        return ms, statements


Address = Callable[[Known], str]


def list_addresses() -> Mapping[str, Address]:
    """The pages of the list, by the words the figures carry."""
    pages: dict[str, Address] = {
        "first page": lambda known: _list(),
        "deep page": lambda known: _list(
            status="all", range="all", sort="-date", after=write_cursor(known.middle)
        ),
    }
    for status in (*OrderStatus.values, "all"):
        pages[f"tab {status.replace('_', ' ')}"] = _tab(status)
    pages["tab needs attention"] = lambda known: _list(status="attention")
    pages["90 days"] = lambda known: _list(range="90d")
    pages["90 days, all"] = lambda known: _list(status="all", range="90d", sort="-date")
    return pages


def home_addresses() -> Mapping[str, Address]:
    """Home, and the lists its figures and lines lead to."""
    return {
        "home": lambda known: reverse("home"),
        "at risk": lambda known: _list(status="at_risk"),
        "late": lambda known: _list(status="late"),
        "ship today": lambda known: _list(status="today"),
        "confirmed, last day": lambda known: _list(by="confirmed", range="1d"),
        "cancelled, last day": lambda known: _list(by="cancelled", range="1d"),
        "refunded, last day": lambda known: _list(by="refunded", range="1d"),
    }


def search_addresses() -> Mapping[str, Address]:
    """The five searches, by the words the figures carry."""
    return {
        "order ID": lambda known: _search("order_id", known.recent),
        "e-mail of a regular": lambda known: _search("buyer_email", "buyer0@mail.example"),
        "e-mail": lambda known: _search("buyer_email", known.recent_email),
        "SKU that sells most": lambda known: _search("sku", "BX-00001"),
        "SKU that sells least": lambda known: _search("sku", known.rare_sku),
        "listing ID": lambda known: _search("listing_id", known.listing_id),
        "frequent word": lambda known: _search("product_name", "mug"),
        "two words": lambda known: _search("product_name", "glass mug"),
        "rare word": lambda known: _search("product_name", "astrolabe"),
        "absent word": lambda known: _search("product_name", "zeppelin"),
        "two letters": lambda known: _search("product_name", "ug"),
    }


def detail_address(known: Known) -> str:
    return reverse("orders:detail", args=[known.middle.number])


def _tab(status: str) -> Address:
    return lambda known: _list(status=status, range="all")


def _list(**parameters: str) -> str:
    return reverse("orders:list") + ("?" + urlencode(parameters) if parameters else "")


def _search(kind: str, keyword: str) -> str:
    return _list(search=kind, keyword=keyword)


def _known(orders: int) -> Known:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_merchant WHERE slug = %s", [BIG])
        merchant_id: int = cursor.fetchone()[0]
        cursor.execute(
            "SELECT status_rank, purchased_at, number FROM orders_order WHERE merchant_id = %s"
            " AND status = 'shipped' ORDER BY purchased_at DESC OFFSET %s LIMIT 1",
            [merchant_id, orders // 2],
        )
        rank, purchased_at, number = cursor.fetchone()
        cursor.execute(
            "SELECT o.number, c.buyer_email FROM orders_order o JOIN orders_contact c"
            " ON c.order_id = o.id WHERE o.merchant_id = %s AND o.status = 'shipped'"
            " ORDER BY o.purchased_at DESC OFFSET %s LIMIT 1",
            [merchant_id, orders // 20],
        )
        recent, recent_email = cursor.fetchone()
        # Both fill a page at any size: a page of more rows takes longer, however they are found.
        cursor.execute(
            "SELECT listing_id FROM catalog_listing WHERE merchant_id = %s ORDER BY id LIMIT 1",
            [merchant_id],
        )
        ((listing_id,),) = cursor.fetchall()
        cursor.execute(
            "SELECT sku FROM catalog_listing WHERE id = (SELECT listing_id FROM orders_item"
            " WHERE merchant_id = %s AND purchased_at > now() - interval '90 days'"
            " GROUP BY listing_id HAVING count(DISTINCT order_id) > 25"
            " ORDER BY count(DISTINCT order_id), listing_id LIMIT 1)",
            [merchant_id],
        )
        ((rare_sku,),) = cursor.fetchall()
    assert isinstance(purchased_at, datetime)
    return Known(
        merchant_id=merchant_id,
        middle=Cursor(rank, purchased_at, number, orders // 2),
        recent=recent,
        recent_email=recent_email,
        listing_id=listing_id,
        rare_sku=rare_sku,
    )
