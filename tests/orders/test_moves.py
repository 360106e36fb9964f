"""Who may ask what of an order in which status: tables 4.2 and 4.3, tried whole.

The table stands here once more, written from the requirements and not from the code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import product
from typing import Any, get_args

import pytest
from django.db import transaction

from core import clock
from core.actor import PLATFORM_DOORS, Actor, Door
from core.refusal import HTTP_STATUS, Refusal, Refused
from orders.domain import (
    cancellations,
    deliveries,
    edits,
    guards,
    lifecycle,
    refunds,
    requests,
    shipments,
    verification,
)
from orders.domain.amounts import Boxes, Everything
from orders.domain.moves import MOVES
from orders.domain.packages import Package
from orders.enums import (
    Act,
    CancelCause,
    CancelReason,
    OrderStatus,
    RefundReason,
    RequestReason,
    RequestState,
)
from orders.models import BuyerRequest, Order
from payments.gateways import Verification, VerificationOutcome
from tests.factories import STAFF, cancelled_order, confirm, order_in, unshipped_order
from tests.factories import refund as give_back
from tests.pages import snapshot

DOORS: tuple[Door, ...] = get_args(Door)
MERCHANT: frozenset[Door] = frozenset({"form", "file", "api"})
STATUSES = tuple(status.value for status in OrderStatus)

PENDING = {"pending": "ORDER_PENDING"}
CANCELLED = {"cancelled": "ORDER_CANCELLED"}
# By act: what table 4.3 answers in which status; statuses left out are possible.
REFUSED: dict[Act, dict[str, str]] = {
    Act.CONFIRM: PENDING | CANCELLED | {"shipped": "ORDER_ALREADY_SHIPPED"},
    Act.CANCEL: PENDING
    | CANCELLED
    | {"shipped": "ORDER_ALREADY_SHIPPED", "partially_shipped": "ORDER_PARTIALLY_SHIPPED"},
    Act.REFUND: PENDING | CANCELLED | {"unshipped": "NOT_CHARGED"},
    Act.REFUND_IN_FULL: PENDING | CANCELLED | {"unshipped": "NOT_CHARGED"},
    Act.PRINT: PENDING | CANCELLED,
    Act.CORRECT: PENDING | CANCELLED | {"unshipped": "INVALID_TRANSITION"},
    Act.DELIVER: PENDING
    | CANCELLED
    | dict.fromkeys(("unshipped", "partially_shipped"), "INVALID_TRANSITION"),
    Act.REVISE_DATES: PENDING | CANCELLED,
}
REFUSED[Act.ACCEPT_REQUEST] = REFUSED[Act.DECLINE_REQUEST] = REFUSED[Act.CANCEL]
# By act of the platform or the buyer: from where, and by which doors; anything else is F13.
ALLOWED: dict[Act, tuple[set[str], set[str]]] = {
    Act.VERIFY: ({"pending"}, {"gateway", "job"}),
    Act.DECLINE: ({"pending"}, {"gateway", "job", "operator"}),
    Act.BUYER_CANCEL: ({"pending", "unshipped"}, {"buyer"}),
    Act.AUTO_CANCEL: ({"unshipped"}, {"job"}),
    Act.OPERATOR_CANCEL: ({"unshipped"}, {"operator"}),
    Act.BUYER_EDIT: ({"pending", "unshipped"}, {"buyer"}),
    Act.FILE_REQUEST: ({"unshipped"}, {"buyer"}),
    Act.ESCALATE_REQUEST: ({"unshipped"}, {"buyer"}),
    Act.WARN: ({"unshipped"}, set(DOORS)),
}
# Of the merchant's acts: those that have doors in table 4.2, and which.
MOVING: dict[Act, frozenset[str]] = {
    Act.CONFIRM: MERCHANT,
    Act.CANCEL: MERCHANT,
    Act.ACCEPT_REQUEST: frozenset({"form", "api"}),
}
ANSWERED = {Act.ACCEPT_REQUEST, Act.DECLINE_REQUEST, Act.ESCALATE_REQUEST}  # a request is open


def expected(act: Act, status: str, door: str) -> str:
    """Return the code of table 4.3, or an empty word where the act is possible."""
    if act in ALLOWED:
        sources, doors = ALLOWED[act]
        return "" if status in sources and door in doors else "INVALID_TRANSITION"
    if status in REFUSED[act]:
        return REFUSED[act][status]
    return "INVALID_TRANSITION" if door not in MOVING.get(act, {door}) else ""


def actor(door: Door) -> Actor:
    return Actor(door, f"by {door}", owner=door not in PLATFORM_DOORS)


@pytest.fixture
def by_status(shop) -> dict[str, Order]:
    """One order in each status, bought a moment ago so that its buyer may still cancel."""
    return {s: order_in(s, shop, quantity=3, age=timedelta(seconds=1)) for s in STATUSES}


def instant(act: Act, order: Order) -> Any:
    if act == Act.FILE_REQUEST:
        return guards.window_ends(order)
    at = {Act.AUTO_CANCEL: order.deadline_at, Act.WARN: order.email_warning_at}
    return at.get(act) or clock.now()


def facts(act: Act, order: Order, door: Door) -> guards.Facts:
    at = instant(act, order)
    request = BuyerRequest(order=order, state=RequestState.OPEN, answer_by_at=at)
    asked = request if act in ANSWERED else None
    return guards.Facts(order, actor(door), at, request=asked)


@pytest.mark.req("INV-04", "F01", "F02", "F03", "F04", "F05", "F06", "F08", "F13", "F20", "TH-05")
def test_every_act_in_every_status_by_every_door_is_answered_as_the_table_says(by_status):
    wrong = {}
    for act, status, door in product(Act, STATUSES, DOORS):
        (order,) = lifecycle.lock([by_status[status].pk]).values()
        refusal = guards.ask(act, facts(act, order, door))
        answer = refusal.code if refusal else ""
        if answer != expected(act, status, door):
            wrong[act.value, status, door] = answer
    assert wrong == {}


@pytest.mark.req("INV-04", "IMPL-31")
def test_every_refusal_is_a_sentence_with_facts_and_a_status(by_status):
    for act, status, door in product(Act, STATUSES, DOORS):
        (order,) = lifecycle.lock([by_status[status].pk]).values()
        refusal = guards.ask(act, facts(act, order, door))
        if refusal is not None:
            assert refusal.status == HTTP_STATUS[refusal.code]
            assert order.number in refusal.message
            assert str(refusal).endswith(".")


# The verbs behind the acts ---------------------------------------------------------------------


def confirm_all(order: Order, by: Actor, **more: Any) -> Any:
    package = Package(clock.now().date(), "Royal Mail")
    wanted = shipments.Confirmation(order.pk, package, **more)
    return shipments.confirm_shipment(wanted=wanted, by=by)


def cancel(order: Order, by: Actor, **more: Any) -> Any:
    wanted = cancellations.CancelRequest(order.pk, CancelReason.PRICING_ERROR, **more)
    return cancellations.cancel_order(wanted=wanted, by=by)


def refund(order: Order, by: Actor, wanted: Any = None, **more: Any) -> Any:
    wanted = wanted or Boxes({order.items.get().pk: (Decimal(1), Decimal(0))})
    asked = refunds.RefundRequest(order.pk, wanted, RefundReason.CUSTOMER_RETURN, **more)
    return refunds.refund_order(wanted=asked, by=by)


def refund_all(order: Order, by: Actor, **more: Any) -> Any:
    return refund(order, by, Everything(), **more)


def cancel_overdue(order: Order, by: Actor) -> Any:
    at = {order.pk: order.deadline_at}
    (outcome,) = cancellations.cancel_overdue(order_ids=[order.pk], by=by, at=at)
    return outcome


def verify(order: Order, by: Actor) -> Any:
    answer = Verification(VerificationOutcome.VERIFIED)
    verification.settle_verifications({order.pk: answer}, by=by)


def decline(order: Order, by: Actor) -> Any:
    return verification.decline(order_id=order.pk, cause=CancelCause.FRAUD_SUSPECTED, by=by)


def cancel_for_buyer(order: Order, by: Actor) -> Any:
    return cancellations.cancel_for_buyer(order_id=order.pk, by=by)


def cancel_for_platform(order: Order, by: Actor) -> Any:
    return cancellations.cancel_for_platform(order_id=order.pk, note="Fraud", by=by)


def edit(order: Order, by: Actor) -> Any:
    wanted = edits.Edit(order.pk, quantities={order.items.get().pk: 2})
    return edits.edit_order(wanted=wanted, by=by)


def file_request(order: Order, by: Actor) -> Any:
    with clock.stopped(guards.window_ends(order)):
        return requests.file_request(order_id=order.pk, reason=RequestReason.OTHER, by=by)


def ask_first(order: Order) -> None:
    """Have a request to answer, where there can be one."""
    if order.status == "unshipped":
        file_request(order, actor("buyer"))


def accept(order: Order, by: Actor) -> Any:
    return cancellations.accept_request(order_id=order.pk, by=by, seen=None, once=None)


def decline_request(order: Order, by: Actor) -> Any:
    return requests.decline(order_id=order.pk, answer="It is packed.", by=by)


def escalate(order: Order, by: Actor) -> Any:
    with clock.stopped(guards.window_ends(order) + timedelta(hours=48)):
        return requests.escalate(order_id=order.pk, by=by)


def mark_delivered(order: Order, by: Actor) -> Any:
    return deliveries.mark_delivered(order_id=order.pk, by=by)


VERBS: dict[Act, Callable[..., Any]] = {
    Act.VERIFY: verify,
    Act.DECLINE: decline,
    Act.CONFIRM: confirm_all,
    Act.CANCEL: cancel,
    Act.BUYER_CANCEL: cancel_for_buyer,
    Act.AUTO_CANCEL: cancel_overdue,
    Act.OPERATOR_CANCEL: cancel_for_platform,
    Act.REFUND: refund,
    Act.REFUND_IN_FULL: refund_all,
    Act.BUYER_EDIT: edit,
    Act.FILE_REQUEST: file_request,
    Act.ACCEPT_REQUEST: accept,
    Act.DECLINE_REQUEST: decline_request,
    Act.ESCALATE_REQUEST: escalate,
    Act.DELIVER: mark_delivered,
}
SILENT = {Act.VERIFY}  # an answer of the gateway that comes late or twice changes nothing


def answer_of(verb: Callable[..., Any], order: Order, by: Actor) -> str:
    try:
        outcome = verb(order, by)
    except Refused as refused:
        return refused.code
    return outcome.code if isinstance(outcome, Refusal) else ""


def tried(verb: Callable[..., Any], order: Order, by: Actor) -> tuple[str, bool, str]:
    """Try a verb and take it back; return its answer, whether all stayed, and the status."""
    before = snapshot(order)
    with transaction.atomic():
        answer = answer_of(verb, order, by)
        stayed = snapshot(order) == before
        status = Order.objects.values_list("status", flat=True).get(pk=order.pk)
        transaction.set_rollback(True)
    return answer, stayed, status


@pytest.mark.req("INV-04", "F01", "F02", "F03", "F04", "F05", "F06", "F08", "F13", "F20", "TH-05")
@pytest.mark.parametrize("act", VERBS)
def test_verbs_do_what_the_table_allows_and_change_nothing_otherwise(by_status, act):
    targets = {
        m.source.value: {n.target.value for n in MOVES if (n.act, n.source) == (act, m.source)}
        for m in MOVES
        if m.act == act
    }
    if act in ANSWERED:
        ask_first(by_status["unshipped"])
    for status, door in product(STATUSES, DOORS):
        answer, stayed, after = tried(VERBS[act], by_status[status], actor(door))
        code = expected(act, status, door)
        place = (act.value, status, door)
        assert (place, answer) == (place, "" if act in SILENT else code)
        assert (place, stayed) == (place, bool(code))
        assert after in (targets.get(status, {status}) if not code else {status}), place


@pytest.mark.req("F19", "PERMISSION-03", "INV-18")
@pytest.mark.parametrize("door", sorted(MERCHANT))
@pytest.mark.parametrize(
    "act",
    [
        Act.CONFIRM,
        Act.CANCEL,
        Act.REFUND,
        Act.REFUND_IN_FULL,
        Act.ACCEPT_REQUEST,
        Act.DECLINE_REQUEST,
        Act.DELIVER,
    ],
)
def test_without_the_right_every_status_answers_the_same(by_status, act, door):
    """Nobody learns an order's state from the refusal of something they may not do."""
    for order in by_status.values():
        answer, stayed, _status = tried(VERBS[act], order, Actor(door, "Bob"))
        assert (answer, stayed) == ("PERMISSION_DENIED", True)


@pytest.mark.req("F18", "INV-16")
@pytest.mark.parametrize(
    "verb",
    [
        confirm_all,
        cancel,
        cancel_for_buyer,
        cancel_for_platform,
        refund_all,
        accept,
        decline_request,
        lambda order, by: edits.edit_order(wanted=edits.Edit(order.pk), by=by),
        lambda order, by: requests.file_request(
            order_id=order.pk, reason=RequestReason.OTHER, by=by
        ),
        lambda order, by: requests.escalate(order_id=order.pk, by=by),
    ],
)
def test_an_order_that_is_not_there_is_not_found(shop, verb):
    with pytest.raises(Refused) as refused:
        verb(Order(pk=10**12), STAFF)
    assert (refused.value.code, refused.value.refusal.status) == ("NOT_FOUND", 404)


def late(order: Order, by: Actor, verb: Callable[..., Any]) -> Any:
    with clock.stopped(order.deadline_at):
        return verb(order, by)


OTHER_REFUSALS = {
    "F07 at the deadline": (
        "unshipped",
        partial(late, verb=confirm_all),
        "CONFIRMATION_PERIOD_ENDED",
    ),
    "F10 above what remains": (
        "shipped",
        lambda order, by: refund(
            order, by, Boxes({order.items.get().pk: (Decimal("10.01"), Decimal(0))})
        ),
        "REFUND_LIMIT",
    ),
    "F11 above what is left": (
        "partially_shipped",
        lambda order, by: confirm_all(order, by, quantities={order.items.get().pk: 3}),
        "QUANTITY_EXCEEDED",
    ),
    "F11 no unit": (
        "unshipped",
        lambda order, by: confirm_all(order, by, quantities={order.items.get().pk: 0}),
        "QUANTITY_EXCEEDED",
    ),
    "F11 fewer than none": (
        "unshipped",
        lambda order, by: confirm_all(order, by, quantities={order.items.get().pk: -1}),
        "QUANTITY_EXCEEDED",
    ),
    "F14 after the window": (
        "unshipped",
        lambda order, by: late(order, Actor("buyer", "buyer"), cancel_for_buyer),
        "CANCEL_WINDOW_CLOSED",
    ),
    "F15 after the window": (
        "unshipped",
        lambda order, by: late(order, Actor("buyer", "buyer"), edit),
        "EDIT_WINDOW_CLOSED",
    ),
    "no request to accept": ("unshipped", accept, "NO_OPEN_REQUEST"),
    "no request to decline": ("unshipped", decline_request, "NO_OPEN_REQUEST"),
    "F16 confirm": ("unshipped", partial(confirm_all, seen=1), "STALE_ORDER"),
    "F16 cancel": ("unshipped", partial(cancel, seen=1), "STALE_ORDER"),
    "F16 refund": ("shipped", partial(refund, seen=1), "STALE_ORDER"),
    "F16 refunded meanwhile": (
        "shipped",
        partial(refund, expected_refunded=Decimal(5)),
        "STALE_ORDER",
    ),
    "item of another order": (
        "unshipped",
        lambda order, by: confirm_all(order, by, quantities={10**12: 1}),
        "NOT_FOUND",
    ),
}


@pytest.mark.req("F07", "F10", "F11", "F14", "F15", "F16", "F18", "INV-04")
@pytest.mark.parametrize("name", OTHER_REFUSALS)
def test_other_refusals_change_nothing_either(by_status, name):
    status, verb, code = OTHER_REFUSALS[name]
    answer, stayed, _status = tried(verb, by_status[status], STAFF)
    assert (answer, stayed) == (code, True)


@pytest.mark.req("F09", "CANCEL-05")
def test_an_unshipped_order_paid_in_advance_is_cancelled_not_refunded(japanese_shop):
    order = unshipped_order(japanese_shop, in_advance=True)
    item = order.items.get()
    whole = Boxes({item.pk: (Decimal(10), Decimal(2))})
    for verb in (refund_all, partial(refund, wanted=whole)):
        assert tried(verb, order, STAFF)[:2] == ("USE_CANCEL", True)
    assert tried(refund, order, STAFF)[0] == ""


@pytest.mark.req("F10", "MONEY-05")
def test_nothing_is_left_after_everything_was_refunded(by_status):
    order = by_status["shipped"]
    give_back(order)
    for verb in (refund, refund_all):
        assert tried(verb, order, STAFF)[:2] == ("REFUND_LIMIT", True)


@pytest.mark.req("F12", "SHIP-11")
def test_a_declined_charge_leaves_the_order_unshipped(shop):
    order = unshipped_order(shop, payment_token="capture-fails")
    answer, _stayed, status = tried(confirm_all, order, STAFF)
    assert (answer, status, HTTP_STATUS[answer]) == ("PAYMENT_CAPTURE_FAILED", "unshipped", 402)


@pytest.mark.req("F17", "ORDERTYPE-09")
@pytest.mark.parametrize("verb", [confirm_all, cancel])
def test_the_platform_ships_and_cancels_its_own_orders(shop, verb):
    order = unshipped_order(shop, fulfilment_channel="platform")
    for door in sorted(MERCHANT):
        assert tried(verb, order, actor(door))[:2] == ("PLATFORM_FULFILLED", True)
    assert tried(cancel_for_platform, order, actor("operator"))[0] == ""


@pytest.mark.req("F20", "T10", "INV-07")
def test_the_deadline_job_takes_what_is_due_and_skips_the_rest(by_status, shop):
    """A second early, on time, and with orders in its list that moved on meanwhile."""
    order = by_status["unshipped"]
    early = {order.pk: order.deadline_at - timedelta(seconds=1)}
    job = Actor("job", "auto-cancel")
    (outcome,) = cancellations.cancel_overdue(order_ids=[order.pk], by=job, at=early)
    assert isinstance(outcome, Refusal)

    everything = {o.pk: max(o.deadline_at for o in by_status.values()) for o in by_status.values()}
    outcomes = cancellations.cancel_overdue(order_ids=list(everything), by=job, at=everything)

    done = [outcome for outcome in outcomes if isinstance(outcome, Order)]
    assert done == [order]
    assert {o.status for o in Order.objects.filter(pk__in=everything)} == set(STATUSES) - {
        "unshipped"
    }


@pytest.mark.req("INV-04", "F13")
@pytest.mark.parametrize("make", [cancelled_order, partial(order_in, "shipped")])
def test_final_states_stay_final(shop, make):
    order = make(shop)
    for act, door in product(VERBS, DOORS):
        if act in (Act.REFUND, Act.REFUND_IN_FULL, Act.DELIVER):
            continue
        _answer, stayed, _status = tried(VERBS[act], order, actor(door))
        assert stayed, (act, door)


@pytest.mark.req("SHIP-24", "F07")
def test_the_deadline_binds_confirming_only_while_nothing_has_shipped(by_status):
    """Half a package is no reason to cancel: the rest may follow after the deadline."""
    order = by_status["partially_shipped"]
    with clock.stopped(order.deadline_at + timedelta(days=1)):
        confirm(order)
    assert order.status == "shipped"


@pytest.mark.req("INV-04")
def test_each_order_stands_once_in_a_batch(by_status):
    order = by_status["unshipped"]
    package = Package(clock.now().date(), "UPS")
    wanted = shipments.Confirmation(order.pk, package, quantities={order.items.get().pk: 1})
    with pytest.raises(ValueError, match="once"):
        shipments.confirm_shipments(wanted=[wanted, replace(wanted)], by=STAFF)
    request = cancellations.CancelRequest(order.pk, CancelReason.NO_INVENTORY)
    with pytest.raises(ValueError, match="once"):
        cancellations.cancel_orders(wanted=[request, request], act=Act.CANCEL, by=STAFF)
