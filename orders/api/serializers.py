"""JSON to drafts, and orders to JSON. Types and shapes here; rules in the domain."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.instants import read_instant
from orders.api.errors import UnknownFields
from orders.domain.contacts import ContactView
from orders.domain.drafts import ContactDraft, ItemDraft, OrderDraft
from orders.enums import COMPONENTS, FulfilmentChannel, ServiceLevel
from orders.models import Item, Order


class Strict(serializers.Serializer[Any]):
    """Refuses fields it does not know, so that a slip of the pen is not silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(data.keys() - self.fields.keys())):
            raise UnknownFields(f"There is no field {', '.join(map(str, unknown))[:200]}.")
        return super().to_internal_value(data)


class Amount(serializers.DecimalField):
    """An amount as everywhere: a text of ASCII digits and a point, never a float (INV-03)."""

    default_error_messages = {"invalid": 'An amount is a text of digits, like "349.99".'}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=11, decimal_places=2, min_value=Decimal(0), **options)

    def to_internal_value(self, data: Any) -> Decimal:
        if not (isinstance(data, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class Units(serializers.IntegerField):
    """A whole number, not one that has to be rounded or translated first."""

    def to_internal_value(self, data: Any) -> int:
        whole = re.fullmatch(r"[0-9]{1,7}", str(data)) and not isinstance(data, bool)
        if not whole:
            self.fail("invalid")
        return super().to_internal_value(data)


class Instant(serializers.DateTimeField):
    """ISO 8601 with its zone, and no other of the many ways to write one (BI-DATE)."""

    default_error_messages = {"invalid": "An instant is written like 2026-01-30T09:15:00Z."}

    def to_internal_value(self, value: Any) -> Any:
        try:
            return read_instant(value)
        except ValueError:
            return self.fail("invalid")


def _one_of(choices: Any) -> Any:
    """Say what may be chosen, without repeating what was sent."""
    return {"invalid_choice": "Must be one of " + ", ".join(choices.values) + "."}


class NewItem(Strict):
    """One line; amounts are totals for the quantity, as decimal strings."""

    sku = serializers.CharField(max_length=40)
    quantity = Units(min_value=1, max_value=1_000_000)
    title = serializers.CharField(max_length=200, required=False, default="")
    customisation = serializers.CharField(max_length=500, required=False, default="")
    item_price = Amount()
    item_tax = Amount(required=False)
    gift_wrap_price = Amount(required=False)
    gift_wrap_tax = Amount(required=False)
    item_promotion = Amount(required=False)
    shipping_price = Amount(required=False)
    shipping_tax = Amount(required=False)
    shipping_promotion = Amount(required=False)


class NewAddress(Strict):
    recipient_name = serializers.CharField(max_length=100)
    address_1 = serializers.CharField(max_length=180)
    address_2 = serializers.CharField(max_length=180, required=False, allow_blank=True, default="")
    address_3 = serializers.CharField(max_length=180, required=False, allow_blank=True, default="")
    city = serializers.CharField(max_length=100)
    region = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    postal_code = serializers.CharField(max_length=20)
    country = serializers.RegexField(r"^[A-Z]{2}$", help_text="ISO 3166-1 alpha-2")


class NewPayment(Strict):
    method = serializers.CharField(max_length=20, default="card")
    token = serializers.CharField(
        max_length=100,
        help_text="Names the buyer's payment method at the gateway. With the sandbox gateway:"
        " ok, ok-slow, declined, fraud, capture-fails, convenience-store-paid …",
    )


class NewOrder(Strict):
    """An order that a buyer placed in the shop (T01)."""

    merchant_order_number = serializers.CharField(
        max_length=60, required=False, allow_blank=True, default=""
    )
    purchased_at = Instant(
        required=False, help_text="When the buyer completed checkout, ISO 8601 with zone; now"
    )
    buyer_name = serializers.CharField(max_length=100)
    buyer_email = serializers.EmailField(max_length=254)
    buyer_phone = serializers.CharField(max_length=30, required=False, allow_blank=True, default="")
    ship_to = NewAddress()
    items = NewItem(many=True, allow_empty=False)
    payment = NewPayment()
    ship_service_level = serializers.ChoiceField(
        choices=ServiceLevel.choices,
        default=ServiceLevel.STANDARD,
        error_messages=_one_of(ServiceLevel),
    )
    purchase_order_number = serializers.CharField(
        max_length=35, required=False, allow_blank=True, default=""
    )
    sales_channel = serializers.CharField(max_length=50, default="Amazon Checkout")
    fulfilment_channel = serializers.ChoiceField(
        choices=FulfilmentChannel.choices,
        default=FulfilmentChannel.MERCHANT,
        error_messages=_one_of(FulfilmentChannel),
    )
    is_business = serializers.BooleanField(default=False)
    is_prime = serializers.BooleanField(default=False)
    is_gift = serializers.BooleanField(default=False)
    gift_message = serializers.CharField(
        max_length=240, required=False, allow_blank=True, default=""
    )

    def draft(self, *, at: datetime) -> OrderDraft:
        """Return what was posted as a draft of the domain. at: when it was bought, if unsaid."""
        given = self.validated_data
        straight = (
            "merchant_order_number", "buyer_name", "ship_service_level", "purchase_order_number",
            "sales_channel", "fulfilment_channel", "is_business", "is_prime", "is_gift",
        )  # fmt: skip
        return OrderDraft(
            purchased_at=given.get("purchased_at") or at,
            contact=ContactDraft(
                buyer_email=given["buyer_email"],
                buyer_phone=given["buyer_phone"],
                gift_message=given["gift_message"],
                **given["ship_to"],
            ),
            items=tuple(
                ItemDraft(
                    sku=item["sku"],
                    quantity=item["quantity"],
                    title=item["title"],
                    customisation=item["customisation"],
                    amounts={c: item[c] for c in COMPONENTS if c in item},
                )
                for item in given["items"]
            ),
            payment_method=given["payment"]["method"],
            payment_token=given["payment"]["token"],
            **{name: given[name] for name in straight},
        )


class ItemOut(serializers.Serializer[Any]):
    order_item_id = serializers.CharField(source="number")
    sku = serializers.CharField()
    title = serializers.CharField()
    quantity_purchased = serializers.IntegerField()
    quantity_shipped = serializers.IntegerField()
    quantity_remaining = serializers.IntegerField()
    amounts = serializers.SerializerMethodField()
    paid_total = serializers.DecimalField(max_digits=12, decimal_places=2)
    refunded_total = serializers.DecimalField(max_digits=12, decimal_places=2)

    def get_amounts(self, item: Item) -> dict[str, str]:
        return {component: str(item.paid(component)) for component in COMPONENTS}


class OrderOut(serializers.Serializer[Any]):
    """An order as its merchant may see it: contact data only while PENDING-04 allows."""

    order_id = serializers.CharField(source="number")
    merchant_order_number = serializers.CharField()
    status = serializers.CharField()
    version = serializers.IntegerField()
    purchased_at = serializers.DateTimeField()
    verified_at = serializers.DateTimeField(allow_null=True)
    ship_by_at = serializers.DateTimeField()
    deadline_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    currency = serializers.CharField()
    total = serializers.DecimalField(max_digits=12, decimal_places=2)
    refunded_total = serializers.DecimalField(max_digits=12, decimal_places=2)
    buyer_name = serializers.CharField()
    ship_service_level = serializers.CharField()
    sub_type = serializers.CharField()
    sales_channel = serializers.CharField()
    purchase_order_number = serializers.CharField()
    buyer_email = serializers.SerializerMethodField()
    ship_to = serializers.SerializerMethodField()
    items = serializers.SerializerMethodField()

    def _contact(self, order: Order) -> ContactView | None:
        contact: ContactView | None = self.context["contacts"][order.pk]
        return contact

    def get_buyer_email(self, order: Order) -> str | None:
        contact = self._contact(order)
        return contact.buyer_email if contact else None

    def get_ship_to(self, order: Order) -> dict[str, str] | None:
        contact = self._contact(order)
        if contact is None:
            return None
        address = contact.address
        return {name: getattr(address, name) for name in address.__slots__}

    def get_items(self, order: Order) -> list[dict[str, Any]]:
        return list(ItemOut(self.context["items"][order.pk], many=True).data)
