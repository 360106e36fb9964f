"""Workload place: the verb that places orders, in batches as a file of orders has them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from django.db import transaction

from accounts.models import Merchant
from catalog.models import Listing
from core import clock
from core.actor import Actor
from core.money import round_half_up
from orders.bench import floors
from orders.bench.databases import BIG, Filled
from orders.bench.measure import Figure, in_turn, took
from orders.domain import placing
from orders.domain.drafts import ContactDraft, ItemDraft, OrderDraft
from orders.imports.tab_file import CHUNK
from orders.models import Order

GOAL = 6.0
BY = Actor("file", "benchmark", owner=True)


def figures(filled: Filled, rounds: int) -> Iterator[Figure]:
    """Place batch after batch; insert each batch's rows once more by sets."""
    with filled.entered():
        batches = _Batches()
        ours, floor = in_turn(rounds, batches.place, batches.insert_again)
    case = f"batch of {CHUNK} orders"
    yield Figure("place", case, filled.orders, ours, floor, "inserts by sets", GOAL)


class _Batches:
    """Makes drafts, places them, and stages what was placed for the floor."""

    def __init__(self) -> None:
        self.shop = Merchant.objects.get(slug=BIG)
        self.listings = list(Listing.objects.filter(merchant=self.shop).order_by("pk"))
        self.dice = random.Random(20)
        self.number = 0
        self.placed: list[int] = []

    def place(self) -> float:
        """Place a batch; return the verb's milliseconds, its commit with them."""
        self.number += 1
        drafts = [self._draft(index) for index in range(CHUNK)]
        outcomes: list[object] = []

        def verb() -> None:
            outcomes.extend(placing.place_orders(merchant_id=self.shop.pk, wanted=drafts, by=BY))

        ms = took(verb)()
        self.placed = [order.pk for order in outcomes if isinstance(order, Order)]
        if len(self.placed) != CHUNK:
            raise RuntimeError(f"{CHUNK - len(self.placed)} of {CHUNK} orders were refused")
        return ms

    def insert_again(self) -> float:
        """Insert the same rows by sets; return the milliseconds, the commit with them."""
        batch = floors.Batch(self.placed, self.number)
        batch.stage()

        def by_sets() -> None:
            with transaction.atomic():
                batch.insert()

        return took(by_sets)()

    def _draft(self, index: int) -> OrderDraft:
        buyer = int(self.dice.random() ** 2 * 300_000)
        return OrderDraft(
            purchased_at=clock.now() - timedelta(minutes=1),
            buyer_name="Alice Ashworth",
            contact=ContactDraft(
                buyer_email=f"buyer{buyer}@mail.example",
                recipient_name="Alice Ashworth",
                address_1=f"{index} Harbour Row",
                city="Leeds",
                postal_code="LS6 2AB",
                country="GB",
            ),
            items=tuple(self._item() for _ in range(self.dice.choice((1, 1, 2, 3, 3, 5)))),
            payment_token="ok",
            merchant_order_number=f"BENCH-{self.number}-{index}-{self.dice.randrange(10**9)}",
        )

    def _item(self) -> ItemDraft:
        listing = self.listings[int(self.dice.random() ** 2 * len(self.listings))]
        quantity = self.dice.choice((1, 1, 1, 2, 3))
        gross = listing.price * quantity
        net = round_half_up(gross / Decimal("1.2"), listing.currency)
        return ItemDraft(listing.sku, quantity, {"item_price": net, "item_tax": gross - net})
