"""An order as a door hands it in, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from accounts.models import Marketplace
from core.instants import EARLIEST
from core.money import LARGEST, unit_of
from core.refusal import Refusal
from core.text import is_address
from core.text import is_plain as is_plain
from orders.enums import COMPONENTS, ServiceLevel
from orders.models.order import sign_of


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """One line: quantity in units, amounts as totals for the quantity, promotions above zero."""

    sku: str
    quantity: int
    amounts: Mapping[str, Decimal]  # by component; absent means zero
    title: str = ""  # empty: the listing's own
    customisation: str = ""

    def amount(self, component: str) -> Decimal:
        return self.amounts.get(component, Decimal(0))


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """Buyer's e-mail and phone, recipient and address; country as ISO 3166-1 alpha-2."""

    buyer_email: str
    recipient_name: str
    address_1: str
    city: str
    postal_code: str
    country: str
    address_2: str = ""
    address_3: str = ""
    region: str = ""
    buyer_phone: str = ""
    gift_message: str = ""


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """An order to be placed. purchased_at: when the buyer completed checkout.

    merchant_order_number: the shop's own number; the same one comes in once.
    payment_token: names the buyer's payment method at the gateway.
    """

    purchased_at: datetime
    buyer_name: str
    contact: ContactDraft
    items: tuple[ItemDraft, ...]
    payment_token: str
    payment_method: str = "card"
    merchant_order_number: str = ""
    ship_service_level: str = ServiceLevel.STANDARD
    purchase_order_number: str = ""
    sales_channel: str = "Amazon Checkout"
    fulfilment_channel: str = "merchant"
    is_business: bool = False
    is_prime: bool = False
    is_gift: bool = False
    is_test: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


# Longest texts, in characters, as in table 5.14a.
_TEXTS: Mapping[str, int] = {
    "buyer_name": 100,
    "merchant_order_number": 60,
    "purchase_order_number": 35,
    "sales_channel": 50,
    "payment_token": 100,
}
_CONTACT_TEXTS: Mapping[str, int] = {
    "buyer_email": 254,
    "buyer_phone": 30,
    "recipient_name": 100,
    "address_1": 180,
    "address_2": 180,
    "address_3": 180,
    "city": 100,
    "region": 100,
    "postal_code": 20,
    "gift_message": 240,
}
_REQUIRED = frozenset(
    {
        "buyer_name",
        "payment_token",
        "sales_channel",
        "buyer_email",
        "recipient_name",
        "address_1",
        "city",
        "postal_code",
    }
)
_MOST_ITEMS = 5000
_MOST_UNITS = 1_000_000


def problem(draft: OrderDraft, marketplace: Marketplace, *, at: datetime) -> Refusal | None:
    """Return the first thing wrong with a draft, naming its field; None when it can be placed."""
    return next(_problems(draft, marketplace, at), None)


def problem_of_address(address: Mapping[str, str]) -> Refusal | None:
    """Return the first thing wrong with a delivery address, by name of its lines."""
    for name, text in address.items():
        if name in _CONTACT_TEXTS:
            for refusal in _text(name, text, _CONTACT_TEXTS[name]):
                return refusal
    return None


def _problems(draft: OrderDraft, marketplace: Marketplace, at: datetime) -> Iterator[Refusal]:
    for name, longest in _TEXTS.items():
        yield from _text(name, getattr(draft, name), longest)
    for name, longest in _CONTACT_TEXTS.items():
        yield from _text(name, getattr(draft.contact, name), longest)
    country = draft.contact.country
    if len(country) != 2 or not (country.isascii() and country.isalpha() and country.isupper()):
        yield _wrong("country", _("A country is two capital letters, like GB."))
    if not is_address(draft.contact.buyer_email):
        yield _wrong("buyer_email", _("Enter an e-mail address, like name@example.com."))
    if draft.ship_service_level not in ServiceLevel.values:
        levels = ", ".join(ServiceLevel.values)
        yield _wrong("ship_service_level", _("Must be one of %s.") % levels)
    if draft.payment_method not in marketplace.payment_methods:
        methods = ", ".join(marketplace.payment_methods)
        yield _wrong("payment_method", _("Must be one of %s.") % methods)
    if draft.purchased_at.date() < EARLIEST:
        yield _wrong("purchased_at", _("The purchase must not lie before %s.") % EARLIEST)
    if draft.purchased_at > at:
        yield _wrong("purchased_at", _("The purchase must not lie in the future."))
    if not 0 < len(draft.items) <= _MOST_ITEMS:
        yield _wrong("items", _("An order has 1 to %d items.") % _MOST_ITEMS)
    total = Decimal(0)
    for index, item in enumerate(draft.items):
        yield from _item(item, marketplace.currency, f"items.{index}")
        total += sum((sign_of(c) * item.amount(c) for c in COMPONENTS), Decimal(0))
    if total > LARGEST:
        yield _wrong("items", _("The total is above the largest amount."))


def _item(item: ItemDraft, currency: str, place: str) -> Iterator[Refusal]:
    yield from _text(f"{place}.sku", item.sku, 40, required=True)
    yield from _text(f"{place}.title", item.title, 200)
    yield from _text(f"{place}.customisation", item.customisation, 500)
    if not 1 <= item.quantity <= _MOST_UNITS:
        yield _wrong(f"{place}.quantity", _("A quantity is a whole number from 1 to 1,000,000."))
    unit = unit_of(currency)
    for component, amount in item.amounts.items():
        if component not in COMPONENTS:
            yield _wrong(f"{place}.{component}", _("There is no such amount."))
        elif not amount.is_finite() or not 0 <= amount <= LARGEST or amount % unit:
            yield _wrong(
                f"{place}.{component}",
                _("An amount is 0 or more, with the decimals of %s.") % currency,
            )
            return
    cost = sum(
        (item.amount(c) for c in ("item_price", "item_tax", "gift_wrap_price", "gift_wrap_tax")),
        Decimal(0),
    )
    if item.amount("item_promotion") > cost:
        yield _wrong(f"{place}.item_promotion", _("The promotion is above the item cost."))
    delivery = item.amount("shipping_price") + item.amount("shipping_tax")
    if item.amount("shipping_promotion") > delivery:
        yield _wrong(f"{place}.shipping_promotion", _("The promotion is above the delivery."))


def _text(name: str, text: str, longest: int, *, required: bool | None = None) -> Iterator[Refusal]:
    if required is None:
        required = name in _REQUIRED
    if required and not text.strip():
        yield _wrong(name, _("This is needed."))
    if len(text) > longest:
        yield _wrong(name, _("Must be %d characters or fewer.") % longest)
    if not is_plain(text):
        yield _wrong(name, _("Remove line breaks and control characters."))


def _wrong(field_name: str, message: str) -> Refusal:
    return Refusal("INVALID_INPUT", message, field=field_name)
