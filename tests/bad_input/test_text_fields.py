"""The common strings in every field of every form, and in every text of the API."""

from __future__ import annotations

import json
from html import escape

import pytest

from orders.models import OrderNote
from tests.bad_input.strings import COMMON, CONTROL
from tests.factories import ListingFactory, shipped_order, unshipped_order
from tests.outsiders import everything
from tests.pages import form_of

FIELDS = [
    *(("confirm-shipment", name) for name in (
        "tracking_id", "carrier_name", "method", "carrier", "ship_date", "quantity", "token", "seen",
        "next", "not_sent", "merchant",
    )),
    *(("cancel", name) for name in ("reason", "zero_out", "token", "seen", "next", "merchant")),
    *(("refund", name) for name in (
        "memo", "reason", "item", "item_cost", "delivery", "tab", "token", "seen", "next", "merchant",
    )),
]  # fmt: skip
SHOWN_AGAIN = {"tracking_id", "carrier_name", "method", "memo", "quantity", "item_cost", "delivery"}


@pytest.mark.req("IMPL-25", "IMPL-11", "G-5", "TH-27", "INV-20")
@pytest.mark.parametrize(("act", "field"), FIELDS)
def test_any_text_in_any_field_of_an_act(signed_in, shop, act, field):
    """The form is made unacceptable, so that each try must come back with what was typed."""
    order = shipped_order(shop) if act == "refund" else unshipped_order(shop)
    address = f"/orders/{order.number}/{act}/"
    page = address + "?tab=partial" if act == "refund" else address
    item = order.items.get().pk
    name = f"{field}_{item}" if field in ("quantity", "item", "item_cost", "delivery") else field
    fields = form_of(signed_in, page, address) | {"tab": "partial", f"item_{item}": "on"}
    before = everything()
    for text in COMMON:
        answer = signed_in.post(address, fields | {name: text})
        html = answer.content.decode()
        assert answer.status_code in (409, 422), text[:20]
        assert "<script>alert" not in html
        if field in SHOWN_AGAIN and text.isprintable() and len(text) < 1000:
            assert escape(text) in html, text
    assert everything() == before


@pytest.mark.req("IMPL-25", "G-5")
@pytest.mark.parametrize(
    ("address", "field", "others"),
    [
        ("/login/", "login", {"password": "x"}),
        ("/login/", "password", {"login": "alice@shop.example"}),
        ("/login/", "next", {"login": "alice@shop.example", "password": "x"}),
        ("/login/", "remember", {"login": "alice@shop.example", "password": "x"}),
        ("/password-reset/", "email", {}),
        ("/account/switch/", "to", {}),
        ("/help/shortcuts/", "on", {}),
        ("/orders/preferences/", "per_page", {}),
        ("/orders/preferences/", "next", {"per_page": "25"}),
        ("/csp-report/", "csp-report", {}),
    ],
)
def test_any_text_in_any_other_field(client, alice, address, field, others):
    if address not in ("/login/", "/password-reset/"):
        client.force_login(alice)
    alice.memberships.update(list_page_size=25)  # as the form below chooses
    before = everything()
    for text in COMMON:
        answer = client.post(address, {**others, field: text})
        assert answer.status_code in (200, 204, 302, 422, 429), text[:20]
        if answer.status_code == 302:
            assert answer["Location"].startswith("/"), text
            assert not answer["Location"].startswith(("//", "/\\")), text
        assert "<script>alert" not in answer.content.decode()
    assert everything() == before


@pytest.mark.req("DETAIL-14", "IMPL-25", "IMPL-27", "G-5")
def test_a_note_is_kept_as_typed_or_handed_back(signed_in, order):
    for text in [*COMMON, "x" * 1000, "x" * 1001, "a\r\n" * 333, "湯呑み\nline"]:
        address = f"/orders/{order.number}/notes/"
        answer = signed_in.post(address, form_of(signed_in, order.get_absolute_url(), address) | {
            "note": text
        })  # fmt: skip
        last = OrderNote.objects.order_by("-pk").first()
        plain = text.replace("\r\n", "\n")
        if answer.status_code == 302:
            assert last.text == plain.strip()
            last.delete()
        else:
            assert answer.status_code == 422, text[:20]
            assert last is None
            assert 'id="note-error"' in answer.content.decode()
            if text.isprintable():
                assert escape(text) in answer.content.decode()
            assert not plain.strip() or len(plain.strip()) > 1000 or not plain.isprintable()


def _texts(body, path=()):
    for name, value in body.items():
        if isinstance(value, dict):
            yield from _texts(value, (*path, name))
        elif isinstance(value, list):
            yield from _texts(value[0], (*path, name, 0))
        elif isinstance(value, str):
            yield (*path, name)


def _order(sku="SKU-1", **changes):
    return {
        "merchant_order_number": "W-1", "buyer_name": "Zoë", "buyer_email": "z@mail.example",
        "buyer_phone": "1", "purchase_order_number": "P1", "sales_channel": "Web",
        "ship_service_level": "standard", "fulfilment_channel": "merchant", "gift_message": "Hi",
        "purchased_at": "2026-01-02T03:04:05Z",
        "ship_to": {
            "recipient_name": "Zoë", "address_1": "3 Court", "address_2": "b", "address_3": "c",
            "city": "Haworth", "region": "Yorks", "postal_code": "BD22 8DU", "country": "GB",
        },
        "items": [{"sku": sku, "quantity": 1, "item_price": "1.00", "title": "Cup",
                   "customisation": "Zoë"}],
        "payment": {"token": "ok", "method": "card"},
    } | changes  # fmt: skip


@pytest.mark.req("MWS-14", "G-5", "TH-18", "IMPL-27")
@pytest.mark.parametrize("place", list(_texts(_order())), ids=str)
def test_any_text_in_any_field_of_the_api(client, key, shop, place):
    listing = ListingFactory(merchant=shop, sku="SKU-1")
    for number, text in enumerate([*COMMON, "\ud800", "\udfff"]):
        body = _order(listing.sku, merchant_order_number=f"W-{number}")
        into = body
        for step in place[:-1]:
            into = into[step]
        into[place[-1]] = text
        answer = client.post(
            "/api/v1/orders/",
            json.dumps(body),
            content_type="application/json",
            headers={"authorization": f"Bearer {key}"},
        )
        assert answer.status_code in (201, 400, 409, 422), text[:20]
        assert answer.json()
        if answer.status_code == 201:
            assert text.strip() not in CONTROL, text
        else:
            assert len(answer.content) < 1000, text[:20]
