"""A buyer changes an order within its first minutes: address and quantities (BUYERCANCEL-01).

What costs another amount takes three committed steps: the intent, the authorisation of the new
total under no lock, then the change. Until the last one the order is as it was; an authorisation
that leads to no change is released.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from audit.domain import submissions
from audit.domain.submissions import Once
from audit.models import Entry
from catalog.domain import stock
from catalog.models import Listing
from core.actor import Actor
from core.bulk import update_rows
from core.money import LARGEST, for_units
from core.refusal import Refusal, Refused
from core.transactions import unit_of_work
from orders.domain import contacts, drafts, guards, lifecycle, packages
from orders.domain.contacts import Address
from orders.enums import COMPONENTS, Act, OrderEvent, PaymentState
from orders.models import Item, Order
from orders.models.order import sign_of
from payments.domain import operations
from payments.gateways import Answer
from payments.models import Operation

ACTION = "edit"
MOST_UNITS = 1_000_000  # of one item, as when it is placed

# Where another amount can be held: a payment on its way or made in advance is of one amount.
_ADJUSTABLE = (PaymentState.UNVERIFIED, PaymentState.AUTHORISED, PaymentState.CAPTURE_FAILED)


@dataclass(frozen=True, slots=True)
class Edit:
    """What a buyer wants changed.

    address: where the goods go, in the country they were bought for; None leaves it.
    quantities: units by item id, 1 or more; items left out stay.
    seen: the version the buyer was shown.
    """

    order_id: int
    address: Address | None = None
    quantities: Mapping[int, int] = field(default_factory=dict)
    seen: int | None = None
    once: Once | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """Quantities and amounts of the items that change, and what the order then costs."""

    items: Mapping[int, tuple[int, dict[str, Decimal]]]
    total: Decimal


def can_pay_another_amount(order: Order) -> bool:
    """Tell whether quantities can change, because another total can be authorised."""
    return order.payment_state in _ADJUSTABLE


def edit_order(*, wanted: Edit, by: Actor) -> Order:
    """Change an order as its buyer wants; price, shipping and tax follow the units.

    Each unit costs what it cost (``core.money.for_units``); units come from and go back to stock;
    a new total is authorised at once and the old authorisation released.
    Raises Refused, and nothing is changed: those of ``guards`` for Act.BUYER_EDIT; INVALID_INPUT
        (with field), NOT_FOUND for items of other orders, LISTING_INACTIVE, OUT_OF_STOCK,
        PAYMENT_NOT_AUTHORISED, GATEWAY_UNAVAILABLE, STALE_ORDER, TOKEN_REUSED.
    Source: BUYERCANCEL-01, F15.
    """
    intended = _intend(wanted, by)
    if isinstance(intended, Order):
        return intended
    operation, at = intended
    answer = operations.call([operation])[operation.pk]
    if answer is None:
        raise Refused(_no_answer())
    outcome = _settle(wanted, operation, answer, by, at)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return outcome


@unit_of_work
def abandon(answers: Mapping[Operation, Answer], *, by: Actor) -> None:
    """Finish authorisations whose change nobody finished: it never happens, nothing stays held."""
    orders = lifecycle.lock(operation.order_id for operation in answers)
    still_open = operations.still_open(operation.pk for operation in answers)
    live = {op: answer for op, answer in answers.items() if op.pk in still_open}
    operations.finish(live)
    for operation, answer in live.items():
        order = orders[operation.order_id]
        if kept := operation.plan["once"]:
            submissions.withdraw(Once(*kept), merchant_id=order.merchant_id)
        if answer.succeeded:
            _release(order, operation.amount)


@unit_of_work
def _intend(wanted: Edit, by: Actor) -> Order | tuple[Operation, datetime]:
    """Check what is wanted; change what costs the same, else intend to authorise what it costs."""
    order = lifecycle.lock([wanted.order_id]).get(wanted.order_id)
    if order is None:
        raise Refused(packages.no_such_order())
    at = lifecycle.Instants(None).of(order)
    once, merchant_id = wanted.once, order.merchant_id
    if submissions.claim(once, merchant_id=merchant_id, action=ACTION, by=by, at=at) is not None:
        return order
    items = lifecycle.items_of([order])[order.pk]
    listings = _lock_listings(items, wanted)
    plan = _checked(order, items, listings, wanted, by, at)
    if isinstance(plan, Refusal):
        raise Refused(plan)
    if plan.total == order.total:
        return _write(order, items, listings, plan, wanted, by, at)
    intent = operations.Intent(
        order_id=order.pk,
        merchant_id=merchant_id,
        purpose=operations.Purpose.AUTHORISE,
        amount=plan.total,
        currency=order.currency,
        # Never the address: it waits in nobody's table but the contact's.
        plan={"once": [once.token, once.fingerprint, once.scope] if once else None},
    )
    (operation,) = operations.intend([intent], called_at_once=True)
    return operation, at


@unit_of_work
def _settle(
    wanted: Edit, operation: Operation, answer: Answer, by: Actor, at: datetime
) -> Order | Refusal:
    """Carry out the change that was authorised, if it still makes sense; at: when it was asked."""
    order = lifecycle.lock([operation.order_id])[operation.order_id]
    if operation.pk not in operations.still_open([operation.pk]):
        return _no_answer()  # it took too long: the job has closed it
    operations.finish({operation: answer})
    refusal = _declined(order)
    if answer.succeeded:
        items = lifecycle.items_of([order])[order.pk]
        listings = _lock_listings(items, wanted)
        # The payment may have been verified meanwhile: what counts is what the order would cost.
        plan = _checked(order, items, listings, replace(wanted, seen=None), by, at)
        if isinstance(plan, _Plan) and plan.items and plan.total == operation.amount:
            _release(order, order.total)
            now = lifecycle.Instants(None).of(order)
            return _write(order, items, listings, plan, wanted, by, now)
        refusal = plan if isinstance(plan, Refusal) else _changed_meanwhile(order)
        _release(order, operation.amount)
    submissions.withdraw(wanted.once, merchant_id=order.merchant_id)
    return refusal


def _checked(
    order: Order,
    items: Sequence[Item],
    listings: Mapping[int, Listing],
    wanted: Edit,
    by: Actor,
    at: datetime,
) -> _Plan | Refusal:
    """Return what would change, or the first thing against it."""
    confirming = bool(operations.open_captures([order.pk]))
    facts = guards.Facts(order, by, at, confirming, wanted.seen)
    refusal = guards.ask(Act.BUYER_EDIT, facts) or _problem_of_address(order, wanted.address)
    if refusal is not None:
        return refusal
    units = {item.pk: item.quantity_purchased for item in items}
    if wanted.quantities.keys() - units.keys():
        return Refusal("NOT_FOUND", _("There is no such item in this order."))
    changed = {pk: count for pk, count in wanted.quantities.items() if count != units[pk]}
    for pk, count in changed.items():
        if not 1 <= count <= MOST_UNITS:
            told = _("A quantity is a whole number from 1 to 1,000,000.")
            return Refusal("INVALID_INPUT", told, field=f"quantity_{pk}")
    if changed and not can_pay_another_amount(order):
        return Refusal(
            "PAYMENT_NOT_AUTHORISED",
            _("The amount of this payment cannot be changed."),
            remedy=_("Cancel the order and order again."),
        )
    if (refusal := _out_of_stock(items, listings, changed)) is not None:
        return refusal
    bought = _as_bought(order, items)
    plan = {
        pk: (
            count,
            {
                component: for_units(amount, bought[pk][0], count, order.currency)
                for component, amount in bought[pk][1].items()
            },
        )
        for pk, count in changed.items()
    }
    total = sum(
        (
            sign_of(c) * (plan[item.pk][1][c] if item.pk in plan else item.paid(c))
            for item in items
            for c in COMPONENTS
        ),
        Decimal(0),
    )
    if total > LARGEST:
        return Refusal("INVALID_INPUT", _("The total is above the largest amount."))
    return _Plan(plan, total)


def _problem_of_address(order: Order, address: Address | None) -> Refusal | None:
    if address is None:
        return None
    if address.country != contacts.delivery_for_buyer(order).country:
        told = _("Delivery to another country costs another amount.")
        remedy = _("Cancel the order and order again.")
        return Refusal("INVALID_INPUT", told, field="country", remedy=remedy)
    return drafts.problem_of_address(asdict(address))


def _lock_listings(items: Sequence[Item], wanted: Edit) -> dict[int, Listing]:
    """Lock the listings whose units may move; none for a mere change of address."""
    return stock.lock({item.listing_id for item in items if item.pk in wanted.quantities})


def _out_of_stock(
    items: Sequence[Item], listings: Mapping[int, Listing], changed: Mapping[int, int]
) -> Refusal | None:
    """Return why more units than were set aside cannot be had."""
    more = _units_more(items, changed)
    for item in items:
        if item.pk not in changed or changed[item.pk] <= item.quantity_purchased:
            continue
        listing, place = listings[item.listing_id], f"quantity_{item.pk}"
        if not listing.is_active:
            told = _("%s is no longer offered.") % item.title
            return Refusal("LISTING_INACTIVE", told, {"sku": item.sku}, field=place)
        if more[listing.pk] > listing.quantity_available:
            return Refusal(
                "OUT_OF_STOCK",
                _("Only %(left)d more of %(title)s can be had.")
                % {"left": listing.quantity_available, "title": item.title},
                {"sku": item.sku, "available": listing.quantity_available},
                field=place,
            )
    return None


def _units_more(items: Sequence[Item], changed: Mapping[int, int]) -> dict[int, int]:
    """Return by listing how many units more (or, below zero, fewer) are wanted."""
    return stock.units_by_listing(
        (item.listing_id, changed[item.pk] - item.quantity_purchased)
        for item in items
        if item.pk in changed
    )


def _as_bought(order: Order, items: Sequence[Item]) -> dict[int, tuple[int, dict[str, Decimal]]]:
    """Return units and amounts as they were bought, before any change.

    Amounts that do not divide would else drift by a penny with each change back and forth.
    """
    bought = {
        item.pk: (item.quantity_purchased, {c: item.paid(c) for c in COMPONENTS}) for item in items
    }
    earlier = Entry.objects.filter(order=order, event=OrderEvent.BUYER_EDITED)
    numbers = {item.number: item.pk for item in items}
    for before in earlier.order_by("-number").values_list("before", flat=True):
        for number, was in before.get("items", {}).items():
            amounts = {component: Decimal(was.get(component, 0)) for component in COMPONENTS}
            bought[numbers[number]] = (was["quantity"], amounts)
    return bought


def _write(
    order: Order,
    items: Sequence[Item],
    listings: Mapping[int, Listing],
    plan: _Plan,
    wanted: Edit,
    by: Actor,
    at: datetime,
) -> Order:
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    moved = wanted.address is not None and contacts.send_to(order, wanted.address)
    if moved:
        after["address"] = "changed"
    if plan.items:
        changing = [item for item in items if item.pk in plan.items]
        before |= {"total": str(order.total), "items": {i.number: _told(i) for i in changing}}
        _write_items(order, changing, listings, plan, at)
        after |= {"total": str(order.total), "items": {i.number: _told(i) for i in changing}}
    if not after:
        told = _("Nothing was changed.")
        raise Refused(Refusal("INVALID_INPUT", told, remedy=_("Change a quantity or the address.")))
    if order.payment_state == PaymentState.CAPTURE_FAILED and "total" in after:
        order.payment_state = PaymentState.AUTHORISED
    result = {"edited": order.number}
    submissions.conclude(wanted.once, merchant_id=order.merchant_id, result=result)
    event = OrderEvent.BUYER_EDITED
    lifecycle.record([lifecycle.Change(order, event, by, at, before=before, after=after)])
    return order


def _write_items(
    order: Order,
    changing: Sequence[Item],
    listings: Mapping[int, Listing],
    plan: _Plan,
    at: datetime,
) -> None:
    """Write units and amounts of items and their sums, and move the units of stock."""
    more = _units_more(changing, {pk: count for pk, (count, _amounts) in plan.items.items()})
    movements = [
        stock.Movement(
            listing_id,
            order.pk,
            -units,
            stock.Cause.ORDER if units > 0 else stock.Cause.CANCELLATION,
        )
        for listing_id, units in more.items()
    ]
    stock.move(listings, movements, at=at)
    for item in changing:
        units, amounts = plan.items[item.pk]
        order.quantity_purchased += units - item.quantity_purchased
        item.quantity_purchased = units
        for component, amount in amounts.items():
            setattr(item, component, amount)
    order.total = plan.total
    fields = ["quantity_purchased", *COMPONENTS]
    rows = {item.pk: [getattr(item, name) for name in fields] for item in changing}
    update_rows(Item, fields, rows)
    sums = ["total", "quantity_purchased"]
    update_rows(Order, sums, {order.pk: [order.total, order.quantity_purchased]})


def _told(item: Item) -> dict[str, object]:
    """Return an item's units and amounts for the history, those of zero left out."""
    amounts = {c: str(item.paid(c)) for c in COMPONENTS if item.paid(c)}
    return {"quantity": item.quantity_purchased, **amounts}


def _release(order: Order, amount: Decimal) -> None:
    """Owe the release of an authorisation that will not be captured."""
    purpose = operations.Purpose.VOID
    operations.intend(
        [operations.Intent(order.pk, order.merchant_id, purpose, amount, order.currency)]
    )


def _declined(order: Order) -> Refusal:
    return Refusal(
        "PAYMENT_NOT_AUTHORISED",
        _("The new total of order %s was not authorised, so it stays as it was.") % order.number,
        remedy=_("Choose fewer units, or cancel and order again with another payment method."),
    )


def _changed_meanwhile(order: Order) -> Refusal:
    return Refusal(
        "STALE_ORDER",
        _("Order %s was changed meanwhile.") % order.number,
        remedy=_("Nothing was saved. Look at it and repeat."),
    )


def _no_answer() -> Refusal:
    return Refusal(
        "GATEWAY_UNAVAILABLE",
        _("The payment cannot be checked at the moment, so the order stays as it was."),
        remedy=_("Try again in a minute."),
    )
