"""One id follows an action: request, history, messages owed, tasks, their lines, the mail sent."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from celery import current_app

from accounts.domain.keys import create_key
from audit.models import Entry
from core import clock, jobs
from core.jobs import ACTION, JOBS
from core.logs import following, request_id
from notifications.models import Outbox
from orders.models import Order
from tests.factories import STAFF, ListingFactory, pending_order, unshipped_order
from tests.log_lines import lines
from tests.orders.test_place_order import body, post
from tests.pages import form_of

pytestmark = pytest.mark.req("TECH-11")
NOBODYS = "0" * 16


def cancel(client, order):
    where = f"/orders/{order.number}/cancel/"
    return client.post(where, form_of(client, where) | {"reason": "NoInventory"})


def left_behind(order) -> set[str]:
    """The ids in what an order's rows were written with."""
    told = Entry.objects.filter(order=order).exclude(request_id="")
    owed = Outbox.objects.filter(order=order).exclude(request_id="")
    return {*told.values_list("request_id", flat=True), *owed.values_list("request_id", flat=True)}


@pytest.mark.req("IMPL-04", "INV-09")
def test_history_and_messages_name_the_request_that_made_them(client, alice, order):
    client.force_login(alice)
    answer = cancel(client, order)
    assert answer.status_code == 302
    assert left_behind(order) == {answer["X-Request-ID"]}
    assert Entry.objects.get(order=order, event="order.cancelled").request_id
    assert Outbox.objects.get(order=order, kind="N06").request_id


def test_an_id_that_a_caller_sends_is_not_taken_over(client, alice, order):
    client.force_login(alice)
    answer = client.get("/orders/", headers={"X-Request-ID": NOBODYS})
    assert answer["X-Request-ID"] != NOBODYS


def test_a_program_gets_the_id_too(client, shop):
    key = create_key(merchant=shop, name="till", by=STAFF)[1]
    answer = post(client, key, body(ListingFactory(merchant=shop)))
    assert answer.status_code == 201, answer.content
    order = Order.objects.get(number=answer.json()["order_id"])
    assert left_behind(order) == {answer["X-Request-ID"]}


@pytest.mark.req("NOTIF-01")
def test_the_task_and_the_mail_go_on_under_the_id(
    client, alice, order, django_capture_on_commit_callbacks
):
    """The task is asked for by the request; the mail may leave long after it."""
    client.force_login(alice)
    with lines() as log, django_capture_on_commit_callbacks(execute=True):
        answer = cancel(client, order)
    ran = [line["request"] for line in log.named("job.ran") if line["job"] == "send-outbox"]
    assert set(ran) == {answer["X-Request-ID"]}
    [sent] = [line for line in log.named("mail.sent") if line["code"] == "N06"]
    assert (sent["request"], sent["order"]) == (answer["X-Request-ID"], order.pk)
    assert sent["outbox"] == Outbox.objects.get(order=order, kind="N06").pk


@pytest.mark.req("NOTIF-01")
def test_a_mail_sent_by_the_timetable_names_the_request_that_owes_it(client, alice, order):
    client.force_login(alice)
    answer = cancel(client, order)
    with lines() as log:
        jobs.run("send-outbox")
    [sent] = [line for line in log.named("mail.sent") if line["code"] == "N06"]
    assert sent["request"] == answer["X-Request-ID"]
    [ran] = log.named("job.ran")
    assert ran["request"] not in ("", answer["X-Request-ID"])
    assert ran["facts"]["mails sent"] == Outbox.objects.filter(state="sent").count()


@pytest.mark.django_db
def test_an_eager_task_gives_the_id_back():
    with following(NOBODYS):
        current_app.tasks[JOBS["resume-jobs"].task].apply(headers={ACTION: "a" * 16})
        assert request_id.get() == NOBODYS


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [None, "", "x", 'a" injected', "A" * 16, ["a" * 16], 7])
def test_a_task_with_no_id_of_ours_gets_its_own(sent):
    with lines() as log:
        current_app.tasks[JOBS["resume-jobs"].task].apply(headers={ACTION: sent})
    [ran] = log.named("job.ran")
    assert len(ran["request"]) == 16
    assert ran["request"] != sent


@pytest.mark.req("AUTO-02", "IMPL-04")
def test_what_a_job_does_names_its_run(shop):
    """By sets and one by one: a sweep's rows and its line say the same."""
    order, pending = unshipped_order(shop), pending_order(shop, payment_token="declined")
    for job in ("auto-cancel", "check-payments"):
        with clock.stopped(clock.now() + timedelta(days=40)), lines() as log:
            jobs.run(job)
        [ran] = log.named("job.ran")
        changed = order if job == "auto-cancel" else pending
        assert ran["request"] in left_behind(changed), json.dumps(ran)
