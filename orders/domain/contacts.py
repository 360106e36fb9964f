"""The one way to an order's personal data (INV-17, PENDING-04)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import timedelta

from django.db import models
from django.db.models import F
from django.utils.translation import gettext as _

from core import clock
from core.actor import Actor
from core.transactions import unit_of_work
from orders.domain import lifecycle
from orders.enums import FulfilmentChannel, OrderEvent, OrderStatus
from orders.models import Order
from orders.models.contact import Contact

_PERSONAL = (
    "buyer_email",
    "relay_email",
    "buyer_phone",
    "recipient_name",
    "address_1",
    "address_2",
    "address_3",
    "city",
    "region",
    "postal_code",
    "gift_message",
)
HIDDEN = frozenset({OrderStatus.PENDING, OrderStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Address:
    """Where the goods go. country: ISO 3166-1 alpha-2."""

    recipient_name: str
    address_1: str
    address_2: str
    address_3: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class ContactView:
    """What a merchant may know of an order's buyer and recipient."""

    buyer_email: str
    buyer_phone: str
    address: Address
    gift_message: str


@dataclass(frozen=True, slots=True)
class Addressee:
    """A buyer as the platform writes to them about their own order."""

    email: str
    address: Address


def for_merchant(orders: Iterable[Order]) -> dict[int, ContactView | None]:
    """Return the contact data of each order as its merchant may see it, None where hidden.

    Every output on the merchant's side takes it from here: pages, PDF, APIs, reports, files.
    """
    shown = {order.pk: order for order in orders if order.status not in HIDDEN}
    rows = Contact.objects.in_bulk(shown)
    return {
        order.pk: _view(order, rows[order.pk]) if order.pk in rows else None for order in orders
    }


def of_order(order: Order) -> ContactView | None:
    """Return one order's contact data as its merchant may see it, None where hidden."""
    return for_merchant([order])[order.pk]


def gone() -> str:
    """Return what stands for the recipient of an address that is no longer kept (IMPL-22)."""
    return _("No longer available")


def for_buyer_letters(orders: Iterable[Order]) -> dict[int, Addressee]:
    """Return whom to write to about each order, in whatever state it is (NOTIF-10).

    For letters to buyers alone: they go to the address given at checkout and may name the
    recipient; nothing of it is ever for a merchant.
    """
    rows = Contact.objects.in_bulk([order.pk for order in orders])
    return {pk: Addressee(row.buyer_email, _address(row)) for pk, row in rows.items()}


def delivery_for_buyer(order: Order) -> Address:
    """Return where an order goes, for its buyer alone: only the signed page may ask."""
    return _address(Contact.objects.get(pk=order.pk))


def send_to(order: Order, address: Address) -> bool:
    """Write another delivery address of a locked order; return whether it is another one."""
    row = Contact.objects.get(pk=order.pk)
    if _address(row) == address:
        return False
    Contact.objects.filter(pk=order.pk).update(**asdict(address))
    return True


def keep(contacts: Mapping[int, Contact]) -> None:
    """Write the contacts of new orders, by order."""
    Contact.objects.bulk_create(contacts.values())


@unit_of_work
def blank(*, older_than: timedelta, by: Actor, limit: int) -> int:
    """Blank the contacts of finished orders bought so long ago; return of how many (IMPL-22).

    The country stays, and so does all money. Each order's history says when it happened.
    """
    old = due_for_blanking(older_than=older_than)
    orders = lifecycle.lock_free(list(old.values_list("pk", flat=True)[:limit]))
    rows = Contact.objects.filter(pk__in=orders, blanked_at=None)
    kept = set(rows.values_list("pk", flat=True))  # another process may have been here
    rows.update(**dict.fromkeys(_PERSONAL, ""), blanked_at=clock.now())
    instants = lifecycle.Instants(None)
    lifecycle.remember(
        [
            lifecycle.Change(orders[pk], OrderEvent.CONTACT_BLANKED, by, instants.of(orders[pk]))
            for pk in sorted(kept)
        ]
    )
    return len(kept)


def due_for_blanking(*, older_than: timedelta) -> models.QuerySet[Contact]:
    """Return contacts of finished orders bought so long ago, by their merchants' clocks."""
    return Contact.objects.filter(
        blanked_at=None,
        purchased_at__lt=clock.now() + F("merchant__clock_ahead") - older_than,
        order__in=Order.objects.finished(),
    )


def _view(order: Order, row: Contact) -> ContactView:
    relay = order.marketplace.buyer_email_mode == "relay"
    calls = order.fulfilment_channel == FulfilmentChannel.MERCHANT and order.delivered_at is None
    phone = row.buyer_phone if calls else ""
    address = _address(row)
    if row.blanked_at:
        address = replace(address, recipient_name=gone())
    return ContactView(
        buyer_email=row.relay_email if relay else row.buyer_email,
        buyer_phone=phone,
        address=address,
        gift_message=row.gift_message,
    )


def _address(row: Contact) -> Address:
    return Address(**{field.name: getattr(row, field.name) for field in fields(Address)})
