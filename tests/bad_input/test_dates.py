"""4.2 Dates and ranges (BI-DATE): the list, the ship date, the API; files are with the import."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from orders.models import Order
from tests.factories import ListingFactory, unshipped_order
from tests.orders.test_confirm_shipment import post as confirm_by_form
from tests.orders.test_manage_orders import numbers, rows
from tests.pages import snapshot, words

NO_DATES = [
    "2024-02-30", "2023-02-29", "2024-04-31", "2024-13-01", "2024-01-00", "0000-01-01",
    "0001-01-01", "1999-12-31", "9999-12-31", "10000-01-01", "-1-01-01", "20240102", "2024-W01-1",
    "2024-01-02T03:04", "2024-01-02+99:00", "45293", "２０２４-０１-０２", "٢٠٢٤-01-02", "today",
    "2024-01-02x", "1704153600", "31/02/2024",
]  # fmt: skip
OTHER_FORMS = {"1/2/2024": (2024, 2, 1), "2024-1-2": (2024, 1, 2), " 2024-01-02 ": (2024, 1, 2)}
MESSAGE = "Enter a date, like 8 Dec 2026"


@pytest.mark.req("LIST-07", "IMPL-25")
@pytest.mark.parametrize("side", ["from", "to"])
@pytest.mark.parametrize("typed", NO_DATES)
def test_only_real_days_bound_the_list(signed_in, shop, side, typed):
    """DATE-1, DATE-2."""
    answer = signed_in.get("/orders/", {side: typed})
    assert answer.status_code == 422
    assert MESSAGE in words(answer)
    assert f'value="{typed}"' in answer.content.decode()


@pytest.mark.req("LIST-07")
@pytest.mark.parametrize("typed", ["2024-02-29", *OTHER_FORMS])
def test_real_days_are_taken_in_the_forms_of_the_field(signed_in, shop, typed):
    """DATE-1, DATE-2: 29 February of a leap year; the day before the month."""
    unshipped_order(shop)
    answer = signed_in.get("/orders/", {"to": typed})
    assert (answer.status_code, rows(answer)) == (200, [])


@pytest.mark.req("IMPL-33", "LIST-07")
def test_days_are_asked_for_in_the_form_of_the_marketplace(client, kenji, japanese_shop):
    client.force_login(kenji)
    answer = client.get("/orders/", {"from": "31/02/2024"})
    assert answer.status_code == 422
    assert "Enter a date, like 2026/12/08" in words(answer)
    assert client.get("/orders/", {"to": "2024/02/29"}).status_code == 200
    order = unshipped_order(japanese_shop)
    answer = confirm_by_form(client, order, ship_date="soon")
    assert "Enter a date, like 2026/12/08" in words(answer)


@pytest.mark.req("LIST-07")
def test_the_last_day_is_a_year_from_now(signed_in, shop):
    """DATE-1."""
    today = shop.marketplace.local_date(clock.now())
    for days, status in ((360, 200), (367, 422), (800, 422)):
        day = today + timedelta(days=days)
        assert signed_in.get("/orders/", {"to": day.isoformat()}).status_code == status, days


@pytest.mark.req("LIST-06", "LIST-07", "LIST-10")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("from=2026-01-02&to=2026-01-01", 422, id="DATE-3 start after end"),
        pytest.param("from=2026-01-01&to=2026-01-01", 200, id="DATE-3 same day"),
        pytest.param("from=2026-01-01&to=2026-03-31", 200, id="DATE-3 90 days"),
        pytest.param("from=2024-01-01&to=2025-12-31", 200, id="DATE-3 two years"),
        pytest.param("from=2006-01-01&to=2026-01-01", 422, id="DATE-3 twenty years"),
        pytest.param("to=2026-01-01", 200, id="DATE-3 only the end"),
        pytest.param("days=-1", 200, id="DATE-6 -1"),
        pytest.param("range=days", 200, id="DATE-6 not in the list"),
        pytest.param("range=1e9", 200, id="DATE-6 1e9"),
        pytest.param("range=3.5", 200, id="DATE-6 3.5"),
        pytest.param("range=-1d", 200, id="DATE-6 -1d"),
    ],
)
def test_ranges_in_order_or_with_a_message(signed_in, shop, query, status):
    assert signed_in.get(f"/orders/?{query}").status_code == status


@pytest.mark.req("IMPL-05", "LIST-07", "INV-07")
@pytest.mark.parametrize(
    ("day", "before", "first", "last", "after"),
    [
        ("2026-03-29", "2026-03-28T23:59:59", "2026-03-29T00:00:00", "2026-03-29T22:59:59",
         "2026-03-29T23:00:00"),
        ("2026-10-25", "2026-10-24T22:59:59", "2026-10-24T23:00:00", "2026-10-25T23:59:59",
         "2026-10-26T00:00:00"),
    ],
)  # fmt: skip
def test_each_order_is_in_exactly_one_day_when_clocks_change(
    signed_in, shop, day, before, first, last, after
):
    """DATE-4: the days of 23 and of 25 hours."""
    orders = [
        unshipped_order(shop, purchased_at=datetime.fromisoformat(at).replace(tzinfo=UTC))
        for at in (before, first, last, after)
    ]
    inside = rows(signed_in.get("/orders/", {"from": day, "to": day, "status": "all"}))
    assert inside == numbers(*orders[1:3])


@pytest.mark.req("SHIP-07", "IMPL-25")
@pytest.mark.parametrize("typed", [*NO_DATES, "", " "])
def test_a_ship_date_is_a_real_day(client, alice, order, typed):
    """DATE-1, DATE-2 for the form of a shipment."""
    client.force_login(alice)
    before = snapshot(order)
    answer = confirm_by_form(client, order, ship_date=typed)
    assert answer.status_code == 422
    assert "Enter a" in words(answer) or "Ship Date must be" in words(answer)
    assert snapshot(order) == before


@pytest.mark.req("SHIP-07", "IMPL-05")
@pytest.mark.parametrize(
    ("who", "now", "today"),
    [
        ("alice", datetime(2026, 7, 1, 23, 30, tzinfo=UTC), "2026-07-02"),  # 0:30 in London
        ("kenji", datetime(2026, 7, 1, 14, 59, 59, tzinfo=UTC), "2026-07-01"),  # 23:59 in Tokyo
        ("kenji", datetime(2026, 7, 1, 15, 0, 1, tzinfo=UTC), "2026-07-02"),  # just after midnight
    ],
)
def test_the_marketplaces_day_decides_about_the_ship_date(client, request, who, now, today):
    """DATE-5, SHIP-4."""
    user = request.getfixturevalue(who)
    client.force_login(user)
    shop = user.memberships.get().merchant
    with clock.stopped(now):
        order = unshipped_order(shop, quantity=2, purchased_at=now - timedelta(hours=48))
        tomorrow = (datetime.fromisoformat(today) + timedelta(days=1)).date().isoformat()
        late = confirm_by_form(client, order, ship_date=tomorrow, carrier="Other", carrier_name="X")
        assert late.status_code == 422
        assert "Ship Date must be today or in the past" in words(late)
        done = confirm_by_form(client, order, ship_date=today, carrier="Other", carrier_name="X")
        assert done.status_code == 302
    assert order.shipments.get().ship_date.isoformat() == today


@pytest.mark.req("MWS-14", "INV-03")
@pytest.mark.parametrize(
    "typed",
    [
        *NO_DATES, "2024-01-02", "2024-01-02T03:04:05", "20240102T030405Z", "2024-01-02T03:04:05+99:00",
        "2024-W01-1T00:00:00Z", "0001-01-01T00:00:00+14:00", "1999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00", "2024-02-30T00:00:00Z", "2024-01-02T25:00:00Z", 1704153600, "",
        None, True, [], {},
    ],
)  # fmt: skip
def test_the_api_takes_instants_of_one_form(client, key, shop, typed):
    """DATE-2: full ISO 8601 with its zone, between 2000 and now."""
    answer = _placed(client, key, shop, typed)
    assert answer.status_code in (400, 422)
    assert not Order.objects.exists()


@pytest.mark.req("MWS-14")
@pytest.mark.parametrize(
    "typed",
    ["2024-02-29T23:59:59Z", "2024-01-02T03:04:05.123456+05:45", "2024-01-02 03:04+0000",
     "2000-01-01T00:00:00Z"],
)  # fmt: skip
def test_an_instant_with_its_zone_is_taken(client, key, shop, typed):
    assert _placed(client, key, shop, typed).status_code == 201


def _placed(client, key, shop, purchased_at):
    listing = ListingFactory(merchant=shop)
    body = {
        "buyer_name": "Zoë", "buyer_email": "zoe@mail.example", "purchased_at": purchased_at,
        "ship_to": {"recipient_name": "Zoë", "address_1": "3 Court", "city": "Haworth",
                    "postal_code": "BD22 8DU", "country": "GB"},
        "items": [{"sku": listing.sku, "quantity": 1, "item_price": "1.00"}],
        "payment": {"token": "ok"},
    }  # fmt: skip
    sent = {"authorization": f"Bearer {key}"}
    return client.post("/api/v1/orders/", json.dumps(body), "application/json", headers=sent)
