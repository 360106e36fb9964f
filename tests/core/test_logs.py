"""Log lines tell what happened, and open nothing to who reads them."""

from __future__ import annotations

import json
import logging

import pytest
from django.db import IntegrityError, transaction

from core.logs import JsonLines
from orders.models import Order
from tests.buyers import page_of
from tests.factories import shipped_order


@pytest.mark.req("TH-12", "TH-09")
@pytest.mark.parametrize("act", ["", "cancel/", "change/", "customer-service/"])
def test_no_line_holds_a_link_that_opens_an_order(client, shop, caplog, act):
    """The framework logs the address of every answer that is an error."""
    order = shipped_order(shop)
    where = page_of(order, act)
    answer = client.post(where)
    assert answer.status_code in (405, 409, 422)
    lines = [JsonLines().format(record) for record in caplog.records]
    events = [json.loads(line)["event"] for line in lines]
    assert any(f"/buyer/…/{act}" in event for event in events)
    assert where.split("/")[2] not in "".join(lines)


@pytest.mark.req("TH-24", "TH-09")
def test_no_line_holds_a_link_to_a_new_password():
    record = logging.makeLogRecord(
        {"msg": "Not Found: %s", "args": ("/password-reset/key/1-abc/",)}
    )
    assert json.loads(JsonLines().format(record))["event"] == "Not Found: /password-reset/key/…/"


@pytest.mark.req("TH-24", "TH-09")
def test_no_line_holds_a_link_that_lets_somebody_join():
    record = logging.makeLogRecord({"msg": "Not Found: %s", "args": ("/invitation/abc-1/",)})
    assert json.loads(JsonLines().format(record))["event"] == "Not Found: /invitation/…/"


@pytest.mark.req("TH-09")
def test_a_trace_names_the_guard_and_not_the_row_that_it_refused(shop, caplog):
    """PostgreSQL quotes the whole row, with whatever personal data stands in it."""
    order, bird = shipped_order(shop), "Canary Bird"
    with pytest.raises(IntegrityError, match=bird) as refused, transaction.atomic():
        Order.objects.filter(pk=order.pk).update(total=-1, buyer_name=bird)
    logging.getLogger("tests").error("guard.violated", exc_info=refused.value)
    line = JsonLines().format(caplog.records[-1])
    trace = json.loads(line)["trace"]
    assert "Canary" not in line
    assert "psycopg2.errors.CheckViolation 23514" in trace
    assert "django.db.utils.IntegrityError" in trace
    assert "test_logs.py" in trace


@pytest.mark.req("TH-09")
def test_a_task_that_failed_is_named_without_the_words_of_its_error():
    record = logging.makeLogRecord(
        {
            "name": "celery.app.trace",
            "msg": "Task %(name)s[%(id)s] raised unexpected: %(exc)s",
            "args": {"name": "core.tick", "id": "1", "exc": "ValueError('Canary')"},
        }
    )
    line = JsonLines().format(record)
    assert json.loads(line)["event"] == "Task core.tick[1] failed"
    assert "Canary" not in line
