"""Whole lives of orders: random acts, allowed and forbidden, beside a plain model of the rules."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from audit.domain.submissions import Once
from catalog.models import StockChange
from core import clock
from core.actor import Actor
from core.refusal import Refusal, Refused
from orders.domain import (
    amounts,
    cancellations,
    deadline_warnings,
    edits,
    invariants,
    placing,
    refunds,
    requests,
    settling,
    shipments,
    sweeps,
    verification,
)
from orders.domain.drafts import ItemDraft
from orders.domain.packages import Package
from orders.enums import BOXES, CancelReason, RefundReason, RequestReason
from orders.models import Order
from payments.gateways import Verification, VerificationOutcome
from payments.models import LedgerLine, Operation, Payment, SandboxEntry
from tests.factories import AMOUNTS, GATEWAY, SHOP, STAFF, ListingFactory, MerchantFactory, draft

ZERO = Decimal(0)
STOCK = 1000
LIVES = int(os.environ.get("MODEL_LIVES", "40"))
LENGTH = 60 if "MODEL_LIVES" in os.environ else 25
OF_ONE_UNIT = {"item_cost": Decimal("116.00"), "delivery": Decimal("9.60")}  # of AMOUNTS
CANCELLED = "OrderCancelledNotification"
# What each event owes, from section 8 of the requirements.
OWED = {
    "order.placed": ["NewOrderNotification"],
    "order.verified": ["N01", "N02", "OrderReadyToShipNotification"],
    "order.payment_refused": ["N04", CANCELLED],
    "order.shipment_confirmed": ["N05", "OrderShipmentConfirmedNotification"],
    "order.capture_failed": ["N35"],
    "order.cancelled": ["N06", CANCELLED],
    "order.buyer_cancelled": ["N36", CANCELLED],
    "order.auto_cancelled": ["N08", "N09", CANCELLED],
    "order.confirmation_warned": ["N07"],
    "order.operator_cancelled": ["N06", "N37", CANCELLED],
    "order.refund_completed": ["N10"],
    "order.request_filed": ["N20"],
    "order.request_overdue": ["N22"],
    "order.request_declined": ["N21"],
    "order.request_closed": ["N21"],
}
# Lines of the history that leave the order itself, and so its version, alone.
STANDING = (
    *("order.placed", "order.voided", "order.confirmation_warned"),
    *("order.request_overdue", "order.request_escalated"),
)
MOODS = st.sampled_from(["ok", "ok", "lost", "away", "fails"])
WHICH = st.integers(0, 3)
STALE = st.sampled_from([False, False, False, True])
STEPS = {
    "confirm": {
        "which": WHICH,
        "how": st.sampled_from(["all", "some", "some", "too many"]),
        "mood": MOODS,
        "stale": STALE,
    },
    "refund": {
        "which": WHICH,
        "how": st.sampled_from(["everything", "part", "part", "part", "too much", "nothing"]),
        "share": st.tuples(st.integers(0, 100), st.integers(0, 100)),
        "mood": MOODS,
        "stale": STALE,
    },
    "place": {
        "quantities": st.lists(st.integers(1, 3), min_size=1, max_size=2),
        "verified": st.booleans(),
    },
    "the_gateway_has_verified": {"which": WHICH, "good": st.booleans()},
    "cancel": {
        "which": WHICH,
        "who": st.sampled_from(["merchant", "stale merchant", "operator", "buyer"]),
    },
    "ask": {
        "which": WHICH,
        "what": st.sampled_from(["file", "file", "accept", "accept", "decline", "pass on"]),
    },
    "edit": {"which": WHICH, "units": st.integers(0, 4), "mood": MOODS, "stale": STALE},
    "the_deadline_job_runs": {},
    "the_warning_job_runs": {},
    "the_request_job_runs": {},
    "time_goes_by": {
        "step": st.sampled_from(
            [timedelta(minutes=2), timedelta(hours=1), timedelta(hours=30), timedelta(days=26)]
        )
    },
    "what_is_open_is_settled": {},
    "a_form_is_sent_again": {"which": st.integers(0, 50)},
}
OFTEN = ("confirm", "refund", "confirm", "refund", "ask", "what_is_open_is_settled")
TOKENS = {"ok": "ok", "lost": "answer-lost", "away": "unavailable"}


@dataclass(eq=False)
class Open:
    """An act at the gateway without an outcome. done: it stands in the gateway's books."""

    purpose: str
    done: bool = False
    units: dict[int, int] = field(default_factory=dict)
    parts: dict[tuple[int, str], Decimal] = field(default_factory=dict)


@dataclass(eq=False)
class Model:
    """What an order should be, in plain numbers."""

    pk: int
    bought: dict[int, int]
    left: dict[tuple[int, str], Decimal]  # still to be refunded, by item and box
    purchased_at: datetime
    deadline_at: datetime
    status: str = "pending"
    payment: str = "unverified"
    charged: bool = False
    packages: int = 0
    refunded: Decimal = ZERO
    mood: str = "ok"
    shipped: Counter[int] = field(default_factory=Counter)
    events: list[str] = field(default_factory=lambda: ["order.placed"])
    open: list[Open] = field(default_factory=list)
    asked_at: datetime | None = None  # of the open request
    passed_on: bool = False
    told: bool = False

    def remaining(self) -> dict[int, int]:
        left = {pk: units - self.shipped[pk] for pk, units in self.bought.items()}
        return {pk: units for pk, units in left.items() if units}

    @property
    def confirming(self) -> bool:
        return any(one.purpose == "capture" for one in self.open)

    def ship(self, units: dict[int, int]) -> None:
        self.shipped.update(units)
        self.packages += 1
        self.status = "partially_shipped" if self.remaining() else "shipped"
        self.events.append("order.shipment_confirmed")
        if self.asked_at is not None:
            self.answered("order.request_closed")

    def charge(self, units: dict[int, int]) -> None:
        self.charged, self.payment = True, "captured"
        self.ship(units)

    def end(self, event: str, payment: str = "voided") -> None:
        self.status, self.payment = "cancelled", payment
        self.events.append(event)
        self.open.append(Open("void"))
        self.asked_at = None

    def answered(self, event: str) -> None:
        self.asked_at = None
        self.events.append(event)

    def reserve(self, parts: dict[tuple[int, str], Decimal], sign: int = 1) -> None:
        for place, amount in parts.items():
            self.left[place] -= sign * amount
            self.refunded += sign * amount

    def refund_ends(self, parts: dict[tuple[int, str], Decimal], succeeded: bool) -> None:
        self.events.append("order.refund_completed" if succeeded else "order.refund_failed")
        if not succeeded:
            self.reserve(parts, -1)


class Lives(RuleBasedStateMachine):
    """A shop with an unshipped, a part-shipped, a shipped order, its clock and its gateway."""

    @initialize()
    def open_the_shop(self) -> None:
        self.now = datetime(2026, 3, 1, 9, tzinfo=UTC)
        self.whole = transaction.atomic()
        self.whole.__enter__()
        self.shop = MerchantFactory()
        self.listing = ListingFactory(merchant=self.shop, quantity_available=STOCK)
        StockChange.objects.create(
            merchant=self.shop,
            listing=self.listing,
            cause="import",
            before=0,
            after=STOCK,
            changed_at=self.now,
        )
        self.models: list[Model] = []
        self.told: list[tuple[Model, Callable[[], Any], Any]] = []
        self.sent = 0
        for quantities in ([3], [2, 1], [1]):
            self.place(quantities, verified=True)
        self.confirm(1, "some", "ok", stale=False)
        self.confirm(2, "all", "ok", stale=False)

    def teardown(self) -> None:
        if hasattr(self, "whole"):
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)

    # What is asked ------------------------------------------------------------------------------

    def order(self, which: int) -> Model:
        return self.models[which % len(self.models)]

    def once(self) -> Once:
        self.sent += 1
        return Once(f"token-{self.sent}", "as typed")

    def answer(self, verb: Callable[[], Any]) -> Any:
        """Do something now; return what it led to, or the code it was refused with."""
        with clock.stopped(self.now):
            try:
                outcome = verb()
            except Refused as refused:
                return refused.code
        return outcome.code if isinstance(outcome, Refusal) else outcome

    def set_mood(self, model: Model, mood: str, purpose: str) -> None:
        model.mood = mood
        token = TOKENS.get(mood, f"{purpose}-fails")
        Payment.objects.filter(pk=model.pk).update(token=token)

    @rule(
        step=st.one_of(
            st.tuples(st.just(name), st.fixed_dictionaries(STEPS[name]))
            for name in (*STEPS, *OFTEN)
        )
    )
    def something_happens(self, step: tuple[str, dict[str, Any]]) -> None:
        name, how = step
        getattr(self, name)(**how)

    def place(self, quantities: list[int], verified: bool) -> None:
        if len(self.models) == 4:
            return
        lines = [
            ItemDraft(self.listing.sku, units, {c: each * units for c, each in AMOUNTS.items()})
            for units in quantities
        ]
        with clock.stopped(self.now):
            asked = draft(self.shop, lines=lines, age=timedelta(0))
            order = placing.place_order(merchant_id=self.shop.pk, draft=asked, by=SHOP)
        items = {item.pk: item for item in order.items.all()}
        left = {
            (pk, box): amounts.maximum(item, box) for pk, item in items.items() for box in BOXES
        }
        bought = {pk: item.quantity_purchased for pk, item in items.items()}
        self.models.append(Model(order.pk, bought, left, order.purchased_at, order.deadline_at))
        if verified:
            self.verify(self.models[-1], good=True)

    def the_gateway_has_verified(self, which: int, good: bool) -> None:
        self.verify(self.order(which), good)

    def verify(self, model: Model, good: bool) -> None:
        outcome = VerificationOutcome.VERIFIED if good else VerificationOutcome.DECLINED
        answers = {model.pk: Verification(outcome)}
        self.answer(partial(verification.settle_verifications, answers, by=GATEWAY))
        if model.status != "pending":
            return
        if good:
            model.status, model.payment = "unshipped", "authorised"
            model.events.append("order.verified")
        else:
            model.end("order.payment_refused", "declined")

    def confirm(self, which: int, how: str, mood: str, stale: bool) -> None:
        model = self.order(which)
        self.set_mood(model, mood, "capture")
        units = model.remaining()
        if how == "some":
            units = dict(list(units.items())[:1])
            units = {pk: max(1, count - 1) for pk, count in units.items()}
        asked = {pk: count + 1 for pk, count in units.items()} if how == "too many" else units
        wanted = shipments.Confirmation(
            model.pk,
            Package(self.now.date(), "Royal Mail"),
            quantities=None if how == "all" else asked or {next(iter(model.bought)): 1},
            despite_request=True,
            seen=0 if stale else None,
            once=self.once(),
        )
        verb = partial(shipments.confirm_shipment, wanted=wanted, by=STAFF)

        answer = self.answer(verb)

        expected = self.confirm_refused(model, how, stale)
        if expected:
            assert answer == expected
        elif model.charged:
            model.ship(units)
        elif mood == "ok":
            model.charge(units)
        elif mood == "fails":
            assert answer == "PAYMENT_CAPTURE_FAILED"
            model.payment = "capture_failed"
            model.events.append("order.capture_failed")
        else:
            assert answer == "CONFIRMATION_IN_PROGRESS"
            model.open.append(Open("capture", mood == "lost", units))
        if not expected and not model.confirming:
            self.told.append((model, verb, answer))

    def confirm_refused(self, model: Model, how: str, stale: bool) -> str:
        if model.confirming:
            return "CONFIRMATION_IN_PROGRESS"
        if model.status in ("pending", "cancelled"):
            return f"ORDER_{model.status.upper()}"
        if model.status == "shipped":
            return "ORDER_ALREADY_SHIPPED"
        if model.status == "unshipped" and self.now >= model.deadline_at:
            return "CONFIRMATION_PERIOD_ENDED"
        if stale:
            return "STALE_ORDER"
        return "QUANTITY_EXCEEDED" if how == "too many" else ""

    def cancel(self, which: int, who: str) -> None:
        model = self.order(which)
        if who == "operator":
            self.operator_cancels(model)
        elif who == "buyer":
            self.buyer_cancels(model)
        else:
            self.merchant_cancels(model, stale=who != "merchant")

    def merchant_cancels(self, model: Model, stale: bool) -> None:
        wanted = cancellations.CancelRequest(
            model.pk,
            CancelReason.PRICING_ERROR,
            seen=0 if stale else None,
            once=self.once(),
        )
        verb = partial(cancellations.cancel_order, wanted=wanted, by=STAFF)
        answer = self.answer(verb)
        refused = {
            "pending": "ORDER_PENDING",
            "cancelled": "ORDER_CANCELLED",
            "shipped": "ORDER_ALREADY_SHIPPED",
            "partially_shipped": "ORDER_PARTIALLY_SHIPPED",
            "unshipped": "STALE_ORDER" if stale else "",
        }[model.status]
        if self.cancelled(model, answer, refused, "order.cancelled"):
            self.told.append((model, verb, answer))

    def operator_cancels(self, model: Model) -> None:
        by = Actor("operator", "Olive")
        cancel = cancellations.cancel_for_platform
        answer = self.answer(partial(cancel, order_id=model.pk, note="Fraud", by=by))
        refused = "" if model.status == "unshipped" else "INVALID_TRANSITION"
        self.cancelled(model, answer, refused, "order.operator_cancelled")

    def buyer_cancels(self, model: Model) -> None:
        by = Actor("buyer", "the buyer")
        answer = self.answer(partial(cancellations.cancel_for_buyer, order_id=model.pk, by=by))
        refused = "INVALID_TRANSITION"
        if model.status == "pending":
            refused = ""
        elif model.status == "unshipped":
            in_time = self.now < model.purchased_at + timedelta(minutes=5)
            refused = "" if in_time else "CANCEL_WINDOW_CLOSED"
        self.cancelled(model, answer, refused, "order.buyer_cancelled")

    def ask(self, which: int, what: str) -> None:
        """The buyer asks for the end, or its merchant answers, or the buyer turns elsewhere."""
        model = self.order(which)
        by, overdue = Actor("buyer", "the buyer"), model.asked_at or self.now
        overdue += timedelta(hours=48)
        if what == "file":
            reason = RequestReason.OTHER
            verb = partial(requests.file_request, order_id=model.pk, reason=reason, by=by)
            refused, event = self.file_refused(model), "order.request_filed"
        elif what == "pass on":
            verb = partial(requests.escalate, order_id=model.pk, by=by)
            refused, event = self.pass_on_refused(model, overdue), "order.request_escalated"
        elif what == "accept":
            verb = partial(
                cancellations.accept_request, order_id=model.pk, by=STAFF, seen=None, once=None
            )
            refused, event = self.answer_refused(model), "order.cancelled"
        else:
            verb = partial(requests.decline, order_id=model.pk, answer="No.", by=STAFF)
            refused, event = self.answer_refused(model), "order.request_declined"

        answer = self.answer(verb)

        again = what == "pass on" and model.asked_at is not None and model.passed_on
        if refused and not again:
            assert answer == refused
            return
        assert not isinstance(answer, str), answer
        if again:
            return
        if what == "accept":
            model.end(event)
        elif what == "decline":
            model.answered(event)
        else:
            model.events.append(event)
            model.passed_on = what == "pass on"
            if what == "file":
                model.asked_at, model.told = self.now, False

    def file_refused(self, model: Model) -> str:
        if model.confirming:
            return "CONFIRMATION_IN_PROGRESS"
        if model.status != "unshipped":
            return "INVALID_TRANSITION"
        if self.now < model.purchased_at + timedelta(minutes=5):
            return "INVALID_TRANSITION"
        return "CANCELLATION_REQUESTED" if model.asked_at is not None else ""

    def pass_on_refused(self, model: Model, overdue: datetime) -> str:
        if model.confirming:
            return "CONFIRMATION_IN_PROGRESS"
        if model.status != "unshipped":
            return "INVALID_TRANSITION"
        waits = model.asked_at is not None and not model.passed_on
        return "" if waits and self.now >= overdue else "NO_OPEN_REQUEST"

    def answer_refused(self, model: Model) -> str:
        if model.confirming:
            return "CONFIRMATION_IN_PROGRESS"
        refused = {
            "pending": "ORDER_PENDING",
            "cancelled": "ORDER_CANCELLED",
            "shipped": "ORDER_ALREADY_SHIPPED",
            "partially_shipped": "ORDER_PARTIALLY_SHIPPED",
        }
        if model.status != "unshipped":
            return refused[model.status]
        return "" if model.asked_at is not None else "NO_OPEN_REQUEST"

    def edit(self, which: int, units: int, mood: str, stale: bool) -> None:
        """The buyer wants another number of units of the first item, zero being none at all."""
        model = self.order(which)
        self.set_mood(model, mood, "authorise")
        item = next(iter(model.bought))
        wanted = edits.Edit(
            model.pk, quantities={item: units}, seen=0 if stale else None, once=self.once()
        )
        by = Actor("buyer", "the buyer")

        answer = self.answer(partial(edits.edit_order, wanted=wanted, by=by))

        refused = self.edit_refused(model, units, stale)
        if refused:
            assert answer == refused
        elif mood == "ok":
            assert isinstance(answer, Order)
            model.events.append("order.buyer_edited")
            model.bought[item] = units
            for box, each in OF_ONE_UNIT.items():
                model.left[item, box] = each * units
            model.open.append(Open("void"))
            if model.payment == "capture_failed":
                model.payment = "authorised"
        elif mood == "fails":
            assert answer == "PAYMENT_NOT_AUTHORISED"
        else:
            assert answer == "GATEWAY_UNAVAILABLE"
            model.open.append(Open("authorise", mood == "lost"))

    def edit_refused(self, model: Model, units: int, stale: bool) -> str:
        if model.confirming:
            return "CONFIRMATION_IN_PROGRESS"
        if model.status not in ("pending", "unshipped"):
            return "INVALID_TRANSITION"
        if self.now >= model.purchased_at + timedelta(minutes=5):
            return "EDIT_WINDOW_CLOSED"
        if stale:
            return "STALE_ORDER"
        same = units == next(iter(model.bought.values()))
        return "INVALID_INPUT" if same or not units else ""

    def the_request_job_runs(self) -> None:
        with clock.stopped(self.now):
            requests.tell_overdue(by=Actor("job", "cancellation-request-limits"))
        for model in self.models:
            waits = model.asked_at is not None and not model.passed_on and not model.told
            if waits and self.now >= model.asked_at + timedelta(hours=48):
                model.told = True
                model.events.append("order.request_overdue")

    def the_deadline_job_runs(self) -> None:
        by = Actor("job", "auto-cancel")
        orders = [model.pk for model in self.models]
        with clock.stopped(self.now):
            outcomes = cancellations.cancel_overdue(order_ids=orders, by=by)
        for model, outcome in zip(self.models, outcomes, strict=True):
            due = model.status == "unshipped" and self.now >= model.deadline_at
            answer = outcome.code if isinstance(outcome, Refusal) else outcome
            refused = "" if due else "INVALID_TRANSITION"
            self.cancelled(model, answer, refused, "order.auto_cancelled")

    def the_warning_job_runs(self) -> None:
        by = Actor("job", "confirmation warnings")
        with clock.stopped(self.now):
            sweeps.run(deadline_warnings.SWEEP, by=by)
        for model in self.models:
            early = self.now < model.deadline_at - timedelta(days=5)
            if model.status == "unshipped" and not model.confirming and not early:
                warned = "order.confirmation_warned" in model.events
                if self.now < model.deadline_at and not warned:
                    model.events.append("order.confirmation_warned")

    def cancelled(self, model: Model, answer: Any, refused: str, event: str) -> bool:
        if model.confirming:
            refused = "CONFIRMATION_IN_PROGRESS"
        if refused:
            assert answer == refused
            return False
        assert isinstance(answer, Order)
        model.end(event)
        return True

    def refund(self, which: int, how: str, share: tuple[int, int], mood: str, stale: bool) -> None:
        model = self.order(which)
        self.set_mood(model, mood, "refund")
        item = next(iter(model.bought))
        parts = {
            (item, box): (model.left[item, box] * percent / 100).quantize(Decimal("0.01"))
            for box, percent in zip(BOXES, share, strict=True)
        }
        if how == "too much":
            parts = {place: model.left[place] + 1 for place in parts}
        if how == "nothing":
            parts = dict.fromkeys(parts, ZERO)
        asked: amounts.Wanted = amounts.Boxes(
            {item: (parts[item, "item_cost"], parts[item, "delivery"])}
        )
        if how == "everything":
            asked, parts = amounts.Everything(), dict(model.left)
        wanted = refunds.RefundRequest(
            model.pk,
            asked,
            RefundReason.CUSTOMER_RETURN,
            seen=0 if stale else None,
            once=self.once(),
        )
        verb = partial(refunds.refund_order, wanted=wanted, by=STAFF)

        answer = self.answer(verb)

        expected = self.refund_refused(model, how, sum(parts.values()), stale)
        if expected:
            assert answer == expected
            return
        model.reserve(parts)
        model.events.append("order.refund_submitted")
        if mood in ("ok", "fails"):
            model.refund_ends(parts, mood == "ok")
        else:
            model.open.append(Open("refund", mood == "lost", parts=parts))
        self.told.append((model, verb, answer))

    def refund_refused(self, model: Model, how: str, total: Decimal, stale: bool) -> str:
        if model.confirming:
            return "CONFIRMATION_IN_PROGRESS"
        if model.status in ("pending", "cancelled"):
            return f"ORDER_{model.status.upper()}"
        if not model.charged:
            return "NOT_CHARGED"
        if not sum(model.left.values()):
            return "REFUND_LIMIT"
        if stale:
            return "STALE_ORDER"
        if how == "too much":
            return "REFUND_LIMIT"
        return "" if total else "INVALID_INPUT"

    # What time and the gateway bring ------------------------------------------------------------

    def time_goes_by(self, step: timedelta) -> None:
        self.now += step

    def what_is_open_is_settled(self) -> None:
        self.now += timedelta(seconds=61)
        with clock.stopped(self.now):
            settling.settle_open_operations(by=GATEWAY)
        for model in self.models:
            for one in list(model.open):
                self.settled(model, one)

    def settled(self, model: Model, one: Open) -> None:
        if one.purpose == "capture":
            model.open.remove(one)
            if one.done:
                model.charge(one.units)
            else:
                model.events.append("order.confirmation_lapsed")
            return
        if one.purpose == "authorise":  # a change nobody finished never happens
            model.open.remove(one)
            if one.done:
                model.open.append(Open("void"))
            return
        if not one.done and model.mood in ("lost", "away"):
            one.done = model.mood == "lost"  # done now, but nobody was told
            return
        model.open.remove(one)
        if one.purpose == "void":
            model.events.append("order.voided")
        else:
            failing = model.mood == "fails" and self.token(model) == "refund-fails"
            model.refund_ends(one.parts, one.done or not failing)

    def token(self, model: Model) -> str:
        return Payment.objects.values_list("token", flat=True).get(pk=model.pk)

    def a_form_is_sent_again(self, which: int) -> None:
        """The back button, long after: the first answer, and nothing happens."""
        if not self.told:
            return
        model, verb, first = self.told[which % len(self.told)]
        if not model.confirming:
            assert self.answer(verb) == first

    # What holds after each step -----------------------------------------------------------------

    @invariant()
    def the_orders_are_as_the_model_says(self) -> None:
        for model in getattr(self, "models", []):
            order = Order.objects.get(pk=model.pk)
            items = {item.pk: item for item in order.items.all()}
            assert (order.status, order.payment_state) == (model.status, model.payment)
            assert {pk: i.quantity_shipped for pk, i in items.items()} == {
                pk: model.shipped[pk] for pk in model.bought
            }
            assert order.shipments.count() == model.packages
            assert (order.charged_at is not None) == model.charged
            assert order.refunded_total == model.refunded
            assert {
                (pk, box): amounts.maximum(item, box) for pk, item in items.items() for box in BOXES
            } == model.left
            lines = order.history.order_by("number").values_list("event", flat=True)
            assert Counter(lines) == Counter(model.events)
            assert order.version == 1 + sum(event not in STANDING for event in model.events)
            self.money_is_as_the_model_says(model, order)
            owed = [kind for event in model.events for kind in OWED.get(event, [])]
            if {"order.verified", "order.buyer_cancelled"} <= set(model.events):
                owed.append("N37")  # the merchant has, or would have, heard of the sale
            assert sorted(order.messages_owed.values_list("kind", flat=True)) == sorted(owed)

    def money_is_as_the_model_says(self, model: Model, order: Order) -> None:
        sums = dict(
            LedgerLine.objects.filter(order=order).values_list("kind").annotate(sum=Sum("amount"))
        )
        given_back = sums.get("refund", ZERO) + sums.get("refund_returned", ZERO)
        assert sums.get("charge", ZERO) == (order.total if model.charged else ZERO)
        assert -given_back == model.refunded
        keys = Operation.objects.filter(order=order).values("key")
        books = SandboxEntry.objects.filter(key__in=keys, act="capture", succeeded=True)
        charged = model.charged or any(o.done for o in model.open if o.purpose == "capture")
        assert books.count() == int(charged)

    @invariant()
    def units_and_invariants_hold(self) -> None:
        if not hasattr(self, "models"):
            return
        gone = sum(sum(m.bought.values()) for m in self.models if m.status != "cancelled")
        self.listing.refresh_from_db()
        assert self.listing.quantity_available == STOCK - gone
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would check
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        found = invariants.verify(merchant_id=self.shop.pk)
        assert not [row for rows in found.values() for row in rows]


@pytest.mark.model
@pytest.mark.req("INV-01", "INV-02", "INV-03", "INV-04", "INV-05", "INV-06", "INV-09", "INV-10")
@pytest.mark.req("T01", "T02", "T03", "T04", "T05", "T06", "T07", "T08", "T09", "T10", "T11", "T12")
@pytest.mark.req("T13", "BUYERCANCEL-01", "BUYERCANCEL-04", "BUYERCANCEL-07", "F14", "F15")
def test_whole_lives_of_orders_agree_with_the_model(db):
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=LENGTH,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
