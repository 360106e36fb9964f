"""Do the desk's main job on a merchant's orders and prove the sums around it."""

import re
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test import Client

from accounts.domain import calendar
from accounts.models import Membership, Merchant
from core.actor import Actor
from core.limits import long_statements
from core.refusal import Refusal
from orders.domain import amounts, cancellations, invariants, proof, refunds, shipments
from orders.domain.packages import Package
from orders.enums import Act, CancelReason, OrderStatus, RefundReason
from orders.models import Item, Order

S = OrderStatus
ON_PAGE = {
    "charged": re.compile(r'class="is-total"><th scope="row">Paid</th><td>([^<]+)</td>'),
    "refunded": re.compile(r'<th scope="row">Refunded so far</th><td>([^<]+)</td>'),
}


class Command(BaseCommand):
    help = (
        "Confirm 100, cancel 20 and refund 20 orders of a sandbox merchant through the same verbs"
        " as the pages; print the sums before and after, and check every invariant."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--merchant", required=True, help="the merchant's slug")
        parser.add_argument("--confirm", type=int, default=100)
        parser.add_argument("--cancel", type=int, default=20)
        parser.add_argument("--refund", type=int, default=20)

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["merchant"]
        merchant = Merchant.objects.select_related("marketplace").filter(slug=slug).first()
        if merchant is None:
            raise CommandError(f"There is no merchant {slug}.")
        if not merchant.is_sandbox:
            raise CommandError("Only a sandbox merchant's orders are moved for show.")
        self.merchant, self.by = merchant, Actor("form", "main job", owner=True)
        self.touched: list[int] = []
        with long_statements():
            before = self._sums("before")
            charged = self._do("confirmed", self._confirm, options["confirm"])
            self._do("cancelled", self._cancel, options["cancel"])
            refunded = self._do("refunded", self._refund, options["refund"])
            after = self._sums("after")
            moved = (after.charged - before.charged, after.refunded - before.refunded)
            agreed = before.agree and after.agree and moved == (charged, refunded)
            agreed = self._pages() and agreed
            found = invariants.verify(merchant_id=merchant.pk)
        for name, rows in found.items():
            self.stdout.write(f"{'VIOLATED' if rows else 'ok':>9}  {name}")
        self.stdout.write("The sums agree." if agreed else "THE SUMS DIFFER.")
        if not agreed or any(found.values()):
            sys.exit(1)

    def _confirm(self, wanted: int) -> list[Decimal]:
        """Confirm all that remains; return what each confirmation charged."""
        orders = self._oldest(wanted, S.UNSHIPPED, S.PARTIALLY_SHIPPED)
        today = self.merchant.marketplace.local_date(calendar.now_for(self.merchant))
        jobs = [
            shipments.Confirmation(
                order.pk,
                Package(ship_date=today, carrier="Royal Mail", tracking_id=f"MJ{order.pk}GB"),
                seen=order.version,
            )
            for order in orders
        ]
        answers = shipments.confirm_shipments(wanted=jobs, by=self.by)
        done = self._done(orders, answers)
        return [Decimal(0) if order.paid_at else order.total for order in done]

    def _cancel(self, wanted: int) -> list[Decimal]:
        """Cancel; no money moves, for nobody was charged."""
        orders = self._oldest(wanted, S.UNSHIPPED)
        jobs = [
            cancellations.CancelRequest(order.pk, CancelReason.NO_INVENTORY, seen=order.version)
            for order in orders
        ]
        answers = cancellations.cancel_orders(wanted=jobs, act=Act.CANCEL, by=self.by)
        return [Decimal(0) for _order in self._done(orders, answers)]

    def _refund(self, wanted: int) -> list[Decimal]:
        """Give back by turns everything, and half of the first item in whole units of money."""
        given = []
        for turn, order in enumerate(self._oldest(wanted, S.SHIPPED, refundable=True)):
            back: amounts.Wanted = amounts.Everything()
            item = Item.objects.of_orders([order.pk])[0]
            half = amounts.maximum(item, "item_cost") // 2
            if turn % 2 and half:
                back = amounts.Boxes({item.pk: (half, Decimal(0))})
            asked = refunds.RefundRequest(
                order.pk, back, RefundReason.CUSTOMER_RETURN, seen=order.version
            )
            given.append(refunds.refund_order(wanted=asked, by=self.by).total)
            self.touched.append(order.pk)
        return given

    def _oldest(self, most: int, *statuses: S, refundable: bool = False) -> list[Order]:
        """Return the first orders that may still be acted on."""
        orders = Order.objects.for_merchant(self.merchant).filter(status__in=statuses)
        if refundable:
            orders = orders.filter(refunded_total=0)
        else:
            orders = orders.filter(deadline_at__gt=calendar.now_for(self.merchant))
        return list(orders.order_by("purchased_at", "pk")[:most])

    def _done(self, orders: Sequence[Order], answers: Sequence[object]) -> list[Order]:
        done = []
        for order, answer in zip(orders, answers, strict=True):
            if isinstance(answer, Refusal):
                self.stderr.write(f"refused: {order.number}: {answer}")
            else:
                done.append(order)
                self.touched.append(order.pk)
        return done

    def _do(self, what: str, work: Callable[[int], list[Decimal]], wanted: int) -> Decimal:
        started = time.monotonic()
        moved = work(wanted)
        total = sum(moved, Decimal(0))
        took = time.monotonic() - started
        self.stdout.write(f"{len(moved)} orders {what} in {took:.1f} s: {total:,} moved")
        return total

    def _sums(self, when: str) -> proof.Sums:
        sums = proof.sums_of(self.merchant)
        counts = ", ".join(f"{count:,} {S(status).label}" for status, count in sums.orders.items())
        self.stdout.write(f"{when}: {counts}")
        for name, charged, refunded in sums.rows:
            self._line(name, charged, refunded)
        return sums

    def _pages(self) -> bool:
        """Read the orders' own pages as an owner sees them, and add up what stands there."""
        owner = Membership.objects.filter(
            merchant=self.merchant, is_owner=True, removed_at=None
        ).first()
        if owner is None:
            raise CommandError("Nobody owns this account, so nobody can see its pages.")
        orders = Order.objects.filter(pk__in=self.touched)
        client = Client(SERVER_NAME="localhost")
        client.force_login(owner.user)
        session = client.session
        session["merchant"] = self.merchant.pk
        session.save()
        shown = {"charged": Decimal(0), "refunded": Decimal(0)}
        for order in orders:
            html = client.get(order.get_absolute_url(), secure=True).content.decode()
            for what, pattern in ON_PAGE.items():
                if found := pattern.search(html):
                    shown[what] += Decimal(re.sub(r"[^\d.]", "", found[1]))
        client.logout()
        self.stdout.write(f"the {len(orders)} orders, in the rows and on their pages:")
        charged, refunded = proof.totals(orders)
        self._line("rows", charged, refunded)
        self._line("pages", shown["charged"], shown["refunded"])
        return (charged, refunded) == (shown["charged"], shown["refunded"])

    def _line(self, name: str, charged: Decimal, refunded: Decimal) -> None:
        currency = self.merchant.marketplace.currency
        self.stdout.write(
            f"  {name:<7} charged {charged:>15,} {currency}, refunded {refunded:>13,} {currency}"
        )
