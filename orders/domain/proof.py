"""A merchant's sums from books that are written apart, to be laid side by side."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts.models import Merchant
from orders.enums import COMPONENTS, OrderStatus
from orders.models import Item, Order
from orders.models.order import sign_of
from payments.models import LedgerLine

ZERO = Decimal(0)
_PAID = Q(charged_at__isnull=False) | Q(advance_paid_at__isnull=False)


@dataclass(frozen=True, slots=True)
class Sums:
    """What was charged and given back, by book, and how many orders stand in each status.

    rows: name of the book, amount charged, amount given back; in the merchant's currency.
    """

    rows: tuple[tuple[str, Decimal, Decimal], ...]
    orders: dict[str, int]

    @property
    def agree(self) -> bool:
        return len({(charged, refunded) for _name, charged, refunded in self.rows}) == 1

    @property
    def charged(self) -> Decimal:
        return self.rows[0][1]

    @property
    def refunded(self) -> Decimal:
        return self.rows[0][2]


def sums_of(merchant: Merchant) -> Sums:
    """Add up the ledger, the orders and the items of a merchant, each on its own (MONEY-10)."""
    orders = Order.objects.for_merchant(merchant)
    statuses = dict(orders.values_list("status").annotate(n=Count("pk")).order_by())
    ledger = LedgerLine.objects.filter(merchant=merchant)
    back = Q(kind__in=["refund", "refund_returned"])
    items = Item.objects.filter(merchant=merchant)
    paid_items = items.filter(order__in=orders.filter(_PAID))
    return Sums(
        (
            ("ledger", _total(ledger.filter(kind="charge")), -_total(ledger.filter(back))),
            ("orders", *totals(orders)),
            ("items", _components(paid_items, ""), _components(items, "refunded_")),
        ),
        {status: statuses.get(status, 0) for status in OrderStatus.values},
    )


def totals(orders: QuerySet[Order]) -> tuple[Decimal, Decimal]:
    """Return what orders say was charged and given back."""
    paid = orders.aggregate(n=Coalesce(Sum("total", filter=_PAID), ZERO))["n"]
    return paid, orders.aggregate(n=Coalesce(Sum("refunded_total"), ZERO))["n"]


def _total(lines: QuerySet[LedgerLine]) -> Decimal:
    total: Decimal = lines.aggregate(n=Coalesce(Sum("amount"), ZERO))["n"]
    return total


def _components(items: QuerySet[Item], prefix: str) -> Decimal:
    sums = items.aggregate(**{c: Coalesce(Sum(f"{prefix}{c}"), ZERO) for c in COMPONENTS})
    return sum((sign_of(c) * sums[c] for c in COMPONENTS), ZERO)
