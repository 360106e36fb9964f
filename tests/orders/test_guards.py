"""What the database refuses by itself, whatever code asks it (reliability 1.6)."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import permutations

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from django.db.models import ProtectedError

from accounts.models import (
    EmailChange,
    Grant,
    Holiday,
    Invitation,
    Membership,
    SecurityQuestion,
)
from audit.domain import digests
from audit.models import HistoryDigest
from catalog.models import StockChange
from core import clock
from core.actor import Actor
from notifications.models import Outbox
from orders.domain import invariants, notes, requests
from orders.domain.moves import MOVES
from orders.enums import COMPONENTS, OrderStatus, RequestReason
from orders.models import Item, Order
from payments.models import GatewayEvent, LedgerLine, Operation
from tests.factories import (
    AMOUNTS,
    STAFF,
    MembershipFactory,
    MerchantFactory,
    cancelled_order,
    pending_order,
    shipped_order,
    unshipped_order,
)
from tests.factories import refund as give_back
from tests.orders.offences import (
    CASES,
    GROUPS,
    TRIGGERS,
    Case,
    copy,
    item_copy,
    named,
    offend,
    offend_all,
)

OURS = ("accounts", "audit", "catalog", "core", "notifications", "orders", "payments")

# Triggers that refuse nothing: they keep rows beside the orders (test_tallies.py, and
# tests/reports/test_schedule.py).
KEEPERS = {
    *("tally_new_orders", "tally_moved_orders"),
    *("order_placed_verified_waits", "order_verified_waits"),
}

# Keys that hold nothing by themselves: composite foreign keys refer to them.
REFERRED_TO = {
    "order_belongs_to_its_merchant",
    "order_can_be_pinned",
    "item_belongs_to_its_order",
    "user_can_be_pinned",
}


@pytest.fixture
def world(shop):
    """One row of everything, as life makes them; the history seems to be of an earlier day."""
    owner = MembershipFactory(merchant=shop, user__email="owner@shop.example", is_owner=True)
    reader = MembershipFactory(merchant=shop)
    other = MerchantFactory()
    sandbox = MerchantFactory(is_sandbox=True, clock_ahead="02:00:00")
    money = AMOUNTS | {"shipping_promotion": Decimal("1.00")}
    order = unshipped_order(shop, amounts=money, merchant_order_number="HH-1", quantity=2)
    shipped = shipped_order(shop, amounts=money)
    refund = give_back(shipped, "10.00")
    cancelled = cancelled_order(shop)
    pending_order(shop)
    asked = unshipped_order(shop)
    request = requests.file_request(
        order_id=asked.pk, reason=RequestReason.OTHER, by=Actor("buyer", "the buyer")
    )
    notes.add_note(order_id=order.pk, text="Ring twice", by=STAFF)
    shipment = shipped.shipments.get()
    GatewayEvent.objects.create(
        event="e-1", order=order, merchant=shop, state="verified", received_at=order.purchased_at
    )
    lines = LedgerLine.objects.filter(order=shipped)
    operations = Operation.objects.filter(order=shipped)
    holiday = Holiday.objects.create(marketplace=shop.marketplace, date="2026-12-28")
    now = clock.now()
    invited = {"merchant": shop, "email": "new@shop.example", "preset": "finance"}
    sent = {"invited_by": owner.user, "sent_at": now, "ends_at": now}
    invitation = Invitation.objects.create(**invited, **sent)
    addresses = {"old_email": "owner@shop.example", "new_email": "other@shop.example"}
    change = EmailChange.objects.create(user=owner.user, asked_at=now, **addresses)
    question = SecurityQuestion.objects.create(
        user=owner.user, place=1, question="first_pet", answer="hashed", chosen_at=now
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_is_append_only")
        cursor.execute("UPDATE audit_entry SET xid = '3'::xid8")
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_is_append_only")
        cursor.execute(
            "INSERT INTO audit_submission (merchant_id, scope, token, action, fingerprint,"
            " created_at) VALUES (%s, 'form', 't', 'confirm', '', now()) RETURNING id",
            [shop.pk],
        )
        submission = cursor.fetchone()[0]
        digests.digest_history()
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    digested = HistoryDigest.objects.filter(merchant=shop).get()
    item = order.items.get()
    return {
        "merchant": shop.pk,
        "other": other.pk,
        "sandbox": sandbox.pk,
        "user": owner.user.pk,
        "membership": reader.pk,
        "grant": Grant.objects.filter(membership=reader).values_list("pk", flat=True)[0],
        "holiday": holiday.pk,
        "invitation": invitation.pk,
        "change": change.pk,
        "question": question.pk,
        "letter": Outbox.objects.filter(order=order).values_list("pk", flat=True)[0],
        "listing": item.listing_id,
        "title": item.sold_as_id,
        "stock": StockChange.objects.filter(order=order).get().pk,
        "order": order.pk,
        "item": item.pk,
        "shipped": shipped.pk,
        "cancelled": cancelled.pk,
        "asked": asked.pk,
        "request": request.pk,
        "shipment": shipment.pk,
        "shipment_line": shipment.lines.get().pk,
        "refund": refund.pk,
        "refund_line": lines.filter(kind="refund", component="item_price").get().pk,
        "charge": lines.filter(kind="charge", component="item_price").get().pk,
        "capture": operations.get(purpose="capture").pk,
        "refunding": operations.get(purpose="refund").pk,
        "entry": order.history.order_by("number").first().pk,
        "submission": submission,
        "digest": digested.pk,
        "check": invariants.check().pk,
    }


@pytest.mark.req("IMPL-17", "IMPL-04", "MONEY-02", "MONEY-10", "INV-01", "INV-02", "INV-03")
@pytest.mark.req("INV-04", "INV-05", "INV-06", "INV-10", "INVENTORY-04", "INVENTORY-07")
@pytest.mark.parametrize("group", GROUPS)
def test_the_database_refuses_by_name(group, world):
    cases = GROUPS[group]
    assert len({named(case) for case in cases}) == len(cases)
    assert offend_all(cases, world) == {named(case): case.guard for case in cases}


@pytest.mark.req("IMPL-17")
def test_every_guard_of_the_models_is_offended():
    declared = {
        constraint.name
        for label in OURS
        for model in apps.get_app_config(label).get_models()
        for constraint in model._meta.constraints
    }
    offended = {case.guard for case in CASES}
    assert declared - offended == REFERRED_TO & declared


@pytest.mark.req("IMPL-17")
def test_every_guard_of_the_database_is_offended(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
            " WHERE contype IN ('c', 'f', 'u', 'x') AND split_part(t.relname, '_', 1) = ANY(%s)",
            [list(OURS)],
        )
        constraints = {name for (name,) in cursor.fetchall()}
        cursor.execute(
            "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT tgisinternal AND split_part(c.relname, '_', 1) = ANY(%s)",
            [list(OURS)],
        )
        triggers = {name for (name,) in cursor.fetchall()}
    # Names the framework makes up belong to columns: foreign keys, unique and positive ones.
    made_up = re.compile(r"_fk(_\w+)?$|_key$|_check$|_uniq$|_[0-9a-f]{8}(_\w+)?$")
    written = {name for name in constraints if not made_up.search(name)}
    offended = {case.guard for case in CASES}
    assert written - offended == REFERRED_TO
    assert triggers - KEEPERS == set(TRIGGERS)


@pytest.mark.req("INV-05", "INV-16", "IMPL-17")
def test_keys_that_refuse_nothing_themselves_are_referred_to(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT i.relname FROM pg_constraint c JOIN pg_class i ON i.oid = c.conindid"
            " WHERE c.contype = 'f' AND i.relname = ANY(%s)",
            [sorted(REFERRED_TO)],
        )
        assert {name for (name,) in cursor.fetchall()} == REFERRED_TO


@pytest.mark.req("INV-03", "MONEY-01", "MONEY-02")
@pytest.mark.parametrize("amount", ["-0.01", "'NaN'"])
def test_no_amount_of_an_item_is_negative_or_no_number(world, amount):
    columns = [*COMPONENTS, *(f"refunded_{c}" for c in COMPONENTS)]
    refused = {name: offend(Case("", item_copy(**{name: amount})), world) for name in columns}
    assert not [c for c in columns if not re.search("_is_money$|_within_", refused[c])]


@pytest.mark.req("IMPL-17", "INV-02")
def test_numbers_and_keys_are_given_once(world):
    offences = {
        "orders_order_number": copy("orders_order", "order", merchant_order_number="''"),
        "orders_item_number": copy("orders_item", "item"),
        "payments_operation_key": copy("payments_operation", "refunding", sequence="9"),
        "notifications_outbox_event_key": "UPDATE notifications_outbox SET event_key = 'one'",
        "accounts_merchant_slug": copy("accounts_merchant", "merchant"),
    }
    for index, offence in offences.items():
        assert offend(Case("", offence), world).startswith(index)


@pytest.mark.req("INV-04", "T01", "F13")
def test_the_database_knows_the_moves_of_the_table(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('order_moves_as_the_table_says'::regproc)")
        body = cursor.fetchone()[0]
    pairs = set(re.findall(r"\('(\w+)', '(\w+)'\)", body))
    assert pairs == {(m.source.value, m.target.value) for m in MOVES if m.source != m.target}


FORBIDDEN = sorted(
    {(a.value, b.value) for a, b in permutations(OrderStatus, 2)}
    - {(m.source.value, m.target.value) for m in MOVES}
)


@pytest.mark.req("INV-04", "F13")
def test_no_other_move_can_be_written(world):
    """An order is put into each status by hand here, so that only the move is wrong."""
    answers = {}
    for source, target in FORBIDDEN:
        lead = (
            "ALTER TABLE orders_order DISABLE TRIGGER order_moves",
            "ALTER TABLE orders_order DROP CONSTRAINT order_status_follows_from_the_facts",
            "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_is_append_only",
            f"UPDATE orders_order SET status = '{source}' WHERE id = {world['order']}",
            f"UPDATE audit_entry SET xid = DEFAULT WHERE id = {world['entry']}",
            "SET CONSTRAINTS ALL IMMEDIATE",
            "ALTER TABLE orders_order ENABLE TRIGGER order_moves",
        )
        offence = f"UPDATE orders_order SET status = '{target}', version = version + 1"
        case = Case("", f"{offence} WHERE id = {{order}}", lead)
        answers[source, target] = offend(case, world)
    assert answers == dict.fromkeys(FORBIDDEN, "order_moves_as_the_table_says")


@pytest.mark.req("IMPL-29")
@pytest.mark.parametrize("table", ["orders_order", "orders_item", "orders_shipment"])
def test_nothing_with_a_past_can_be_deleted(world, table):
    refused_by = offend(Case("", f"DELETE FROM {table}"), world)
    assert "fk" in refused_by or "_of_" in refused_by


@pytest.mark.req("IMPL-29")
@pytest.mark.parametrize(
    "table", ["orders_refund", "accounts_merchant", "accounts_user", "catalog_listing"]
)
def test_nothing_that_others_name_can_be_deleted(world, table):
    refused_by = offend(Case("", f"DELETE FROM {table}"), world)
    assert "_fk_" in refused_by or refused_by == "an_operator_belongs_to_no_merchant"


@pytest.mark.req("IMPL-29")
def test_the_models_protect_what_hangs_on_them(world):
    keepers = [Order.objects.get(pk=world["order"]), Item.objects.get(order=world["shipped"])]
    keepers.append(Membership.objects.get(pk=world["membership"]).user)
    for kept in keepers:
        with pytest.raises(ProtectedError):
            kept.delete()


@pytest.mark.req("IMPL-04", "INV-10", "IMPL-29")
@pytest.mark.parametrize("how", ["update", "delete"])
def test_history_does_not_bend_to_the_models_either(world, how):
    lines = Order.objects.get(pk=world["order"]).history.all()
    with pytest.raises(IntegrityError, match="append-only"):
        lines.update(actor="nobody") if how == "update" else lines.delete()
