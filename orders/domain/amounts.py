"""How much a refund gives back of what: the plan that pages show and the verb applies.

Rules: MONEY-05 to MONEY-08. A plan names amounts per item and component; promotions stand in it as
numbers above zero, which are taken back from the buyer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from core.money import round_half_up, split
from core.refusal import Refusal
from orders.domain.words import amount as in_words
from orders.enums import BOXES, COMPONENTS, PROMOTIONS
from orders.models import Item
from orders.models.order import sign_of

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Everything:
    """All that remains of all components of all items (MONEY-05)."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """By item id, the two amounts of the Partial Refund tab: item cost and delivery."""

    amounts: Mapping[int, tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Components:
    """By item id, amounts per component; the form of files and programs."""

    amounts: Mapping[int, Mapping[str, Decimal]]


Wanted = Everything | Boxes | Components


@dataclass(frozen=True, slots=True)
class Plan:
    """What a refund gives back: amounts by item and component, all above zero."""

    amounts: Mapping[int, Mapping[str, Decimal]]
    currency: str

    def of_box(self, box: str, item_id: int | None = None) -> Decimal:
        """Return what a box ("item_cost", "delivery") gives back, of one item or of all."""
        rows = self.amounts if item_id is None else {item_id: self.amounts.get(item_id, {})}
        return sum(
            (
                sign_of(component) * value
                for row in rows.values()
                for component, value in row.items()
                if component in BOXES[box]
            ),
            ZERO,
        )

    @property
    def total(self) -> Decimal:
        return self.of_box("item_cost") + self.of_box("delivery")


def maximum(item: Item, box: str) -> Decimal:
    """Return the most that a box of an item can give back (MONEY-06)."""
    return sum((sign_of(c) * item.remaining(c) for c in BOXES[box]), ZERO)


def plan(items: Sequence[Item], wanted: Wanted, currency: str) -> Plan | Refusal:
    """Work out a refund over an order's items, or say why it cannot be.

    Refusals: REFUND_LIMIT (facts ``maximum``, ``item``; field of the box), INVALID_INPUT when the
        total is zero, NOT_FOUND for items of other orders.
    """
    if isinstance(wanted, Everything):
        amounts = {item.pk: _rest(item) for item in items}
    else:
        known = {item.pk: item for item in items}
        if any(pk not in known for pk in wanted.amounts):
            return Refusal("NOT_FOUND", _("There is no such item in this order."))
        amounts = {}
        for pk, asked in wanted.amounts.items():
            shared = (
                _of_boxes(known[pk], asked, currency)
                if isinstance(asked, tuple)
                else _of_components(known[pk], asked, currency)
            )
            if isinstance(shared, Refusal):
                return shared
            amounts[pk] = shared
    kept = {pk: {c: v for c, v in row.items() if v} for pk, row in amounts.items()}
    result = Plan({pk: row for pk, row in kept.items() if row}, currency)
    if result.total <= 0:
        return Refusal(
            "INVALID_INPUT",
            _("Total must be more than %s") % in_words(ZERO, currency),
            field="total",
        )
    return result


def share(item: Item, box: str, amount: Decimal, currency: str) -> dict[str, Decimal]:
    """Split an amount typed in a box over its components; the parts sum to it (MONEY-07).

    The promotion gives its share, rounded half up; amount and share together are spread over the
    paid components in proportion to what remains of each.
    """
    components = BOXES[box]
    promotion = next(c for c in components if c in PROMOTIONS)
    paid = [c for c in components if c not in PROMOTIONS]
    most = maximum(item, box)
    taken_back = (
        round_half_up(item.remaining(promotion) * amount / most, currency) if most else ZERO
    )
    parts = split(amount + taken_back, [item.remaining(c) for c in paid], currency)
    return {**dict(zip(paid, parts, strict=True)), promotion: taken_back}


def _rest(item: Item) -> dict[str, Decimal]:
    return {component: item.remaining(component) for component in COMPONENTS}


def _of_boxes(
    item: Item, asked: tuple[Decimal, Decimal], currency: str
) -> dict[str, Decimal] | Refusal:
    amounts: dict[str, Decimal] = {}
    for box, amount in zip(BOXES, asked, strict=True):
        most = maximum(item, box)
        if not ZERO <= amount <= most:
            return _above(item, box, most, currency)
        if amount:
            amounts |= share(item, box, amount, currency)
    return amounts


def _of_components(
    item: Item, asked: Mapping[str, Decimal], currency: str
) -> dict[str, Decimal] | Refusal:
    for component, amount in asked.items():
        most = item.remaining(component)
        if not ZERO <= amount <= most:
            return _above(item, component, most, currency)
    for box, components in BOXES.items():
        net = sum((sign_of(c) * asked.get(c, ZERO) for c in components), ZERO)
        if not ZERO <= net <= maximum(item, box):
            return _above(item, box, maximum(item, box), currency)
    return dict(asked)


def _above(item: Item, field: str, most: Decimal, currency: str) -> Refusal:
    return Refusal(
        "REFUND_LIMIT",
        _("Amount must be %s or less") % in_words(most, currency),
        {"item": item.number, "maximum": str(most)},
        field=f"{field}_{item.pk}",
    )
