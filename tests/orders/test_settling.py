"""A gateway that is away, an answer that is lost, a process killed on the way: one right end."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from audit.domain import digests
from audit.domain.submissions import Once
from audit.models import Entry, Submission
from catalog.models import StockChange
from core import clock
from core.money import Money
from core.refusal import Refused
from orders.domain import cancellations, edits, invariants, refunds, settling, shipments
from orders.domain.amounts import Everything
from orders.domain.packages import Package
from orders.enums import CancelReason, RefundReason
from orders.models import Order
from payments.domain import operations
from payments.gateways import CLOSED, Answer, gateway, sandbox
from payments.models import Operation, Payment, SandboxEntry
from tests.buyers import BUYER, file_request
from tests.factories import GATEWAY, PLAIN, STAFF, ItemDraft, shipped_order, unshipped_order
from tests.factories import refund as give_back
from tests.killed import POINTS
from tests.outsiders import forms_ready
from tests.pages import form_of, kinds, snapshot, words

SENTENCE = "This order is being confirmed right now"


def confirm(order: Order, once: Once | None = None):
    package = Package(clock.now().date(), "Royal Mail")
    wanted = shipments.Confirmation(order.pk, package, once=once)
    return shipments.confirm_shipment(wanted=wanted, by=STAFF)


def try_to_confirm(order: Order) -> str:
    with pytest.raises(Refused) as refused:
        confirm(order)
    return refused.value.code


def cancel(order: Order) -> None:
    wanted = cancellations.CancelRequest(order.pk, CancelReason.NO_INVENTORY)
    cancellations.cancel_order(wanted=wanted, by=STAFF)


def settle_after_the_lease() -> list[settling.Settled]:
    with clock.stopped(clock.now() + operations.LEASE + timedelta(seconds=1)):
        return settling.settle_open_operations(by=GATEWAY)


def buyer_pays_with(order: Order, token: str) -> None:
    Payment.objects.filter(pk=order.pk).update(token=token)


def asked_of_the_gateway(operation: Operation, token: str) -> Answer:
    """Carry out an operation at the gateway, as a call does that was long on its way."""
    amount = Money(operation.amount, operation.currency)
    return gateway().capture(key=operation.key, token=token, amount=amount, at=clock.now())


def books(order: Order, act: str) -> list[Decimal]:
    """What the gateway did for an order, by its own books."""
    keys = Operation.objects.filter(order=order).values("key")
    done = SandboxEntry.objects.filter(key__in=keys, act=act, succeeded=True)
    return list(done.values_list("amount", flat=True))


def command(name: str, *args: str) -> tuple[int, str]:
    """Run a command; return its exit status and what it said."""
    said = io.StringIO()
    try:
        call_command(name, *args, stdout=said)
    except SystemExit as ended:
        return int(ended.code or 0), said.getvalue()
    return 0, said.getvalue()


def found(order: Order) -> list[object]:
    rows = invariants.verify(merchant_id=order.merchant_id).values()
    wrong = [row for found in rows for row in found]
    return [row for row in wrong if not row.check.startswith("INVENTORY-07")]


# The gateway is away or its answer is lost -----------------------------------------------------


@pytest.mark.req("FT-35", "FT-03", "IMPL-16", "INV-05")
@pytest.mark.parametrize("token", ["unavailable", "answer-lost"])
def test_without_an_answer_the_page_says_that_nothing_need_be_repeated(client, alice, shop, token):
    order = unshipped_order(shop, payment_token=token)
    client.force_login(alice)
    path = f"/orders/{order.number}/confirm-shipment/"
    fields = form_of(client, path) | {"carrier": "UPS", "tracking_id": "MINE"}

    answer = client.post(path, fields)

    assert answer.status_code == 409
    assert "You need not repeat anything" in words(answer)
    page = words(client.get(f"/orders/{order.number}/"))
    assert SENTENCE in page
    order.refresh_from_db()
    assert (order.status, order.charged_at, order.shipments.count()) == ("unshipped", None, 0)
    assert "N05" not in kinds(order)


@pytest.mark.req("FT-35", "INV-05", "IMPL-16")
def test_a_gateway_without_an_answer_is_not_waited_for_twice(shop):
    """Only the second of a double click waits for the first; the first has nobody to wait for."""
    order = unshipped_order(shop, payment_token="unavailable")
    started = time.monotonic()

    with pytest.raises(Refused) as refused:
        confirm(order, Once("token", "as typed"))

    assert refused.value.code == "CONFIRMATION_IN_PROGRESS"
    assert time.monotonic() - started < 4


@pytest.mark.req("INV-05", "FT-03", "CANCEL-03")
@pytest.mark.parametrize("token", ["unavailable", "answer-lost"])
def test_meanwhile_nothing_else_happens_to_the_order(client, alice, shop, token):
    order = unshipped_order(shop, payment_token=token, age=timedelta(0))
    assert try_to_confirm(order) == "CONFIRMATION_IN_PROGRESS"
    client.force_login(alice)
    before = snapshot(order)

    answer = client.post(f"/orders/{order.number}/cancel/", {"reason": "NoInventory"})
    assert answer.status_code == 409
    assert "is being confirmed right now" in words(answer)
    for act in (
        confirm,
        cancel,
        give_back,
        lambda o: cancellations.cancel_for_platform(order_id=o.pk, note="Fraud", by=GATEWAY),
        lambda o: cancellations.cancel_for_buyer(order_id=o.pk, by=GATEWAY),
    ):
        with pytest.raises(Refused) as refused:
            act(order)
        assert refused.value.code == "CONFIRMATION_IN_PROGRESS"
    late = {order.pk: order.deadline_at}
    (skipped,) = cancellations.cancel_overdue(order_ids=[order.pk], by=GATEWAY, at=late)
    assert skipped.code == "CONFIRMATION_IN_PROGRESS"
    assert snapshot(order) == before


@pytest.mark.req("FT-03", "FT-35", "IMPL-16", "SHIP-09", "INV-02", "INV-06")
def test_a_lost_answer_is_asked_for_and_never_paid_for_again(shop):
    order = unshipped_order(shop, payment_token="answer-lost")
    assert try_to_confirm(order) == "CONFIRMATION_IN_PROGRESS"
    assert settling.settle_open_operations(by=GATEWAY) == []  # whoever called may still be at it

    (settled,) = settle_after_the_lease()

    order.refresh_from_db()
    assert settled.outcome == "done"
    assert (order.status, order.payment_state) == ("shipped", "captured")
    assert books(order, "capture") == [order.total]
    assert order.shipments.get().confirmed_by == STAFF.name
    assert kinds(order).count("N05") == 1
    assert settle_after_the_lease() == []
    assert found(order) == []


@pytest.mark.req("FT-03", "FT-35", "IMPL-16", "INV-05")
def test_a_charge_nobody_heard_of_sets_the_order_free(shop):
    """It is closed at the gateway: a call that comes late charges nothing."""
    order = unshipped_order(shop, payment_token="unavailable")
    assert try_to_confirm(order) == "CONFIRMATION_IN_PROGRESS"
    lost = Operation.objects.get(order=order)
    assert [one.outcome for one in settle_after_the_lease()] == ["failed"]
    order.refresh_from_db()
    assert (order.status, order.payment_state) == ("unshipped", "authorised")
    assert "N35" not in kinds(order)  # the buyer has nothing to mend

    buyer_pays_with(order, "ok")
    late = asked_of_the_gateway(lost, "ok")
    assert (late.succeeded, late.code) == (False, CLOSED)
    confirm(order)

    order.refresh_from_db()
    assert (order.status, books(order, "capture")) == ("shipped", [order.total])
    assert found(order) == []


@pytest.mark.req("FT-03", "SHIP-11", "F12", "INV-05")
def test_a_charge_that_proves_declined_sets_the_order_free(shop):
    order = unshipped_order(shop, payment_token="unavailable")
    assert try_to_confirm(order) == "CONFIRMATION_IN_PROGRESS"
    assert not asked_of_the_gateway(Operation.objects.get(order=order), "capture-fails").succeeded

    assert [one.outcome for one in settle_after_the_lease()] == ["failed"]

    order.refresh_from_db()
    assert (order.status, order.payment_state) == ("unshipped", "capture_failed")
    assert "N35" in kinds(order)
    assert not order.shipments.exists()
    cancel(order)
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert found(order) == []


@pytest.mark.req("FT-03", "REFUND-12", "INV-01")
@pytest.mark.parametrize(
    ("token", "state", "left"), [("ok", "completed", 0), ("refund-fails", "failed", 12)]
)
def test_an_open_refund_holds_its_amount_until_the_gateway_answers(shop, token, state, left):
    order = shipped_order(shop)
    buyer_pays_with(order, "unavailable")
    refund = give_back(order)
    assert refund.state == "submitted"
    with pytest.raises(Refused) as refused:
        give_back(order, "0.01")
    assert refused.value.code == "REFUND_LIMIT"

    buyer_pays_with(order, token)
    settle_after_the_lease()

    refund.refresh_from_db()
    order.refresh_from_db()
    assert (refund.state, order.remaining_total) == (state, Decimal(left))
    assert len(books(order, "refund")) == (1 if state == "completed" else 0)
    assert found(order) == []


@pytest.mark.req("FT-36", "INV-02")
def test_the_first_final_outcome_wins(shop):
    """The gateway says later that it failed after all: no money moves, reconcile tells."""
    order = unshipped_order(shop)
    confirm(order)
    operation = Operation.objects.get(order=order, purpose="capture")
    order.refresh_from_db()
    before = snapshot(order)

    assert settling.settle(operation, by=GATEWAY).outcome == "done"
    with sandbox._cursor() as cursor:
        cursor.execute(
            "UPDATE payments_sandboxentry SET succeeded = false WHERE key = %s", [operation.key]
        )
    settling.settle(operation, by=GATEWAY)

    assert snapshot(order) == before
    status, said = command("reconcile")
    assert status == 1
    assert f"differs: capture of {order.number}: done here, failed there" in said


@pytest.mark.req("FT-35", "AUTO-11", "INV-11")
def test_an_operation_without_an_answer_keeps_no_other_waiting(shop):
    silent, other = unshipped_order(shop, payment_token="unavailable"), unshipped_order(shop)
    cancel(silent)
    cancel(other)

    asked = [settling.settle_open_operations(by=GATEWAY, limit=1) for _ in range(3)]

    assert [[one.outcome for one in run] for run in asked] == [["no answer"], ["done"], []]
    assert Operation.objects.get(order=other).state == "done"
    assert [one.outcome for one in settle_after_the_lease()] == ["no answer"]  # and once more


@pytest.mark.req("AUTO-11", "FT-03")
def test_an_operation_that_cannot_be_finished_stops_no_other(shop, caplog):
    broken, other = (unshipped_order(shop, payment_token="answer-lost") for _ in range(2))
    for order in (broken, other):
        assert try_to_confirm(order) == "CONFIRMATION_IN_PROGRESS"
    Operation.objects.filter(order=broken).update(plan={})

    settled = settle_after_the_lease()

    other.refresh_from_db()
    assert [one.outcome for one in settled] == ["error", "done"]
    assert other.status == "shipped"
    assert "settling.failed" in caplog.text
    with clock.stopped(clock.now() + timedelta(minutes=5)):
        assert command("reconcile")[0] == 1


@pytest.mark.req("IMPL-15")
def test_acts_do_not_wait_for_mail_queue_and_cache(client, alice, shop, settings):
    """Only the gateway can stop an act: everything else is away here, and is owed."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }
    client.force_login(alice)
    ready = forms_ready(client, shop)
    acts = {"confirm-shipment": ("shipped", "N05"), "cancel": ("cancelled", "N06"),
            "refund": ("shipped", "N10")}  # fmt: skip
    for address, fields in ready.items():
        act = address.split("/")[-2]
        if act in acts:
            assert client.post(address, fields).status_code == 302
            order = Order.objects.get(number=address.split("/")[2])
            assert (order.status, kinds(order).count(acts[act][1])) == (acts[act][0], 1)
            owed = order.messages_owed.get(kind=acts[act][1])
            assert owed.state == "queued"


# The commands say so ---------------------------------------------------------------------------


@pytest.mark.req("FT-03", "IMPL-16", "INV-02")
def test_reconcile_finishes_what_is_open_and_tells(shop):
    order = unshipped_order(shop, payment_token="answer-lost")
    try_to_confirm(order)
    status, said = command("reconcile", "--dry-run")
    assert (status, "1 open" in said, "open: capture 1 of order" in said) == (1, True, True)
    assert not order.shipments.exists()

    with clock.stopped(clock.now() + timedelta(minutes=2)):
        status, said = command("reconcile")

    assert (status, "done" in said, "0 open, 0 different" in said) == (0, True, True)
    assert order.shipments.count() == 1
    assert command("reconcile", "--dry-run")[0] == 0


@pytest.mark.req("FT-35")
def test_reconcile_tells_that_the_gateway_does_not_answer(shop):
    order = shipped_order(shop)
    buyer_pays_with(order, "unavailable")
    give_back(order)
    with clock.stopped(clock.now() + timedelta(minutes=2)):
        status, said = command("reconcile")
    assert (status, "no answer" in said, "1 open" in said) == (1, True, True)


@pytest.mark.req("INV-01", "INV-04", "INV-09", "INV-10", "TH-56")
def test_the_invariants_hold_and_a_broken_one_is_named(shop):
    """Each check but those that the database makes impossible is broken once, by hand."""
    order = shipped_order(shop, quantity=2)
    give_back(order, "1.00")
    listing = order.items.get().listing
    file_request(unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)]))
    StockChange.objects.create(
        merchant=shop, listing=listing, cause="import", before=0, after=1000, changed_at=clock.now()
    )
    digests.digest_history()
    status, said = command("verify_invariants", "--merchant", shop.slug)
    assert (status, "VIOLATED" in said) == (0, False), said

    breaks = {
        "INV-01 refund counters agree": "UPDATE orders_item SET refunded_item_price = 2",
        "INV-01 an order gives back what its items": "UPDATE orders_order SET refunded_total = 3",
        "INV-01 an order gives back what its refunds": "UPDATE orders_refund SET total = 2, item_cost = 2",
        "INV-02 what was charged": "UPDATE payments_operation SET amount = 1",
        "INV-03 an order's total": "UPDATE orders_order SET item_count = 7",
        "INV-03 the ledger's charges": "UPDATE payments_ledgerline SET amount = 1 WHERE kind = 'charge'",
        "INV-04": """UPDATE audit_entry SET after = '{"status": "pending"}'""",
        "INV-05 every cancelled": "UPDATE orders_order SET status = 'cancelled', cancelled_at = now()",
        "INV-05 no cancelled": "UPDATE orders_order SET status = 'cancelled', cancelled_at = now()",
        "BUYERCANCEL-07": "UPDATE orders_buyerrequest SET order_id = (SELECT id FROM orders_order WHERE status = 'shipped' LIMIT 1)",
        "INV-06": "UPDATE orders_shipmentline SET quantity = 1",
        "INV-09": "DELETE FROM notifications_outbox",
        "INV-10": "UPDATE audit_entry SET number = number + 1000",
        "TH-56": "UPDATE audit_entry SET actor = 'nobody'",
        "INVENTORY-07": "UPDATE catalog_listing SET quantity_available = 5",
    }
    for name, statement in breaks.items():
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT whole")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET session_replication_role = replica")  # triggers and keys are off
            cursor.execute("ALTER TABLE orders_order DROP CONSTRAINT cancelled_is_never_charged")
            cursor.execute(statement)
            status, said = command("verify_invariants", "--merchant", shop.slug)
            cursor.execute("ROLLBACK TO SAVEPOINT whole")
        assert status == 1
        assert [line for line in said.splitlines() if "VIOLATED" in line and name in line], said


# Killed on the way -----------------------------------------------------------------------------


def kill(*work: tuple[str, Order, str]) -> None:
    """Run acts in processes that are killed, each with the point as its token."""
    lines = [[act, order.pk, point, point] for act, order, point in work]
    database = settings.DATABASES["default"] | connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    env = dict(os.environ, DATABASE_URL=url, SHIP_DATE=clock.now().date().isoformat())
    env["DJANGO_SETTINGS_MODULE"] = "sellercentral.settings.test"
    subprocess.run(
        [sys.executable, "-m", "tests.killed"],
        input=json.dumps(lines),
        cwd=settings.BASE_DIR,
        env=env,
        text=True,
        check=True,
        timeout=120,
    )


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.req("FT-01", "FT-02", "FT-03", "INV-02", "IMPL-16", "IMPL-01")
def test_a_confirmation_killed_anywhere_charges_once(client, alice, shop):
    orders = {point: unshipped_order(shop) for point in POINTS}
    kill(*[("confirm", order, point) for point, order in orders.items()])
    client.force_login(alice)
    nothing, *in_between, done = POINTS

    assert not Operation.objects.filter(order=orders[nothing]).exists()
    assert not Submission.objects.filter(token=nothing).exists()
    for point in in_between:
        order = orders[point]
        assert SENTENCE in words(client.get(f"/orders/{order.number}/"))
        with pytest.raises(Refused) as refused:
            cancel(order)
        assert refused.value.code == "CONFIRMATION_IN_PROGRESS"
    assert [bool(books(orders[point], "capture")) for point in POINTS] == [False] * 3 + [True] * 3
    assert command("reconcile", "--dry-run")[0] == 1

    settled = settle_after_the_lease()

    assert [one.outcome for one in settled] == ["failed", "failed", "done", "done"]
    for point, order in orders.items():
        once = Once(point, "as typed")
        if not books(order, "capture") and point != nothing:
            with pytest.raises(Refused) as refused:  # the same form, sent again
                confirm(order, once)
            assert "nobody was charged" in refused.value.refusal.message
            once = Once(f"{point}, the page opened again", "as typed")
        first = confirm(order, once)
        order.refresh_from_db()
        assert (order.status, order.shipments.get()) == ("shipped", first)
        assert books(order, "capture") == [order.total]
        assert kinds(order).count("N05") == 1
        events = Entry.objects.filter(order=order, event="order.shipment_confirmed")
        assert events.count() == 1
    assert found(orders[done]) == []
    assert command("reconcile")[0] == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.req("FT-01", "FT-02", "FT-03", "INV-01", "INV-02", "IMPL-16", "IMPL-01")
def test_a_refund_killed_anywhere_pays_once(shop):
    orders = {point: shipped_order(shop) for point in POINTS}
    kill(*[("refund", order, point) for point, order in orders.items()])
    nothing, *in_between, done = POINTS

    assert not orders[nothing].refunds.exists()
    for point in in_between:
        assert orders[point].refunds.get().state == "submitted"
        with pytest.raises(Refused) as refused:
            give_back(orders[point])
        assert refused.value.code == "REFUND_LIMIT"
    assert orders[done].refunds.get().state == "completed"

    assert {one.outcome for one in settle_after_the_lease()} == {"done"}

    for point, order in orders.items():
        asked = refunds.RefundRequest(
            order.pk,
            Everything(),
            RefundReason.CUSTOMER_RETURN,
            expected_refunded=Decimal(0),
            once=Once(point, "as typed"),
        )
        refund = refunds.refund_order(wanted=asked, by=STAFF)
        assert (refund.state, order.refunds.get()) == ("completed", refund)
        assert books(order, "refund") == [order.total]
        assert kinds(order).count("N10") == 1
    assert found(orders[done]) == []
    assert command("reconcile")[0] == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.req("FT-01", "FT-02", "FT-03", "BUYERCANCEL-01", "INV-02", "IMPL-16", "IMPL-01")
def test_a_change_killed_anywhere_is_made_whole_or_not_at_all(client, shop):
    orders = {point: unshipped_order(shop, quantity=2, age=timedelta(0)) for point in POINTS}
    kill(*[("change", order, point) for point, order in orders.items()])
    nothing, done = POINTS[0], POINTS[-1]

    assert not Operation.objects.filter(order=orders[nothing]).exists()
    for point in POINTS:
        units = orders[point].items.get().quantity_purchased
        assert units == (3 if point == done else 2), point

    outcomes = [one.outcome for one in settle_after_the_lease()]
    assert sorted(outcomes) == ["done", "done", "done", "failed", "failed"]  # with the old hold
    assert {one.outcome for one in settle_after_the_lease()} == {"done"}  # what no change came of

    for point, order in orders.items():
        once = Once(point, "as typed")
        wanted = edits.Edit(order.pk, quantities={order.items.get().pk: 3}, once=once)
        changed = edits.edit_order(wanted=wanted, by=BUYER)  # the same form, sent again
        order.refresh_from_db()
        assert changed == order
        assert (order.quantity_purchased, order.total) == (3, Decimal("18.00"))
        assert order.history.filter(event="order.buyer_edited").count() == 1
        settle_after_the_lease()
        held = Decimal("12.00") + sum(books(order, "authorise")) - sum(books(order, "void"))
        assert held == order.total
    assert found(orders[done]) == []
    assert command("reconcile")[0] == 0
