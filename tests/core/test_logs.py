"""Log lines tell what happened, and open nothing to who reads them."""

from __future__ import annotations

import json
import logging

import pytest

from core.logs import JsonLines
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
