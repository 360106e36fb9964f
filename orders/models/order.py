"""The order and its items: facts, and what may never be false about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.urls import reverse

from accounts.models import Marketplace, Merchant
from catalog.models import Listing, ListingTitle
from core.money import DECIMALS, LARGEST
from orders.enums import (
    BOXES,
    COMPONENTS,
    PROMOTIONS,
    STATUS_RANK,
    FulfilmentChannel,
    OrderStatus,
    PaymentState,
    ServiceLevel,
    SubType,
)
from orders.querysets import ItemManager, OrderManager

S = OrderStatus

# A status is what follows from the facts; ``domain.lifecycle.status_for`` says the same in Python.
_DERIVED_STATUS = Case(
    When(cancelled_at__isnull=False, then=Value(S.CANCELLED.value)),
    When(verified_at__isnull=True, then=Value(S.PENDING.value)),
    When(quantity_confirmed=F("quantity_purchased"), then=Value(S.SHIPPED.value)),
    When(quantity_confirmed__gt=0, then=Value(S.PARTIALLY_SHIPPED.value)),
    default=Value(S.UNSHIPPED.value),
    output_field=models.CharField(),
)


class Order(models.Model):
    """One buyer purchase from one merchant; ``domain.lifecycle`` alone writes ``status``.

    quantity_purchased, quantity_confirmed: units over all items; confirmed units are those shipped
        and those recorded as not sent.
    total, refunded_total: what the buyer paid and got back, over all items and components.
    ship_by_at, deliver_from_date, deliver_to_date: as promised at purchase; lateness counts by them
        for good. revised_…: what the buyer was told later (DETAIL-15), all three or none.
    charged_at: when the gateway captured the total; advance_paid_at: when it came in advance.
    delivered_at: when delivery was marked complete, or assumed to be (DETAIL-17).
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="orders", db_index=False)
    marketplace = models.ForeignKey(Marketplace, models.PROTECT, related_name="orders")
    number = models.CharField(max_length=19, unique=True)  # Order ID, 3-7-7 digits
    merchant_order_number = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=17, choices=OrderStatus, default=S.PENDING)
    status_rank = models.GeneratedField(
        expression=Case(
            *(When(status=status.value, then=Value(rank)) for status, rank in STATUS_RANK.items()),
            output_field=models.SmallIntegerField(),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    payment_state = models.CharField(
        max_length=16, choices=PaymentState, default=PaymentState.UNVERIFIED
    )
    version = models.PositiveIntegerField(default=1)

    purchased_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    charged_at = models.DateTimeField(null=True)
    advance_paid_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    ship_by_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    page_warning_at = models.DateTimeField()
    email_warning_at = models.DateTimeField()
    deliver_from_date = models.DateField()
    deliver_to_date = models.DateField()
    revised_ship_date = models.DateField(null=True)
    revised_deliver_from_date = models.DateField(null=True)
    revised_deliver_to_date = models.DateField(null=True)

    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    refunded_total = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))
    item_count = models.PositiveIntegerField()
    quantity_purchased = models.PositiveIntegerField()
    quantity_confirmed = models.PositiveIntegerField(default=0)

    buyer_name = models.CharField(max_length=100)
    ship_service_level = models.CharField(
        max_length=10, choices=ServiceLevel, default=ServiceLevel.STANDARD
    )
    is_business = models.BooleanField(default=False)
    is_prime = models.BooleanField(default=False)
    is_gift = models.BooleanField(default=False)
    is_test = models.BooleanField(default=False)
    sub_type = models.GeneratedField(
        expression=Case(
            When(is_business=True, is_prime=True, then=Value(SubType.BUSINESS_PRIME.value)),
            When(is_business=True, then=Value(SubType.BUSINESS.value)),
            When(is_prime=True, then=Value(SubType.PRIME.value)),
            When(
                ship_service_level=ServiceLevel.SECOND_DAY.value,
                then=Value(SubType.SECOND_DAY.value),
            ),
            default=Value(SubType.STANDARD.value),
            output_field=models.CharField(max_length=14),
        ),
        output_field=models.CharField(max_length=14, choices=SubType),
        db_persist=True,
    )
    purchase_order_number = models.CharField(max_length=35, blank=True)
    sales_channel = models.CharField(max_length=50, default="Amazon Checkout")
    fulfilment_channel = models.CharField(
        max_length=8, choices=FulfilmentChannel, default=FulfilmentChannel.MERCHANT
    )

    objects = OrderManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_shop_order_comes_in_once",
                fields=["merchant", "merchant_order_number"],
                condition=~Q(merchant_order_number=""),
            ),
            models.CheckConstraint(
                name="order_status_follows_from_the_facts", condition=Q(status=_DERIVED_STATUS)
            ),
            models.CheckConstraint(
                name="order_payment_state_known", condition=Q(payment_state__in=PaymentState.values)
            ),
            models.CheckConstraint(
                name="order_number_is_3_7_7", condition=Q(number__regex=r"^\d{3}-\d{7}-\d{7}$")
            ),
            models.CheckConstraint(
                name="order_confirms_no_more_than_purchased",
                condition=Q(quantity_purchased__gte=F("quantity_confirmed"))
                & Q(quantity_purchased__gt=0),
            ),
            models.CheckConstraint(
                name="order_total_is_money", condition=Q(total__gte=0, total__lte=LARGEST)
            ),
            models.CheckConstraint(
                name="order_refunds_no_more_than_paid",
                condition=Q(refunded_total__gte=0, refunded_total__lte=F("total")),
            ),
            models.CheckConstraint(
                name="cancelled_is_never_charged",
                condition=~Q(status=S.CANCELLED, charged_at__isnull=False),
            ),
            models.CheckConstraint(
                name="nothing_ships_unpaid",
                condition=Q(quantity_confirmed=0)
                | Q(charged_at__isnull=False)
                | Q(advance_paid_at__isnull=False)
                | Q(payment_state=PaymentState.EXTERNAL),
            ),
            models.CheckConstraint(
                name="only_what_has_shipped_is_delivered",
                condition=Q(delivered_at=None) | Q(status=S.SHIPPED),
            ),
            models.CheckConstraint(
                name="order_service_level_known",
                condition=Q(ship_service_level__in=ServiceLevel.values),
            ),
            models.CheckConstraint(
                name="revised_dates_stand_together",
                condition=Q(
                    revised_ship_date__isnull=True,
                    revised_deliver_from_date__isnull=True,
                    revised_deliver_to_date__isnull=True,
                )
                | Q(
                    revised_ship_date__isnull=False,
                    revised_deliver_from_date__isnull=False,
                    revised_deliver_to_date__isnull=False,
                    revised_deliver_to_date__gte=F("revised_deliver_from_date"),
                ),
            ),
            models.CheckConstraint(
                name="order_currency_known", condition=Q(currency__in=list(DECIMALS))
            ),
        ]
        indexes = [
            models.Index(name="orders_by_date", fields=["merchant", "purchased_at", "number"]),
            models.Index(
                name="orders_by_status",
                fields=["merchant", "status_rank", "purchased_at", "number"],
            ),
            models.Index(
                name="orders_to_warn_of",
                fields=["merchant", "page_warning_at"],
                include=["id", "ship_by_at"],  # lists and counts need no more: no row is looked up
                condition=Q(status=S.UNSHIPPED),
            ),
            models.Index(
                name="orders_to_cancel", fields=["deadline_at"], condition=Q(status=S.UNSHIPPED)
            ),
            models.Index(
                name="orders_to_mail_about",
                fields=["email_warning_at"],
                condition=Q(status=S.UNSHIPPED),
            ),
            models.Index(
                name="orders_to_be_delivered",
                fields=["deliver_to_date"],
                condition=Q(status=S.SHIPPED, delivered_at=None),
            ),
            models.Index(
                name="orders_late",
                fields=["merchant", "ship_by_at"],
                condition=Q(status__in=[S.UNSHIPPED, S.PARTIALLY_SHIPPED]),
            ),
            models.Index(
                name="orders_by_verification",
                fields=["merchant", "verified_at"],
                include=["is_test"],
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.number])

    @property
    def paid_at(self) -> datetime | None:
        """When the buyer's money came in, at confirmation or in advance."""
        return self.charged_at or self.advance_paid_at

    @property
    def has_receipt(self) -> bool:
        """Whether its buyer can print a receipt: the platform took the money (BUYER-04)."""
        return self.paid_at is not None and self.payment_state != PaymentState.EXTERNAL

    @property
    def served_by_platform(self) -> bool:
        """Whether the buyer turns to the platform and not to the merchant (BUYERCANCEL-06)."""
        return self.is_prime or self.fulfilment_channel == FulfilmentChannel.PLATFORM

    @property
    def quantity_remaining(self) -> int:
        return self.quantity_purchased - self.quantity_confirmed

    @property
    def estimated_ship_date(self) -> date:
        """The local day by which the buyer was told last that the order ships."""
        return self.revised_ship_date or self.marketplace.local_date(self.ship_by_at)

    @property
    def estimated_deliver_from_date(self) -> date:
        return self.revised_deliver_from_date or self.deliver_from_date

    @property
    def estimated_deliver_to_date(self) -> date:
        """The last day on which the buyer was told last that the order arrives."""
        return self.revised_deliver_to_date or self.deliver_to_date

    @property
    def remaining_total(self) -> Decimal:
        """What can still be refunded."""
        return self.total - self.refunded_total


def _component() -> models.DecimalField[Decimal, Decimal]:
    return models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))


def _counter() -> models.DecimalField[Decimal, Decimal]:
    return models.DecimalField(
        max_digits=12, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )


def _net(components: Iterable[str], prefix: str = "") -> CombinedExpression:
    """Add up components in the database, promotions taken off."""
    total: Any = Value(Decimal(0))
    for component in components:
        amount = F(f"{prefix}{component}")
        total = total - amount if component in PROMOTIONS else total + amount
    return cast("CombinedExpression", total)


def _net_refund_within(box: str, components: Iterable[str]) -> models.CheckConstraint:
    """Bound what a box gives back by what was paid for it, promotions counted (INV-01)."""
    refunded, paid = _net(components, "refunded_"), _net(components)
    return models.CheckConstraint(
        name=f"net_refund_within_{box}",
        condition=Q(GreaterThanOrEqual(refunded, Value(Decimal(0))))
        & Q(LessThanOrEqual(refunded, paid)),
    )


class Item(models.Model):
    """One product line of an order; quantities are units, amounts totals for the quantity.

    refunded_*: beside each of the eight components, what has been given back of it (for a
        promotion: taken back), counting refunds submitted and completed.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, db_index=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="items", db_constraint=False, db_index=False
    )
    line = models.PositiveIntegerField()  # place within the order, from 1
    number = models.CharField(max_length=19, unique=True)  # order-item-id, 3-7-7 digits
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="items", db_index=False)
    sold_as = models.ForeignKey(ListingTitle, models.PROTECT, related_name="items", db_index=False)
    sku = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    purchased_at = models.DateTimeField()  # the order's, so that searches read one index
    currency = models.CharField(max_length=3)
    quantity_purchased = models.PositiveIntegerField()
    quantity_shipped = models.PositiveIntegerField(default=0)
    quantity_not_sent = models.PositiveIntegerField(default=0)
    customisation = models.CharField(max_length=500, blank=True)

    item_price = _component()
    item_tax = _component()
    gift_wrap_price = _component()
    gift_wrap_tax = _component()
    item_promotion = _component()
    shipping_price = _component()
    shipping_tax = _component()
    shipping_promotion = _component()
    refunded_item_price = _counter()
    refunded_item_tax = _counter()
    refunded_gift_wrap_price = _counter()
    refunded_gift_wrap_tax = _counter()
    refunded_item_promotion = _counter()
    refunded_shipping_price = _counter()
    refunded_shipping_tax = _counter()
    refunded_shipping_promotion = _counter()

    objects = ItemManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="item_never_ships_more_than_purchased",
                condition=Q(quantity_purchased__gte=F("quantity_shipped") + F("quantity_not_sent"))
                & Q(quantity_purchased__gt=0),
            ),
            models.UniqueConstraint(name="item_belongs_to_its_order", fields=["order", "id"]),
            models.CheckConstraint(
                name="item_number_is_3_7_7", condition=Q(number__regex=r"^\d{3}-\d{7}-\d{7}$")
            ),
            *(
                models.CheckConstraint(
                    name=f"{component}_is_money",
                    condition=Q(**{f"{component}__gte": 0, f"{component}__lte": LARGEST}),
                )
                for component in COMPONENTS
            ),
            *(
                models.CheckConstraint(
                    name=f"refund_within_{component}",
                    condition=Q(
                        **{
                            f"refunded_{component}__gte": 0,
                            f"refunded_{component}__lte": F(component),
                        }
                    ),
                )
                for component in COMPONENTS
            ),
            models.CheckConstraint(
                name="item_promotion_within_item_cost",
                condition=Q(
                    item_promotion__lte=F("item_price")
                    + F("item_tax")
                    + F("gift_wrap_price")
                    + F("gift_wrap_tax")
                ),
            ),
            models.CheckConstraint(
                name="shipping_promotion_within_delivery",
                condition=Q(shipping_promotion__lte=F("shipping_price") + F("shipping_tax")),
            ),
            *(_net_refund_within(box, components) for box, components in BOXES.items()),
        ]
        indexes = [
            models.Index(name="items_by_title_sold", fields=["sold_as", "purchased_at", "order"]),
        ]

    def __str__(self) -> str:
        return f"{self.sku} × {self.quantity_purchased}"

    @property
    def quantity_remaining(self) -> int:
        return self.quantity_purchased - self.quantity_shipped - self.quantity_not_sent

    def paid(self, component: str) -> Decimal:
        """Return one of the eight amounts, a promotion as a number above zero."""
        amount: Decimal = getattr(self, component)
        return amount

    def refunded(self, component: str) -> Decimal:
        """Return what has been given back of a component (for a promotion: taken back)."""
        amount: Decimal = getattr(self, f"refunded_{component}")
        return amount

    def remaining(self, component: str) -> Decimal:
        """Return what is left of a component to refund."""
        return self.paid(component) - self.refunded(component)

    @property
    def paid_total(self) -> Decimal:
        """What the buyer pays for this line, promotions taken off (MONEY-03)."""
        return sum((sign_of(c) * self.paid(c) for c in COMPONENTS), Decimal(0))

    @property
    def refunded_total(self) -> Decimal:
        return sum((sign_of(c) * self.refunded(c) for c in COMPONENTS), Decimal(0))

    @property
    def remaining_total(self) -> Decimal:
        return self.paid_total - self.refunded_total


def sign_of(component: str) -> int:
    """Return 1 for what the buyer pays, -1 for a discount."""
    return -1 if component in PROMOTIONS else 1
