"""The gateway reports: signed, fresh, once, and never believed without being asked (BI-CB)."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.conf import settings as conf
from django.test import Client

from core import clock, jobs
from core.refusal import Refused
from orders.domain import gateway_reports
from orders.domain.gateway_reports import Report
from orders.models import Order
from payments.domain.signatures import signature
from payments.models import GatewayEvent, Operation, Payment
from tests.factories import GATEWAY, cancelled_order, confirm, pending_order, unshipped_order
from tests.outsiders import everything
from tests.pages import kinds
from tests.races import racers

PATH = "/api/gateway/callback/"
MINUTE = timedelta(minutes=1)


def report(order: Order, /, **changes: object) -> dict[str, object]:
    """What the gateway says when a payment is verified."""
    said = {
        "event": f"evt-{uuid4()}",
        "order": order.number,
        "amount": str(order.total),
        "currency": order.currency,
        "state": "verified",
    }
    return said | changes


def send(said: object, *, key: str = "", age: timedelta = timedelta(0), **headers: str):
    """Sign and send; ``said`` is a report, or the body itself."""
    sent = said if isinstance(said, bytes) else json.dumps(said).encode()
    stamp = str(int((clock.now() - age).timestamp()))
    secret = key or conf.GATEWAY_CALLBACK_SECRET
    names = {
        "Gateway-Timestamp": stamp,
        "Gateway-Signature": signature(sent, timestamp=stamp, secret=secret),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(enforce_csrf_checks=True).post(
        PATH, sent, content_type="application/json", headers=names
    )


def ripe(shop, **changes) -> Order:
    """A pending order whose payment the gateway has verified by now."""
    return pending_order(shop, age=20 * MINUTE, **changes)


@pytest.mark.req("PENDING-02", "TH-03", "T02")
def test_a_report_releases_the_order_at_once(shop):
    order = ripe(shop)
    answer = send(report(order))
    assert (answer.status_code, answer.json()) == (200, {"accepted": True})
    order.refresh_from_db()
    assert (order.status, order.payment_state) == ("unshipped", "authorised")
    line = order.history.get(event="order.verified")
    assert (line.door, line.actor) == ("gateway", "gateway report")
    assert {"N01", "N02"} <= set(kinds(order))


@pytest.mark.req("TH-03", "BI-CB")
@pytest.mark.parametrize("said", ["verified", "declined", "fraud", "paid"])
def test_what_is_true_is_asked_not_believed(shop, said):
    """Signed by the gateway, and still only a hint."""
    order = pending_order(shop, age=timedelta(0))
    assert send(report(order, state=said)).status_code == 200
    order.refresh_from_db()
    assert order.status == "pending"
    fraud = ripe(shop, payment_token="fraud")
    assert send(report(fraud, state="verified")).status_code == 200
    fraud.refresh_from_db()
    assert fraud.status == "cancelled"


BAD = {
    "unsigned": (401, partial(send, Gateway_Signature="")),
    "signed with nonsense": (401, partial(send, Gateway_Signature="é" * 64)),
    "wrong key": (401, partial(send, key="not-the-secret")),
    "altered after signing": (401, partial(send, Gateway_Signature="0" * 64)),
    "no time": (401, partial(send, Gateway_Timestamp="")),
    "odd time": (401, partial(send, Gateway_Timestamp="1e9")),
    "time far beyond": (401, partial(send, Gateway_Timestamp="99999999999")),
    "old": (401, partial(send, age=6 * MINUTE)),
    "of the future": (401, partial(send, age=-6 * MINUTE)),
}


@pytest.mark.req("TH-03", "BI-CB", "TH-26")
@pytest.mark.parametrize("name", BAD)
def test_what_is_not_authentic_changes_nothing(shop, name):
    order = ripe(shop)
    status, sending = BAD[name]
    before = everything()
    assert sending(report(order)).status_code == status
    assert everything() == before


@pytest.mark.req("TH-03", "SD-01")
def test_without_a_secret_nothing_is_authentic(shop, settings):
    settings.GATEWAY_CALLBACK_SECRET = ""
    order = ripe(shop)
    stamp = str(int(clock.now().timestamp()))
    sent = json.dumps(report(order)).encode()
    headers = {
        "Gateway-Timestamp": stamp,
        "Gateway-Signature": signature(sent, timestamp=stamp, secret=""),
    }
    answer = Client().post(PATH, sent, content_type="application/json", headers=headers)
    assert answer.status_code == 401


WRONG = {
    "not JSON": (400, lambda o: b"{"),
    "a list": (400, lambda o: []),
    "a key twice": (400, lambda o: b'{"event": "a", "event": "b"}'),
    "nothing": (400, lambda o: {}),
    "a field too many": (400, lambda o: report(o, status="verified")),
    "a number for an amount": (400, lambda o: report(o, amount=12.0)),
    "no amount": (400, lambda o: report(o, amount="NaN")),
    "a long event": (400, lambda o: report(o, event="x" * 101)),
    "NUL": (400, lambda o: report(o, event="a\0b")),
    "no key of an operation": (400, lambda o: report(o, operation="17")),
    "unknown state": (422, lambda o: report(o, state="happy")),
    "state of an operation": (422, lambda o: report(o, state="done")),
    "other order": (404, lambda o: report(o, order="203-0000000-0000000")),
    "unknown operation": (404, lambda o: report(o, operation=str(uuid4()), state="done")),
    "amount differs": (422, lambda o: report(o, amount="0.01")),
    "currency differs": (422, lambda o: report(o, currency="EUR")),
}


@pytest.mark.req("BI-CB", "TH-03", "TH-02")
@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_changes_nothing(shop, caplog, name):
    order = ripe(shop)
    status, said = WRONG[name]
    before = everything()
    answer = send(said(order))
    assert (answer.status_code, everything() == before) == (status, True)
    differs = [r for r in caplog.records if r.message == "gateway.amount_differs"]
    assert len(differs) == int("differs" in name)
    assert all(
        (r.levelname, r.alert) == ("ERROR", "docs/runbook.md#gateway-contradicts") for r in differs
    )


@pytest.mark.req("BI-CB")
def test_a_huge_body_is_not_read(shop):
    before = everything()
    assert send(b" " * 1_000_000).status_code == 413
    assert everything() == before


@pytest.mark.req("INV-02", "BI-CB", "FT-36", "TH-03")
def test_the_same_report_acts_once(shop):
    order = ripe(shop)
    said = report(order)
    assert [send(said).status_code for _ in range(5)] == [200, 409, 409, 409, 409]
    assert kinds(order).count("N01") == 1
    other = ripe(shop)
    stolen = report(other, event=said["event"])
    assert send(stolen).status_code == 409
    other.refresh_from_db()
    assert other.status == "pending"
    assert GatewayEvent.objects.count() == 1


@pytest.mark.req("BI-CB", "FT-36", "PENDING-09", "K12")
@pytest.mark.parametrize(
    ("make", "state", "alerts"),
    [
        (unshipped_order, "checking", 0),
        (unshipped_order, "verified", 0),
        (unshipped_order, "declined", 1),
        (cancelled_order, "paid", 0),
        (cancelled_order, "fraud", 1),
    ],
)
def test_a_state_that_goes_backwards_moves_nothing(shop, caplog, make, state, alerts):
    order = make(shop)
    before = everything()
    assert send(report(order, state=state)).status_code == 409
    assert everything() == before
    assert [r.message for r in caplog.records].count("gateway.contradicts") == alerts


@pytest.mark.req("PENDING-10", "FT-36")
def test_money_for_an_order_that_has_ended_is_somebodys_task(japanese_shop, caplog):
    order = pending_order(
        japanese_shop,
        payment_method="convenience_store",
        payment_token="convenience-store-unpaid",
        age=timedelta(days=7),
    )
    jobs.run("check-payments")
    with clock.stopped(clock.now() + timedelta(days=1)):
        jobs.run("check-payments")
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert send(report(order, state="paid")).status_code == 409
    assert "gateway.contradicts" in caplog.text


@pytest.mark.req("FT-35", "TH-03")
def test_a_gateway_that_reports_and_does_not_answer_is_asked_to_repeat(shop, settings):
    order = ripe(shop)
    said = report(order)
    settings.PAYMENT_GATEWAY = "tests.silent.Silent"
    before = everything()
    assert (send(said).status_code, everything() == before) == (503, True)
    settings.PAYMENT_GATEWAY = "payments.gateways.sandbox.SandboxGateway"
    assert send(said).status_code == 200


def lost(shop) -> tuple[Order, Operation]:
    """An order whose charge the gateway made, and whose answer was lost."""
    order = unshipped_order(shop, payment_token="answer-lost")
    with pytest.raises(Refused, match="being confirmed"):
        confirm(order)
    return order, Operation.objects.get(order=order)


@pytest.mark.req("FT-03", "FT-36", "IMPL-16", "TH-03", "BI-CB")
def test_a_report_of_a_charge_finishes_the_confirmation(shop, caplog):
    order, operation = lost(shop)
    other = unshipped_order(shop)
    said = partial(report, operation=str(operation.key), state="done")
    assert send(said(other)).status_code == 404  # an operation of another order
    assert send(said(order, amount="0.01")).status_code == 422
    assert send(said(order, state="verified")).status_code == 422
    assert send(said(order)).status_code == 200
    order.refresh_from_db()
    assert (order.status, order.payment_state) == ("shipped", "captured")
    assert kinds(order).count("N05") == 1

    before = everything()
    assert send(said(order)).status_code == 409
    assert "gateway.contradicts" not in caplog.text
    assert send(said(order, state="failed")).status_code == 409
    assert "gateway.contradicts" in caplog.text
    assert everything() == before


@pytest.mark.race
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.req("INV-02", "FT-36", "TH-03")
def test_eight_reports_at_once_act_once(shop):
    """Half of them the same one, delivered again; no two wait for each other."""
    with racers(8) as run:
        for _round in range(3):
            order = ripe(shop)
            events = ["evt-same"] * 4 + [f"evt-{n}-{_round}" for n in range(4)]
            acts = [
                partial(
                    gateway_reports.act_on,
                    Report(f"{event}-{_round}", order.number, None, order.total, "GBP", "verified"),
                    by=GATEWAY,
                )
                for event in events
            ]
            answers = run(*acts)
            assert set(answers) <= {None, "ALREADY_KNOWN"}
            assert None in answers
            order.refresh_from_db()
            assert (order.status, kinds(order).count("N01")) == ("unshipped", 1)
            same = GatewayEvent.objects.filter(event=f"evt-same-{_round}")
            assert same.count() <= 1


@pytest.mark.req("PENDING-02")
def test_after_a_report_the_job_asks_no_more(shop):
    order = ripe(shop)
    send(report(order))
    assert Payment.objects.get(pk=order.pk).next_check_at is None
