"""Figures for whoever watches over the product, and a line of the log for each request."""

from __future__ import annotations

import json
import logging
import re

import pytest
from django.db import IntegrityError, connection

from core import clock, throttle
from core.logs import JsonLines
from core.transactions import unit_of_work
from tests.factories import job_run, unshipped_order


def figures(client, **origin):
    answer = client.get("/metrics/", **origin)
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.mark.req("TECH-11", "SD-21")
def test_strangers_find_no_figures(client, db):
    assert client.get("/metrics/", REMOTE_ADDR="8.8.8.8").status_code == 404
    proxied = client.get("/metrics/", HTTP_X_FORWARDED_FOR="8.8.8.8")
    assert proxied.status_code == 404


@pytest.mark.req("IMPL-22")
def test_requests_jobs_refusals_and_violations_are_counted(client, alice, shop):
    order = unshipped_order(shop)
    before = figures(client)
    client.force_login(alice)
    client.get(f"/orders/{order.number}/")
    job_run()
    for _ in range(2):
        throttle.use("teapot", "me", limit=1, seconds=60, at=clock.now())

    after = figures(client)
    pages = 'page_queries_count{route="orders:detail"}'
    assert after[pages] - before.get(pages, 0) == 1
    assert 0 <= after['job_seconds_since_success{job="tea"}'] < 10
    assert after['limits_refused_total{limit="teapot"}'] == 1
    assert after['database_connections{what="used"}'] >= 1
    told = "".join(after)
    for personal in (order.number, "Eilidh", "alice", shop.name, shop.slug):
        assert personal not in told


@pytest.mark.req("IMPL-17")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_guard_that_had_to_act_is_counted(client, shop):
    order = unshipped_order(shop)

    @unit_of_work
    def wrong():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE orders_order SET refunded_total = 9999 WHERE id = %s", [order.pk]
            )

    name = 'guards_violated_total{guard="order_refunds_no_more_than_paid"}'
    before = figures(client).get(name, 0)
    with pytest.raises(IntegrityError):
        wrong()
    assert figures(client)[name] - before == 1


@pytest.mark.req("IMPL-22", "IMPL-26")
def test_a_request_is_one_line_with_ids_and_figures_only(client, alice, shop, caplog):
    order = unshipped_order(shop)
    client.force_login(alice)
    client.get("/orders/")  # a session is written with its first page
    with caplog.at_level(logging.INFO, logger="core.middleware"):
        client.get(f"/orders/{order.number}/?x=eilidh.macleod@mail.example")
    (record,) = [each for each in caplog.records if each.message == "request"]
    line = json.loads(JsonLines().format(record))
    assert re.fullmatch(r"[0-9a-f]{16}", line.pop("request", "0" * 16))
    assert line.pop("milliseconds") >= 0
    assert line.pop("count") <= 12
    del line["at"]
    assert line == {
        "level": "INFO", "logger": "core.middleware", "event": "request", "door": "GET",
        "path_name": "orders:detail", "status": 200, "user": alice.pk, "merchant": shop.pk,
    }  # fmt: skip
