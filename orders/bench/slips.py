"""Workload slips: a hundred packing slips in one PDF, beside the plainest document of the words."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from pypdf import PdfReader, PdfWriter

from accounts.models import Merchant
from orders import documents
from orders.bench import floors
from orders.bench.databases import BIG, Filled
from orders.bench.measure import Figure, in_turn, took
from orders.documents import Slip
from orders.domain import contacts
from orders.models import Item, Order

COUNT = 100
ONE_PROCESS_GOAL, TWO_PROCESSES_GOAL = 1.2, 0.65


def figures(filled: Filled, rounds: int) -> Iterator[Figure]:
    """Measure one document of the newest shipped orders, made by one process and by two."""
    from weasyprint import HTML

    with filled.entered():
        slips = _newest(COUNT)
    with ThreadPoolExecutor(2) as pool:  # each waits for a process that renders
        alone, together, floor = in_turn(
            rounds,
            took(lambda: documents.render_pdf(slips)),
            took(lambda: _by_two(pool, slips)),
            took(lambda: HTML(string=floors.slips_html(slips)).write_pdf()),
            warm=1,
        )
    for case, ours, goal in (
        ("one process", alone, ONE_PROCESS_GOAL),
        ("two processes", together, TWO_PROCESSES_GOAL),
    ):
        words = f"{len(slips)} slips, {case}"
        yield Figure("slips", words, filled.orders, ours, floor, "plain document", goal)


def _by_two(pool: ThreadPoolExecutor, slips: Sequence[Slip]) -> bytes:
    """Let two processes make a half each, and put the halves together."""
    middle = len(slips) // 2
    halves = pool.map(documents.render_pdf, [slips[:middle], slips[middle:]])
    whole = PdfWriter()
    for half in halves:
        whole.append(PdfReader(io.BytesIO(half)))
    out = io.BytesIO()
    whole.write(out)
    return out.getvalue()


def _newest(count: int) -> Sequence[Slip]:
    shop = Merchant.objects.get(slug=BIG)
    orders = list(
        Order.objects.for_merchant(shop)
        .filter(status="shipped")
        .select_related("merchant", "marketplace")
        .order_by("-purchased_at")[:count]
    )
    known = contacts.for_merchant(orders)
    items: dict[int, list[Item]] = {order.pk: [] for order in orders}
    for item in Item.objects.of_orders(list(items)).select_related("listing"):
        items[item.order_id].append(item)
    told = documents.seller(shop)
    return [
        documents.slip(order, items[order.pk], contact, documents.A4, told)
        for order in orders
        if (contact := known[order.pk]) is not None
    ]
