"""One package to be: what is in it, whether that may be, and how an intent remembers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from audit.domain.submissions import Once
from core.actor import Actor
from core.refusal import Refusal
from orders import carriers
from orders.domain.drafts import is_plain
from orders.models import Item, Order

MAX_TEXT = 50  # characters of carrier name, method and tracking ID (SHIP-04, SHIP-06)


@dataclass(frozen=True, slots=True)
class Package:
    """How a package travels. carrier: a code of ``carriers``; empty where a file leaves it out."""

    ship_date: date
    carrier: str = ""
    carrier_name: str = ""
    method: str = ""
    tracking_id: str = ""


@dataclass(frozen=True, slots=True)
class Units:
    """Units by item id: in the package, and recorded as not sent."""

    shipped: Mapping[int, int]
    not_sent: Mapping[int, int]

    @property
    def total(self) -> int:
        return sum(self.shipped.values()) + sum(self.not_sent.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked package as its intent remembers it. number: its place among the order's."""

    package: Package
    units: Units
    number: int
    by: Actor
    once: Once | None = None

    def to_json(self) -> dict[str, object]:
        package, once = self.package, self.once
        return {
            "ship_date": package.ship_date.isoformat(),
            "carrier": package.carrier,
            "carrier_name": package.carrier_name,
            "method": package.method,
            "tracking_id": package.tracking_id,
            "shipped": {str(pk): quantity for pk, quantity in self.units.shipped.items()},
            "not_sent": {str(pk): quantity for pk, quantity in self.units.not_sent.items()},
            "number": self.number,
            "by": {"door": self.by.door, "name": self.by.name, "user_id": self.by.user_id},
            "once": [once.token, once.fingerprint, once.scope] if once else None,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Plan:
        return cls(
            package=Package(
                ship_date=date.fromisoformat(kept["ship_date"]),
                carrier=kept["carrier"],
                carrier_name=kept["carrier_name"],
                method=kept["method"],
                tracking_id=kept["tracking_id"],
            ),
            units=Units(
                shipped={int(pk): quantity for pk, quantity in kept["shipped"].items()},
                not_sent={int(pk): quantity for pk, quantity in kept["not_sent"].items()},
            ),
            number=kept["number"],
            by=Actor(**kept["by"]),
            once=Once(*kept["once"]) if kept["once"] else None,
        )


def check(
    order: Order,
    items: Sequence[Item],
    package: Package,
    quantities: Mapping[int, int] | None,
    rest_not_sent: bool,
    *,
    at: datetime,
) -> Units | Refusal:
    """Return the units a package may hold, or the first thing wrong with it."""
    return problem(order, package, at=at) or _units(items, quantities, rest_not_sent)


def problem(order: Order, package: Package, *, at: datetime) -> Refusal | None:
    """Return what is wrong with the way a package travels (SHIP-04, SHIP-06, SHIP-07)."""
    today = order.marketplace.local_date(at)
    purchased = order.marketplace.local_date(order.purchased_at)
    if package.ship_date > today:
        return _wrong("ship_date", _("Ship Date must be today or in the past"))
    if package.ship_date < purchased:
        return _wrong(
            "ship_date",
            _("Ship Date must be %s or later") % f"{purchased.day} {purchased:%b %Y}",
        )
    if package.carrier and package.carrier not in carriers.codes_for(order.marketplace.country):
        return _wrong("carrier", _("Choose a shipping carrier"))
    name = package.carrier_name.strip()
    if package.carrier == carriers.OTHER and not 1 <= len(name) <= MAX_TEXT:
        return _wrong("carrier_name", _("Enter the carrier's name, up to 50 characters"))
    for field_name, text, message in (
        ("carrier_name", package.carrier_name, _("Enter the carrier's name, up to 50 characters")),
        ("method", package.method, _("Shipping Method must be 50 characters or fewer")),
        (
            "tracking_id",
            package.tracking_id,
            _("Tracking ID must be 50 characters or fewer, on one line"),
        ),
    ):
        if len(text) > MAX_TEXT or not is_plain(text):
            return _wrong(field_name, message)
    return None


def no_such_order() -> Refusal:
    """F18: a missing order and another merchant's answer alike."""
    return Refusal("NOT_FOUND", _("There is no such order."))


def _units(
    items: Sequence[Item], quantities: Mapping[int, int] | None, rest_not_sent: bool
) -> Units | Refusal:
    left = {item.pk: item.quantity_remaining for item in items}
    if quantities is None:
        quantities = {pk: units for pk, units in left.items() if units}
    if any(pk not in left for pk in quantities):
        return Refusal("NOT_FOUND", _("A package holds only items of its own order."))
    for item in items:
        wanted = quantities.get(item.pk)
        if wanted is None or 1 <= wanted <= left[item.pk]:
            continue
        return Refusal(
            "QUANTITY_EXCEEDED",
            _("Only %(left)d of SKU %(sku)s left to ship.")
            % {"left": left[item.pk], "sku": item.sku},
            {"item": item.number, "maximum": left[item.pk]},
            field=f"quantity_{item.pk}",
        )
    if not quantities:
        return Refusal(
            "QUANTITY_EXCEEDED",
            _("Enter at least one unit to ship"),
            {"maximum": sum(left.values())},
        )
    not_sent = {}
    if rest_not_sent:
        rest = {pk: units - quantities.get(pk, 0) for pk, units in left.items()}
        not_sent = {pk: units for pk, units in rest.items() if units}
    return Units(shipped=dict(quantities), not_sent=not_sent)


def _wrong(field_name: str, message: str) -> Refusal:
    return Refusal("INVALID_INPUT", message, field=field_name)
