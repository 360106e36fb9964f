"""Shipping confirmations: records of one parcel become one package (FEED-20 to FEED-27)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from audit.domain.submissions import Once
from core.actor import Actor
from core.refusal import Refusal
from orders import carriers
from orders.domain import packages, shipments
from orders.domain.packages import Package
from orders.domain.shipments import Confirmation
from orders.enums import Act, OrderEvent
from orders.models import Item, Shipment
from uploads.domain.desks import Desk
from uploads.domain.feeds.shape import Given, Judged, Kind, Outcome
from uploads.domain.messages import Message, of_refusal
from uploads.enums import Feed

FEED = Feed.SHIPPING
MOST_TRIES = 3  # of a confirmation that does not reach the gateway
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?", re.ASCII)
_UNITS = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_FIELDS = {
    "ship_date": "ship-date",
    "carrier": "carrier-code",
    "carrier_name": "carrier-name",
    "method": "ship-method",
    "tracking_id": "tracking-number",
}


def judge(given: Sequence[Given], desk: Desk, once: Once) -> Judged:
    """Work out the parcel that the good records make up; the others say why they are none of it."""
    judged = Judged()
    refusal = desk.refusal(Act.CONFIRM)
    if refusal is not None:
        for one in given:
            judged.say(one.number, of_refusal(FEED, refusal))
        return judged
    for one in given:
        judged.say(one.number, *_travels(one, desk))
    units = _units(judged, given, desk)
    if units:
        first = judged.good(given)[0]
        package = _package(first, desk)
        assert package is not None, "its date was found right"
        judged.wanted = Confirmation(desk.order.pk, package, quantities=units, once=once)
    return judged


def _travels(one: Given, desk: Desk) -> list[Message]:
    """Return what is wrong with how a record's parcel travels, and what is merely noted."""
    text = one.get("ship-date")
    if not text:
        return [Message(2001)]
    package = _package(one, desk)
    if package is None:
        return [Message(2002, "ship-date", text)]
    found: list[Message] = []
    code = one.get("carrier-code")
    if package.carrier == carriers.OTHER and not package.carrier_name:
        return [Message(2010, "carrier-code", code)]
    if code and package.carrier == carriers.OTHER and code.casefold() != "other":
        found.append(Message(2090, "carrier-code", code))
    refusal = packages.problem(desk.order, package, at=desk.at)
    if refusal is not None:
        column = _FIELDS.get(refusal.field, "")
        number = 1109
        if column == "ship-date":
            number = 2003 if package.ship_date > _today(desk) else 2004
        found.append(Message(number, column, one.get(column), refusal.message))
    return found


def _units(judged: Judged, given: Sequence[Given], desk: Desk) -> dict[int, int]:
    """Return the units of the parcel by item; each record counts after those before it."""
    left = {item.pk: item.quantity_remaining for item in desk.items}
    taken: Counter[int] = Counter()
    for one in judged.good(given):
        wanted = _wanted(one, desk, left)
        if isinstance(wanted, Message):
            judged.say(one.number, wanted)
            continue
        for pk, units in wanted.items():
            left[pk] -= units
            taken[pk] += units
    return dict(taken)


def _wanted(one: Given, desk: Desk, left: Mapping[int, int]) -> dict[int, int] | Message:
    """Return the units one record asks for, by item, or what is wrong with it."""
    number, text = one.get("order-item-id"), one.get("quantity")
    if text and not _UNITS.fullmatch(text):
        return Message(2005, "quantity", text)
    open_items = {pk: units for pk, units in left.items() if units}
    item = desk.item(number) if number else None
    if number and item is None:
        return Message(1104, "order-item-id", number)
    if not open_items or (item is not None and not left[item.pk]):
        return Message(2008)
    if item is None and text:
        if len(desk.items) > 1:
            return Message(2007, "quantity", text)
        item = desk.items[0]
    if item is None:
        return open_items
    if not text:
        whole = set(open_items) == {item.pk}  # else nobody knows what is meant (FEED-23)
        return {item.pk: left[item.pk]} if whole else Message(2007, "order-item-id", number)
    return _checked(item, int(text), left[item.pk], text)


def _checked(item: Item, units: int, left: int, text: str) -> dict[int, int] | Message:
    if units > left:
        detail = f"Only {left} of SKU {item.sku} left to ship."
        return Message(2006, "quantity", text, detail)
    return {item.pk: units}


def _package(one: Given, desk: Desk) -> Package | None:
    """Return how a record's parcel travels; None when its day cannot be read."""
    found = _DAY.fullmatch(one.get("ship-date"))
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:  # the 30th of February
        day = None
    if day is None:
        return None
    code, name = one.get("carrier-code"), one.get("carrier-name")
    known = {c.casefold(): c for c in carriers.codes_for(desk.order.marketplace.country)}
    carrier = known.get(code.casefold(), "")
    if code and not carrier:
        carrier, name = carriers.OTHER, name or code
    elif name and not code:
        carrier = carriers.OTHER
    return Package(
        ship_date=day,
        carrier=carrier,
        carrier_name=name if carrier == carriers.OTHER else "",
        method=one.get("ship-method"),
        tracking_id=one.get("tracking-number"),
    )


def _today(desk: Desk) -> date:
    return desk.order.marketplace.local_date(desk.at)


def do(wanted: Sequence[Confirmation], by: Actor) -> list[Outcome]:
    """Confirm parcels of different orders.

    A confirmation that never reached the gateway, because its process was killed on the way, did
    nothing: it is made again, under a key that follows from the first one.
    """
    answers = list(shipments.confirm_shipments(wanted=wanted, by=by))
    for number in range(1, MOST_TRIES):
        lost = [place for place, answer in enumerate(answers) if _never_arrived(answer)]
        if not lost:
            break
        again = [_once_more(wanted[place], number) for place in lost]
        made = shipments.confirm_shipments(wanted=again, by=by)
        for place, answer in zip(lost, made, strict=True):
            answers[place] = answer
    return [_outcome(one, answer) for one, answer in zip(wanted, answers, strict=True)]


def _never_arrived(answer: Shipment | Refusal) -> bool:
    return isinstance(answer, Refusal) and answer.facts.get("gateway") == "not reached"


def _once_more(one: Confirmation, number: int) -> Confirmation:
    assert one.once is not None, "records carry a key"
    return replace(one, once=replace(one.once, token=f"{one.once.token}-{number}"))


def _outcome(one: Confirmation, answer: Shipment | Refusal) -> Outcome:
    if not isinstance(answer, Refusal):
        units = sum((one.quantities or {}).values())
        return Outcome(effect={"shipment": answer.number, "units": units})
    if answer.code == "CONFIRMATION_IN_PROGRESS" and {"gateway", "repeat"} & answer.facts.keys():
        return Outcome(later=True)  # our own; the gateway's answer settles it
    return Outcome(of_refusal(FEED, answer))


def pretend(wanted: Confirmation, desk: Desk) -> Mapping[str, Any]:
    """Write on the desk what a confirmation would do."""
    assert wanted.quantities is not None
    order = desk.order
    units = sum(wanted.quantities.values())
    for item in desk.items:
        item.quantity_shipped += wanted.quantities.get(item.pk, 0)
    charged = order.total if order.paid_at is None else None
    if charged is not None:
        order.charged_at = desk.at
    order.quantity_confirmed += units
    desk.derive()
    effect: dict[str, Any] = {"units": units, "mails": desk.owed(OrderEvent.SHIPMENT_CONFIRMED)}
    if charged is not None:
        effect |= {"charged": str(charged), "currency": order.currency}
    return effect


def keep(wanted: Confirmation) -> Mapping[str, Any]:
    package = wanted.package
    return {
        "order": wanted.order_id,
        "package": asdict(package) | {"ship_date": package.ship_date.isoformat()},
        "units": {str(pk): units for pk, units in (wanted.quantities or {}).items()},
    }


def restore(kept: Mapping[str, Any], once: Once) -> Confirmation:
    day = date.fromisoformat(kept["package"]["ship_date"])
    package = Package(**{**kept["package"], "ship_date": day})
    units = {int(pk): units for pk, units in kept["units"].items()}
    return Confirmation(kept["order"], package, quantities=units, once=once)


KIND = Kind(judge, do, pretend, keep, restore)
