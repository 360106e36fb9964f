"""The demo shop: two merchants, orders of every state and age, made by the product's own verbs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.domain import calendar, members, profiles
from accounts.models import Merchant, User
from accounts.permissions import Preset
from catalog.domain import listings
from catalog.domain.listings import NewListing
from core.actor import Actor
from core.money import round_half_up, unit_of
from orders.domain import (
    amounts,
    cancellations,
    demo_shops,
    placing,
    refunds,
    requests,
    shipments,
    verification,
)
from orders.domain.drafts import ContactDraft, ItemDraft, OrderDraft
from orders.domain.packages import Package
from orders.enums import Act, CancelReason, RefundReason, RequestReason, ServiceLevel
from orders.models import Order
from payments.gateways import Verification, VerificationOutcome

PASSWORD = "demo-demo-demo"
SYSTEM = Actor("job", "demo")
CHECKOUT = Actor("buyer", "the buyer")
GATEWAY = Actor("gateway", "payment check")


@dataclass(frozen=True, slots=True)
class SignIn:
    """One of the printed demo sign-ins."""

    email: str
    shop: str
    role: str


_PRODUCTS = (
    ("HH-MUG35-SEA", "Hand-thrown stoneware mug, 350 ml – Sea glass", "14.50"),
    ("HH-RGT4", "Recycled glass tumblers, set of 4", "32.00"),
    ("HH-ASB-L", "Ash serving board, large", "34.00"),
    ("HH-BDC2-IVO", "Beeswax dinner candles, pair – Ivory", "9.95"),
    ("HH-LWT130-HEA", "Lambswool throw, 130 × 180 cm – Heather", "68.00"),
    ("HH-DDE-HER", "Draught excluder – Herringbone", "24.95"),
    ("HH-RD200-SAM", "Reed diffuser, 200 ml – Samphire and sage", "27.00"),
    ("HH-LNP-OAT", "Linen napkins, set of 4 – Oat", "29.50"),
)
_JAPANESE = (
    ("KT-CUP-01", "益子焼 湯呑み 青磁", "2400"),
    ("KT-TEN-02", "手ぬぐい 麻の葉", "1200"),
    ("KT-FUR-03", "風呂敷 70cm 藍", "1800"),
)
_BUYERS = (
    ("Rhys Pritchard", "7 Chapel Row", "Beddgelert", "LL55 4YB"),
    ("Morag Sinclair", "Croft 3, Shore Road", "Plockton", "IV52 8TN"),
    ("Priya Nair", "18 Clarendon Terrace", "Leicester", "LE2 7JQ"),
    ("Tom Ashworth", "9 Quarry Lane", "Stroud", "GL5 1QX"),
    ("Eilidh MacLeod", "Flat 2, 14 Harbour Row", "Tobermory", "PA75 6NU"),
    ("Zoë Brontë-Ångström", "Hôtel Élan, 3 Café Court", "Haworth", "BD22 8DU"),
    ("Louisa Tregear", "The Old Net Loft", "Mousehole", "TR19 6RS"),
    ("Callum Frew", "41 Ibrox Terrace", "Glasgow", "G51 2XW"),
)
_JAPANESE_BUYERS = (
    ("山田 花子", "千代田区千代田1-1", "東京都", "100-0001"),
    ("佐藤 健", "中央区天神2-8-36", "福岡市", "810-0001"),
)


def load() -> list[SignIn]:
    """Make the demo shops once; return the sign-ins either way (TECH-09)."""
    sign_ins = [
        SignIn("maya@harbourandhearth.example", "Harbour & Hearth", "owner"),
        SignIn("jo@harbourandhearth.example", "Harbour & Hearth", "fulfilment"),
        SignIn("sam@harbourandhearth.example", "Harbour & Hearth", "read-only"),
        SignIn("kenji@kita.example", "北の暮らし", "owner"),
    ]
    if Merchant.objects.filter(slug="harbour-and-hearth").exists():
        return sign_ins
    british = _open_british(sign_ins)
    japanese = _open_japanese(sign_ins)
    _fill(british, _PRODUCTS, _BUYERS, seed=1)
    _fill(japanese, _JAPANESE, _JAPANESE_BUYERS, seed=2)
    return sign_ins


def _open_british(sign_ins: Sequence[SignIn]) -> Merchant:
    shop = members.open_account(
        name="Harbour & Hearth Ltd",
        display_name="Harbour & Hearth",
        slug="harbour-and-hearth",
        marketplace="UK_CHECKOUT",
        by=SYSTEM,
        address_1="Unit 6, Slipway Yard, Quay Street",
        city="Falmouth",
        region="Cornwall",
        postal_code="TR11 3LH",
        contact_phone="01632 960417",
        customer_service_hours="Mon to Fri, 9:00 to 17:00",
        customer_service_email="help@harbourandhearth.example",
        notification_emails=["orders@harbourandhearth.example"],
        zero_out_inventory=True,
        is_sandbox=True,
    )
    owner, packer, reader = (_person(sign_in.email) for sign_in in sign_ins[:3])
    members.add_owner(merchant=shop, user=owner, by=SYSTEM)
    members.add_member(merchant=shop, user=packer, preset=Preset.FULFILMENT, by=SYSTEM)
    members.add_member(merchant=shop, user=reader, preset=Preset.READ_ONLY, by=SYSTEM)
    _present(shop, demo_shops.POLICIES_BRITISH, demo_shops.british_logo())
    return shop


def _open_japanese(sign_ins: Sequence[SignIn]) -> Merchant:
    shop = members.open_account(
        name="北の暮らし株式会社",
        display_name="北の暮らし",
        slug="kita-no-kurashi",
        marketplace="JP_2019",
        by=SYSTEM,
        address_1="札幌市中央区北1条西2丁目",
        city="北海道",
        postal_code="060-0001",
        contact_phone="011-555-0100",
        customer_service_email="help@kita.example",
        is_sandbox=True,
    )
    members.add_owner(merchant=shop, user=_person(sign_ins[3].email), by=SYSTEM)
    _present(shop, demo_shops.POLICIES_JAPANESE, demo_shops.japanese_logo())
    return shop


def _present(shop: Merchant, policies: Mapping[str, str], logo: bytes) -> None:
    """Write policies and hang out a logo, as Your Info & Policies does."""
    written = profiles.change_policies(merchant_id=shop.pk, values=policies, seen=0, by=SYSTEM)
    profiles.change_logo(merchant_id=shop.pk, upload=logo, seen=written.version, by=SYSTEM)


def _person(email: str) -> User:
    names = {"maya": "Maya Fenwick", "jo": "Jo Adair", "sam": "Sam Reed", "kenji": "Kenji Mori"}
    return User.objects.create_user(email, PASSWORD, name=names[email.split("@")[0]])


class _Shop:
    """Places and moves orders of one demo merchant, in the past."""

    def __init__(
        self,
        shop: Merchant,
        products: Sequence[tuple[str, str, str]],
        buyers: Sequence[tuple[str, str, str, str]],
        seed: int,
    ) -> None:
        self.shop, self.products, self.buyers = shop, products, buyers
        self.now = calendar.now_for(shop)
        self.random = random.Random(seed)
        self.staff = Actor("form", "Jo Adair", owner=True)
        self.placed = 0

    def place(self, age: timedelta, **changes: object) -> Order:
        self.placed += 1
        name, street, city, postcode = self.buyers[self.placed % len(self.buyers)]
        contact = ContactDraft(
            buyer_email=f"buyer{self.placed % len(self.buyers)}@mail.example",
            buyer_phone="07700 900142" if self.shop.country == "GB" else "090-0000-0000",
            recipient_name=name,
            address_1=street,
            city=city,
            postal_code=postcode,
            country=self.shop.country,
        )
        values = {
            "purchased_at": self.now - age,
            "buyer_name": name,
            "contact": contact,
            "items": tuple(self._item() for _ in range(self.random.choice((1, 1, 1, 2, 3)))),
            "payment_token": "ok",
        } | changes
        draft = OrderDraft(**values)  # type: ignore[arg-type]
        (placed,) = placing.place_orders(
            merchant_id=self.shop.pk, wanted=[draft], by=CHECKOUT, replayed=True
        )
        assert isinstance(placed, Order), placed
        return placed

    def verified(self, age: timedelta, **changes: object) -> Order:
        order = self.place(age, **changes)
        outcome = VerificationOutcome.VERIFIED
        if changes.get("payment_method") == "convenience_store":
            outcome = VerificationOutcome.PAID
        at = order.purchased_at + timedelta(minutes=16)
        answers = {order.pk: Verification(outcome)}
        verification.settle_verifications(answers, by=GATEWAY, at={order.pk: at})
        order.refresh_from_db()
        return order

    def confirm(self, order: Order, after: timedelta, *, units: int | None = None) -> None:
        at = order.purchased_at + after
        first = order.items.order_by("line").values_list("pk", flat=True)[0]
        carrier = "Royal Mail" if self.shop.country == "GB" else "Yamato"
        package = Package(
            ship_date=order.marketplace.local_date(at),
            carrier=carrier,
            method="Standard",
            tracking_id=f"QT{273_600_000 + self.placed}GB",
        )
        quantities = None if units is None else {first: units}
        wanted = shipments.Confirmation(order.pk, package, quantities)
        shipments.confirm_shipments(wanted=[wanted], by=self.staff, at={order.pk: at})

    def _item(self) -> ItemDraft:
        sku, _title, price = self.random.choice(self.products)
        quantity = self.random.choice((1, 1, 1, 2, 3))
        return ItemDraft(sku, quantity, self.amounts(Decimal(price) * quantity))

    def amounts(self, gross: Decimal) -> dict[str, Decimal]:
        """Split a gross price into net and tax; delivery on top."""
        currency = self.shop.marketplace.currency
        rate = Decimal("0.20") if currency == "GBP" else Decimal("0.10")
        net = round_half_up(gross / (1 + rate), currency)
        delivery = Decimal("3.25") if currency == "GBP" else Decimal(550)
        delivery_net = round_half_up(delivery / (1 + rate), currency)
        return {
            "item_price": net,
            "item_tax": gross - net,
            "shipping_price": delivery_net,
            "shipping_tax": delivery - delivery_net,
        }


def _fill(
    merchant: Merchant,
    products: Sequence[tuple[str, str, str]],
    buyers: Sequence[tuple[str, str, str, str]],
    seed: int,
) -> None:
    at: datetime = calendar.now_for(merchant)
    new = [NewListing(sku, title, Decimal(price), 500) for sku, title, price in products]
    listings.create_listings(merchant, new, at=at)
    shop = _Shop(merchant, products, buyers, seed)
    day = timedelta(days=1)
    # Every age at which something happens (TECH-09), in the state it is in by then.
    for age in (1, 10, 23, 25, 29):
        shop.verified(age * day)
    for hours in (2, 5, 9, 14, 20, 27, 33, 41, 50, 60, 66):
        shop.verified(timedelta(hours=hours))
    for hours in (1, 3):
        shop.place(timedelta(minutes=hours))
    shop.place(timedelta(minutes=12), payment_token="ok-slow")
    _special(shop, day)
    _past(shop, day)


def _special(shop: _Shop, day: timedelta) -> None:
    """Each sub type, a part-shipped late order, a failed charge, a gift."""
    british = shop.shop.country == "GB"
    business = {"is_business": True, "purchase_order_number": "LC-0481"}
    shop.verified(timedelta(hours=30), is_prime=True)
    shop.verified(timedelta(hours=31), **business)
    shop.verified(timedelta(hours=32), is_prime=True, is_business=True)
    shop.verified(timedelta(hours=36), ship_service_level=ServiceLevel.SECOND_DAY)
    shop.verified(timedelta(hours=37), payment_token="capture-fails")
    sku = shop.products[0][0]
    price = Decimal(shop.products[0][2])
    several = (ItemDraft(sku, 6, shop.amounts(price * 6)),)
    partly = shop.verified(10 * day, items=several)
    shop.confirm(partly, 2 * day, units=2)
    wished = shop.verified(timedelta(hours=26))
    requests.file_request(order_id=wished.pk, reason=RequestReason.BY_MISTAKE, by=CHECKOUT)
    if not british:
        shop.verified(
            timedelta(hours=20),
            payment_method="convenience_store",
            payment_token="convenience-store-paid",
        )


def _past(shop: _Shop, day: timedelta) -> None:
    """Shipped, refunded and cancelled orders of the last weeks."""
    for number in range(24):
        order = shop.verified((2 + number) * day)
        shop.confirm(order, timedelta(hours=20))
        order.refresh_from_db()
        if number % 6 == 0:
            _refund(shop, order, whole=number == 0)
    for number, reason in enumerate((CancelReason.NO_INVENTORY, CancelReason.PRICING_ERROR)):
        order = shop.verified((4 + number) * day)
        wanted = cancellations.CancelRequest(order.pk, reason)
        at = order.purchased_at + day
        cancellations.cancel_orders(
            wanted=[wanted], act=Act.CANCEL, by=shop.staff, at={order.pk: at}
        )
    overdue = shop.verified(31 * day)
    job = Actor("job", "auto-cancel")
    cancellations.cancel_overdue(
        order_ids=[overdue.pk], by=job, at={overdue.pk: overdue.deadline_at}
    )
    declined = shop.place(3 * day, payment_token="declined")
    answers = {declined.pk: Verification(VerificationOutcome.DECLINED)}
    at = declined.purchased_at + timedelta(minutes=16)
    verification.settle_verifications(answers, by=GATEWAY, at={declined.pk: at})


def _refund(shop: _Shop, order: Order, *, whole: bool) -> None:
    item = order.items.order_by("line").first()
    assert item is not None
    wanted: amounts.Wanted = amounts.Everything()
    if not whole:
        half = amounts.maximum(item, "item_cost") / 2
        part = half.quantize(unit_of(order.currency))
        wanted = amounts.Boxes({item.pk: (part, Decimal(0))})
    refunds.refund_order(
        wanted=refunds.RefundRequest(
            order.pk, wanted, RefundReason.CUSTOMER_RETURN, memo="Sorry that it did not suit you."
        ),
        by=shop.staff,
    )
