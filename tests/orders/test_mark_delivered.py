"""Mark as delivered: by staff on the order page, by a carrier's update through the API."""

from __future__ import annotations

import pytest

from accounts.domain import keys
from accounts.permissions import Function, Level
from core import jobs
from tests.factories import STAFF, partially_shipped_order, shipped_order, unshipped_order
from tests.orders.test_home import member
from tests.pages import fields_in, form_of, kinds, snapshot, words

PHONE = "07700 900142"


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def address_of(order) -> str:
    return f"/orders/{order.number}/delivered/"


def mark(client, order, **typed):
    fields = form_of(client, order.get_absolute_url(), address_of(order)) | typed
    return client.post(address_of(order), fields)


def call(client, order, secret, **headers):
    where = f"/api/v1/orders/{order.number}/delivery/"
    sent = {"authorization": f"Bearer {secret}"} | headers
    return client.post(where, content_type="application/json", headers=sent)


@pytest.mark.req("DETAIL-17", "DETAIL-09", "IMPL-01", "IMPL-04")
def test_it_works_once_and_ends_the_phone(signed_in, shop):
    order = shipped_order(shop)
    assert PHONE in words(signed_in.get(order.get_absolute_url()))
    fields = form_of(signed_in, order.get_absolute_url(), address_of(order))
    owed = kinds(order)

    for _twice in range(2):
        answer = signed_in.post(address_of(order), fields)
        assert (answer.status_code, answer["Location"]) == (302, order.get_absolute_url())

    page = signed_in.get(order.get_absolute_url())
    order.refresh_from_db()
    day = order.delivered_at.astimezone(shop.marketplace.zone)
    assert f"Order {order.number} is marked as delivered." in words(page)
    assert f"Delivered {day.day} {day:%b %Y}" in words(page)
    assert PHONE not in words(page)
    assert "Phone No longer available" in words(page)
    assert fields_in(page.content.decode(), address_of(order)) == {}
    line = order.history.get(event="order.delivered")
    assert (line.actor, line.door) == ("Alice Owner", "form")
    assert kinds(order) == owed
    jobs.run("delivery-assumption")
    assert order.history.filter(event="order.delivered").count() == 1


@pytest.mark.req("DETAIL-17")
@pytest.mark.parametrize("make", [unshipped_order, partially_shipped_order])
def test_what_has_not_all_shipped_has_no_button_and_refuses(signed_in, shop, make):
    order, gone = make(shop), shipped_order(shop)
    assert "Mark as delivered" not in words(signed_in.get(order.get_absolute_url()))
    fields = form_of(signed_in, gone.get_absolute_url(), address_of(gone))
    before = snapshot(order)
    answer = signed_in.post(address_of(order), fields | {"seen": order.version})
    assert answer.status_code == 409
    assert f"This is not possible for order {order.number}" in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("DETAIL-17", "INV-08", "F16")
def test_a_second_mark_a_stale_page_and_an_unreadable_form_are_refused(signed_in, shop):
    order = shipped_order(shop)
    fields = form_of(signed_in, order.get_absolute_url(), address_of(order))
    before = snapshot(order)
    stale = signed_in.post(address_of(order), fields | {"seen": order.version - 1})
    assert stale.status_code == 409
    assert "Someone else changed this order" in words(stale)
    assert signed_in.post(address_of(order), fields | {"seen": "x"}).status_code == 422
    assert signed_in.post(address_of(order), {}).status_code == 422
    assert snapshot(order) == before
    assert mark(signed_in, order).status_code == 302
    before = snapshot(order)
    late = signed_in.post(
        address_of(order), fields | {"token": "another", "seen": order.version + 1}
    )
    assert late.status_code == 409
    assert "was already marked complete on" in words(late)
    assert snapshot(order) == before


@pytest.mark.req("DETAIL-17", "PERMISSION-03", "F18", "F19")
def test_who_may_not_confirm_sees_no_button_and_a_stranger_gets_404(client, charlie, shop):
    order = shipped_order(shop)
    before = snapshot(order)
    reader = member(
        shop,
        **{
            Function.MANAGE_ORDERS.value: Level.EDIT,
            Function.CONFIRM_SHIPMENTS.value: Level.VIEW,
        },
    )
    assert "Mark as delivered" not in words(reader.get(order.get_absolute_url()))
    assert reader.post(address_of(order), {"token": "t", "seen": "4"}).status_code == 403
    client.force_login(charlie)
    assert client.post(address_of(order), {"token": "t", "seen": "4"}).status_code == 404
    assert client.get(address_of(order)).status_code == 405
    assert snapshot(order) == before


@pytest.mark.req("DETAIL-17", "IMPL-02")
def test_a_carriers_update_comes_through_the_api(client, shop):
    order, open_one = shipped_order(shop), unshipped_order(shop)
    _key, secret = keys.create_key(merchant=shop, name="carrier", by=STAFF)
    for _twice in range(2):
        answer = call(client, order, secret, idempotency_key="parcel-1")
        assert (answer.status_code, answer.json()["status"]) == (200, "shipped")
        assert answer.json()["delivered_at"] is not None
    line = order.history.get(event="order.delivered")
    assert line.door == "api"
    again = call(client, order, secret)
    assert (again.status_code, again.json()["code"]) == (409, "INVALID_TRANSITION")
    before = snapshot(open_one)
    no = call(client, open_one, secret)
    assert (no.status_code, no.json()["code"]) == (409, "INVALID_TRANSITION")
    assert snapshot(open_one) == before


@pytest.mark.req("DETAIL-17", "PERMISSION-03", "F18")
def test_the_api_needs_the_right_and_ones_own_order(client, shop, charlie):
    order = shipped_order(shop)
    before = snapshot(order)
    _idle, idle = keys.create_key(merchant=shop, name="idle", by=STAFF, levels={})
    other = charlie.memberships.get().merchant
    _theirs, foreign = keys.create_key(merchant=other, name="x", by=STAFF)
    assert call(client, order, idle).status_code == 403
    assert call(client, order, foreign).status_code == 404
    assert call(client, order, "sc_none").status_code == 401
    assert snapshot(order) == before
