"""Builders without surprises. Orders are made by the product's own verbs, as life makes them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import factory
from django.apps import apps

from accounts.domain import profiles
from accounts.models import Grant, Marketplace, Membership, Merchant, User
from accounts.permissions import PRESETS, Preset
from catalog.models import Listing
from core import clock, stored_files
from core.actor import Actor
from core.models import JobRun
from orders.domain import amounts, cancellations, placing, refunds, shipments, verification
from orders.domain.drafts import ContactDraft, ItemDraft, OrderDraft
from orders.domain.packages import Package
from orders.enums import CancelReason, RefundReason
from orders.models import Order, Refund, Shipment
from payments.gateways import Verification, VerificationOutcome
from reports.enums import Failure, Origin, ReportKind, ReportState
from reports.models import Report
from uploads.enums import Feed, UploadState
from uploads.models import Upload

STAFF = Actor("form", "Jo Adair", owner=True)
SHOP = Actor("api", "shop", owner=True)
GATEWAY = Actor("gateway", "payment check")
PASSWORD = "correct horse battery"


def marketplace(code: str = "UK_CHECKOUT") -> Marketplace:
    """Return a seeded policy; a test on real connections empties the tables, so seed them again."""
    if not Marketplace.objects.exists():
        import_module("accounts.migrations.0002_marketplaces").load(apps, None)
    return Marketplace.objects.get(code=code)


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@shop.example")
    name = factory.Sequence(lambda n: f"User {n}")
    password = factory.django.Password(PASSWORD)


class MerchantFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Merchant

    name = factory.Sequence(lambda n: f"Shop {n} Ltd")
    display_name = factory.LazyAttribute(lambda shop: shop.name.removesuffix(" Ltd"))
    slug = factory.Sequence(lambda n: f"shop-{n}")
    marketplace = factory.LazyFunction(marketplace)
    country = "GB"


def tell_buyers(shop: Merchant, *, logo: bytes | None = None, **policies: str) -> None:
    """Write a shop's first policies, and hang out its logo."""
    written = profiles.change_policies(merchant_id=shop.pk, values=policies, seen=0, by=STAFF)
    if logo is not None:
        profiles.change_logo(merchant_id=shop.pk, upload=logo, seen=written.version, by=STAFF)


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership
        skip_postgeneration_save = True

    user = factory.SubFactory(UserFactory)
    merchant = factory.SubFactory(MerchantFactory)
    preset = Preset.MANAGER

    @factory.post_generation
    def grants(self, create: bool, extracted: object, **kwargs: object) -> None:
        if not self.is_owner:
            Grant.objects.bulk_create(
                Grant(membership=self, function=function, level=level)
                for function, level in PRESETS[Preset(self.preset)].items()
                if level
            )


class ListingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Listing

    merchant = factory.SubFactory(MerchantFactory)
    sku = factory.Sequence(lambda n: f"SKU-{n:05d}")
    listing_id = factory.Sequence(lambda n: f"L{n:09d}")
    title = factory.Sequence(lambda n: f"Mug {n}")
    price = Decimal("10.00")
    currency = factory.LazyAttribute(lambda listing: listing.merchant.marketplace.currency)
    quantity_available = 1000


# MONEY-03's example: 100.00 + 20.00 + 5.00 + 1.00 − 10.00 + 8.00 + 1.60 = 125.60.
AMOUNTS = {
    "item_price": Decimal("100.00"),
    "item_tax": Decimal("20.00"),
    "gift_wrap_price": Decimal("5.00"),
    "gift_wrap_tax": Decimal("1.00"),
    "item_promotion": Decimal("10.00"),
    "shipping_price": Decimal("8.00"),
    "shipping_tax": Decimal("1.60"),
}
PLAIN = {"item_price": Decimal("10.00"), "shipping_price": Decimal("2.00")}
CONTACT = ContactDraft(
    buyer_email="Eilidh.MacLeod@mail.example",
    buyer_phone="07700 900142",
    recipient_name="Eilidh Receiver MacLeod",
    address_1="Flat 2, 14 Harbour Row",
    address_2="Tobermory",
    city="Isle of Mull",
    postal_code="PA75 6NU",
    country="GB",
)


def draft(shop: Merchant, *, age: timedelta = timedelta(hours=1), **changes: Any) -> OrderDraft:
    """An order's draft; lines: number of items or ItemDrafts; quantity: units of each."""
    lines = changes.pop("lines", 1)
    quantity = changes.pop("quantity", 1)
    money = changes.pop("amounts", PLAIN)
    title = changes.pop("title", "")
    if isinstance(lines, int):
        lines = [
            ItemDraft(ListingFactory(merchant=shop).sku, quantity, money, title=title)
            for _ in range(lines)
        ]
    values = {
        "purchased_at": clock.now() - age,
        "buyer_name": "Eilidh MacLeod",
        "contact": CONTACT,
        "items": tuple(lines),
        "payment_token": "ok",
    } | changes
    return OrderDraft(**values)


def pending_order(shop: Merchant, **changes: Any) -> Order:
    return placing.place_order(merchant_id=shop.pk, draft=draft(shop, **changes), by=SHOP)


def unshipped_order(shop: Merchant, *, in_advance: bool = False, **changes: Any) -> Order:
    """A verified order; in_advance: paid at the convenience store."""
    if in_advance:
        changes |= {"payment_method": "convenience_store"}
        changes.setdefault("payment_token", "convenience-store-paid")
    order = pending_order(shop, **changes)
    outcome = VerificationOutcome.PAID if in_advance else VerificationOutcome.VERIFIED
    verification.settle_verifications({order.pk: Verification(outcome)}, by=GATEWAY)
    order.refresh_from_db()
    return order


def confirm(order: Order, units: int | None = None, **changes: Any) -> Shipment:
    """Confirm everything, or so many units of the first item."""
    today = order.marketplace.local_date(clock.now() + order.merchant.clock_ahead)
    item = order.items.order_by("line").first()
    assert item is not None
    package = {"ship_date": today, "carrier": "Royal Mail", "tracking_id": "QT1GB"}
    wanted = {"quantities": None if units is None else {item.pk: units}} | changes
    shipment = shipments.confirm_shipment(
        wanted=shipments.Confirmation(order_id=order.pk, package=Package(**package), **wanted),
        by=STAFF,
    )
    order.refresh_from_db()
    return shipment


def shipped_order(shop: Merchant, **changes: Any) -> Order:
    order = unshipped_order(shop, **changes)
    confirm(order)
    return order


def partially_shipped_order(shop: Merchant, **changes: Any) -> Order:
    order = unshipped_order(shop, **({"quantity": 3} | changes))
    confirm(order, 1)
    return order


def cancelled_order(shop: Merchant, **changes: Any) -> Order:
    order = unshipped_order(shop, **changes)
    wanted = cancellations.CancelRequest(order.pk, CancelReason.PRICING_ERROR)
    cancellations.cancel_order(wanted=wanted, by=STAFF)
    order.refresh_from_db()
    return order


def refund(order: Order, amount: str | None = None, **changes: Any) -> Refund:
    """Refund everything, or an amount of the first item's cost."""
    item = order.items.order_by("line").first()
    assert item is not None
    wanted: amounts.Wanted = amounts.Everything()
    if amount is not None:
        wanted = amounts.Boxes({item.pk: (Decimal(amount), Decimal(0))})
    values = {"reason": RefundReason.GENERAL_ADJUSTMENT} | changes
    result = refunds.refund_order(
        wanted=refunds.RefundRequest(order_id=order.pk, wanted=wanted, **values), by=STAFF
    )
    order.refresh_from_db()
    return result


BY_STATUS = {
    "pending": pending_order,
    "unshipped": unshipped_order,
    "partially_shipped": partially_shipped_order,
    "shipped": shipped_order,
    "cancelled": cancelled_order,
}


def order_in(status: str, shop: Merchant, **changes: Any) -> Order:
    return BY_STATUS[status](shop, **changes)


def checked_upload(shop: Merchant) -> Upload:
    """A file of shipping confirmations that was checked and not applied."""
    now = clock.now()
    kept = stored_files.keep("uploads", iter([b"order-id\tship-date\n1\t2\n"]))
    return Upload.objects.create(
        merchant=shop,
        feed=Feed.SHIPPING,
        check_only=True,
        file_name="day.txt",
        stored_as=kept.name,
        size=kept.size,
        digest=kept.digest,
        uploaded_at=now,
        uploaded_by="Jo Adair",
        state=UploadState.CHECKED,
        names=["order-id", "ship-date"],
        finished_at=now,
    )


def failed_report(shop: Merchant) -> Report:
    """A report of the last day that could not be made."""
    now = clock.now()
    return Report.objects.create(
        merchant=shop,
        kind=ReportKind.ORDERS,
        origin=Origin.REQUESTED,
        days=1,
        from_at=now - timedelta(days=1),
        to_at=now,
        state=ReportState.FAILED,
        failure=Failure.INTERNAL,
        reference="0badf00d",
        requested_at=now,
        requested_by="Jo Adair",
        finished_at=now,
        attempts=3,
    )


def job_run(job: str = "tea", **values: Any) -> JobRun:
    """A run of a job that ended well at once."""
    at = values.setdefault("started_at", clock.now())
    return JobRun.objects.create(job=job, **{"lease_until": at, "finished_at": at} | values)
