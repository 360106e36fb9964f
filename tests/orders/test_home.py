"""Home: the day in figures, what needs attention, the last two weeks, what is to be done."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Grant
from accounts.permissions import Function, Level, Preset
from core import charts, clock
from core.duties import DUTIES
from orders.domain import listing, requests
from orders.views import attention
from tests.buyers import file_request
from tests.factories import (
    AMOUNTS,
    STAFF,
    MembershipFactory,
    cancelled_order,
    confirm,
    order_in,
    partially_shipped_order,
    pending_order,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.orders.test_manage_orders import numbers, rows
from tests.pages import words

DAY = timedelta(days=1)
TUESDAY = datetime(2026, 12, 8, 10, 42, tzinfo=UTC)


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def figures(page) -> dict[str, tuple[str, str]]:
    """Value and address by label."""
    found = re.findall(
        r'<a class="stat[^"]*" href="([^"]+)"><span class="stat__label">([^<]+)</span>'
        r'<span class="stat__value">([^<]+)</span>',
        page.content.decode(),
    )
    return {label: (value, href.replace("&amp;", "&")) for href, label, value in found}


def things(page) -> list[tuple[str, str, str]]:
    """Title, button and address of each line that needs attention."""
    html = page.content.decode()
    found = re.findall(
        r'<p class="todo__title">(.*?)</p>.*?<a class="btn btn--sm[^"]*" href="([^"]+)">(.*?)<span',
        html,
    )
    return [(title, button, href.replace("&amp;", "&")) for title, href, button in found]


def member(shop, **levels):
    """Somebody with these rights alone, signed in."""
    place = MembershipFactory(merchant=shop, preset=Preset.READ_ONLY)
    Grant.objects.filter(membership=place).delete()
    for function, level in levels.items():
        Grant.objects.create(membership=place, function=function, level=level)
    client = Client()
    client.force_login(place.user)
    return client


@pytest.mark.req("HOME-06", "PERF-08")
def test_one_of_each_counts_one_and_leads_to_the_list_it_counts(signed_in, shop):
    old = 5 * DAY
    made = {
        "New unshipped": unshipped_order(shop),
        "Pending": pending_order(shop),
        "Confirmed": shipped_order(shop, age=old),
        "Cancelled": cancelled_order(shop, age=old),
    }
    with clock.stopped(clock.now() - 2 * DAY):
        given = shipped_order(shop, age=old)
        order_in("cancelled", shop, age=old)
        order_in("pending", shop, age=DAY)
    refund(given)
    made["Refunded"] = given

    shown = figures(signed_in.get("/home/"))

    assert list(shown) == [
        "Ship today", "New unshipped", "Pending", "Confirmed", "Cancelled", "Refunded",
    ]  # fmt: skip
    assert shown.pop("Ship today")[0] == "0"
    for label, (value, href) in shown.items():
        page = signed_in.get(href)
        assert (value, rows(page)) == ("1", numbers(made[label])), label


@pytest.mark.req("HOME-06", "LIST-10")
def test_the_list_says_what_happened_when_and_pages_through_it(signed_in, shop):
    orders = [shipped_order(shop, age=n * DAY) for n in (6, 5, 4)]
    confirm(partially_shipped_order(shop, age=3 * DAY))  # two packages, one order
    page = signed_in.get("/orders/?by=confirmed&range=1d")
    assert "4 orders confirmed in the last day" in words(page)
    assert "Shipped 4 orders" in words(page)
    assert 'href="?range=7d&amp;by=confirmed"' in page.content.decode()
    assert "Confirmed in the last day . Remove this filter" in words(page)
    latest = rows(signed_in.get("/orders/?by=confirmed&range=1d&sort=-date"))
    assert latest[1:] == numbers(*reversed(orders))
    assert (
        words(signed_in.get("/orders/?by=refunded")).count("No orders refunded in the last 3 days.")
        == 1
    )
    assert rows(signed_in.get("/orders/?by=nonsense")) == rows(signed_in.get("/orders/"))


@pytest.mark.req("HOME-06", "LIST-11")
def test_a_list_by_what_happened_is_paged_by_keyset(signed_in, shop):
    made = [shipped_order(shop, age=timedelta(hours=30 - n)) for n in range(27)]
    page = signed_in.get("/orders/?by=confirmed&range=1d")
    assert rows(page) == numbers(*made[:25])
    assert "1–25 of 27" in words(page)
    onward = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
    second = signed_in.get("/orders/" + onward[1].replace("&amp;", "&"))
    assert rows(second) == numbers(*made[25:])


@pytest.mark.req("HOME-06", "IMPL-05")
@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (TUESDAY, ["due"]),
        (datetime(2026, 12, 8, 0, 0, tzinfo=UTC), ["due"]),
        (datetime(2026, 12, 7, 23, 59, 59, tzinfo=UTC), []),
        (datetime(2026, 12, 9, 0, 0, tzinfo=UTC), []),
    ],
)
def test_ship_today_is_what_the_local_day_ends_with(signed_in, shop, moment, shown):
    with clock.stopped(TUESDAY - 4 * DAY):  # bought on Friday, two business days: Tuesday
        due = unshipped_order(shop)
        shipped_order(shop)
    with clock.stopped(moment):
        page = signed_in.get("/home/")
        value, href = figures(page)["Ship today"]
        assert value == str(len(shown))
        there = signed_in.get(href)
        assert rows(there) == (numbers(due) if shown else [])
    assert ("1 order to ship today" in words(there)) is bool(shown)


@pytest.mark.req("LIST-12", "IMPL-05")
def test_today_is_the_local_day_also_when_it_has_25_hours(signed_in, shop):
    """At ten past midnight of 25 October 2026 in London, 24 hours do not reach the day's end."""
    with clock.stopped(datetime(2026, 10, 22, 12, tzinfo=UTC)):
        order = unshipped_order(shop)
    type(order).objects.filter(pk=order.pk).update(
        ship_by_at=datetime(2026, 10, 25, 23, 59, 59, tzinfo=UTC)
    )
    with clock.stopped(datetime(2026, 10, 24, 23, 10, tzinfo=UTC)):
        assert "Ship by today" in words(signed_in.get("/orders/?range=all"))
        assert rows(signed_in.get("/orders/?status=today")) == numbers(order)
    with clock.stopped(datetime(2026, 10, 24, 22, 50, tzinfo=UTC)):
        assert "Ship by today" not in words(signed_in.get("/orders/?range=all"))
        assert rows(signed_in.get("/orders/?status=today")) == []


@pytest.mark.req("HOME-01", "SHIP-19")
def test_late_is_warned_of_until_the_rest_is_confirmed_even_when_refunded(signed_in, shop):
    with clock.stopped(clock.now() - 12 * DAY):
        order = partially_shipped_order(shop, amounts=AMOUNTS, quantity=3)
    late = ("Shipment is late: 1 order", "View orders", "/orders/?status=late")
    assert things(signed_in.get("/home/")) == [late]
    assert rows(signed_in.get(late[2])) == numbers(order)
    assert "1 order whose shipment is late" in words(signed_in.get(late[2]))

    refund(order)
    assert things(signed_in.get("/home/")) == [late]

    confirm(order)
    assert things(signed_in.get("/home/")) == []
    assert "Nothing needs attention." in words(signed_in.get("/home/"))


@pytest.mark.req("HOME-02", "AUTO-08", "AUTO-09")
def test_orders_at_risk_are_counted_and_the_nearest_five_named(signed_in, shop):
    ages = (23.5, 29, 24, 28, 25, 26, 27)
    orders = {age: unshipped_order(shop, age=age * DAY) for age in ages}
    unshipped_order(shop, age=22.9 * DAY)
    partially_shipped_order(shop, age=25 * DAY)

    page = signed_in.get("/home/")

    first = orders[29]
    local = first.deadline_at.astimezone(shop.marketplace.zone)
    limit = f"{local.day} {local:%b %Y}"
    title = f"7 orders at risk, the nearest on {limit}"
    risk = (title, "Confirm Shipment", "/orders/?status=at_risk")
    assert things(page)[0] == risk
    html = page.content.decode()
    named = re.findall(r'<li><a href="/orders/([\d-]+)/">', html)
    assert named == numbers(*(orders[age] for age in (29, 28, 27, 26, 25)))
    text = words(page)
    assert (
        f"Confirm as shipped by {limit} to avoid cancellation ({local:%H:%M} {local.tzname()})"
        in text
    )
    there = signed_in.get(risk[2])
    assert rows(there) == numbers(*(orders[age] for age in sorted(ages, reverse=True)))
    assert "7 orders at risk of cancellation" in words(there)
    assert "the 30 days are the outer limit" in words(there)


@pytest.mark.req("HOME-02")
def test_of_one_order_at_risk_the_button_leads_to_its_form(signed_in, shop):
    order = unshipped_order(shop, age=24 * DAY)
    (title, button, href), late = things(signed_in.get("/home/"))
    assert title.startswith("1 order at risk, to be confirmed by ")
    assert (button, href) == ("Confirm Shipment", f"/orders/{order.number}/confirm-shipment/")
    assert late[0] == "Shipment is late: 1 order"


@pytest.mark.req("HOME-02", "PERMISSION-02", "PERMISSION-03")
def test_who_may_not_confirm_is_led_to_the_list(shop):
    unshipped_order(shop, age=24 * DAY)
    reader = member(shop, manage_orders=Level.VIEW)
    assert things(reader.get("/home/"))[0][1:] == ("View orders", "/orders/?status=at_risk")


@pytest.mark.req("AUTO-09", "LIST-10")
def test_at_risk_is_a_quick_view_while_there_is_such_an_order(signed_in, shop):
    assert "At risk" not in words(signed_in.get("/orders/"))
    order = unshipped_order(shop, age=24 * DAY)
    page = signed_in.get("/orders/?range=1d")
    assert "At risk 1 order" in words(page)
    assert rows(signed_in.get("/orders/?status=at_risk&range=1d")) == numbers(order)
    confirm(order)
    empty = words(signed_in.get("/orders/?status=at_risk"))
    assert "No order is at risk of cancellation." in empty


@pytest.mark.req("HOME-04", "PERF-03")
def test_the_cancellation_rate_is_a_notice_strictly_above_five_percent(signed_in, shop):
    with clock.stopped(TUESDAY):
        orders = [unshipped_order(shop) for _ in range(19)]
        cancelled_order(shop)
        assert things(signed_in.get("/home/")) == []  # 1 of 20: exactly 5.00 %
        cancelled_order(shop)
        (line,) = things(signed_in.get("/home/"))
        assert line == (
            "Your cancellation rate is 9.52%, above 5.00%",
            "View orders",
            "/orders/?by=cancelled&range=30d",
        )
        assert len(rows(signed_in.get(line[2]))) == 2
        assert "2 of 21 orders this month" in words(signed_in.get("/home/"))
    with clock.stopped(TUESDAY + 24 * DAY):
        confirm(orders[0])
        assert "cancellation rate" not in words(signed_in.get("/home/"))


@pytest.mark.req("HOME-01", "HOME-02", "HOME-03", "HOME-04")
def test_the_most_urgent_stand_first_and_at_most_eight(signed_in, shop, monkeypatch):
    unshipped_order(shop, age=24 * DAY)
    asked = []

    def of(urgency, count=1):
        def says(request, at):
            asked.append((urgency, at))
            return [
                attention.Line(urgency, f"{urgency.name} {n}", "", "mail", "info", "Open", "/home/")
                for n in range(count)
            ]

        return says

    more = [
        (Function.MESSAGES, of(attention.Urgency.UNREAD, 7)),
        (Function.CANCEL_ORDERS, of(attention.Urgency.CANCELLATION_REQUESTED)),
        (Function.CLAIMS, of(attention.Urgency.DISPUTE_DUE)),
    ]
    monkeypatch.setattr(attention, "_SOURCES", [*attention._SOURCES, *more])
    titles = [title for title, _button, _href in things(signed_in.get("/home/"))]
    assert titles[0] == "DISPUTE_DUE 0"
    assert titles[1].startswith("1 order at risk")
    assert titles[2:] == [
        "Shipment is late: 1 order", "CANCELLATION_REQUESTED 0",
        "UNREAD 0", "UNREAD 1", "UNREAD 2", "UNREAD 3",
    ]  # fmt: skip
    assert len({at for _urgency, at in asked}) == 1
    asked.clear()
    reader = member(shop, manage_orders=Level.VIEW)
    assert "DISPUTE_DUE" not in words(reader.get("/home/"))
    assert asked == []


@pytest.mark.req("HOME-03", "BUYERCANCEL-03")
def test_open_requests_of_buyers_stand_there_with_their_hours(signed_in, shop, charlie):
    with clock.stopped(TUESDAY):
        first, later = unshipped_order(shop), unshipped_order(shop)
        file_request(first)
        file_request(unshipped_order(shop, is_prime=True))  # the platform's to answer
        file_request(unshipped_order(charlie.memberships.get().merchant))
    answer = f"/orders/{first.number}/cancellation-request/"
    with clock.stopped(TUESDAY + timedelta(hours=5, minutes=30)):
        line = ("Buyer requested cancellation: 43 hours left", "Answer the request", answer)
        assert things(signed_in.get("/home/")) == [line]
        assert signed_in.get(answer).status_code == 200
        file_request(later)
        page = signed_in.get("/home/")
    two = "Buyers requested cancellation of 2 orders, the nearest: 43 hours left"
    assert things(page) == [(two, "Answer the request", answer)]
    assert f"{first.number} 43 hours left {later.number} 48 hours left" in words(page)
    with clock.stopped(TUESDAY + 2 * DAY):
        told = "Buyers requested cancellation of 2 orders, the nearest: answer overdue"
        assert things(signed_in.get("/home/"))[0][0] == told
        reader = member(shop, manage_orders=Level.VIEW)
        assert things(reader.get("/home/"))[0][1:] == ("View order", first.get_absolute_url())
        assert things(member(shop, account_info=Level.EDIT).get("/home/")) == []
        for order in (first, later):
            requests.decline(order_id=order.pk, answer="No.", by=STAFF)
        assert "requested cancellation" not in words(signed_in.get("/home/"))


@pytest.mark.req("NOTIF-11")
def test_an_own_address_that_rejects_mail_is_a_line(signed_in, shop):
    order = unshipped_order(shop)
    mail = order.messages_owed.filter(kind="N02")
    mail.update(state="failed", attempts=8, last_error="550 5.1.1", finished_at=clock.now())
    (line,) = things(signed_in.get("/home/"))
    assert line == (
        "Your notification address rejects mail",
        "Change the address",
        "/settings/account/notifications/",
    )
    assert "“Sold, Ship Now” could not be delivered (550 5.1.1)." in words(signed_in.get("/home/"))
    assert signed_in.get(line[2]).status_code == 200
    looks = member(shop, account_info=Level.VIEW)
    assert things(looks.get("/home/"))[0][1:] == ("Order Notification", "/settings/account/")
    assert "rejects mail" not in words(member(shop, manage_orders=Level.VIEW).get("/home/"))
    mail.update(state="sent", last_error="")
    assert "rejects mail" not in words(signed_in.get("/home/"))


@pytest.mark.req("HOME-05", "NAV-03")
def test_of_fifteen_duties_those_are_linked_that_lead_somewhere(signed_in, shop):
    assert len(DUTIES) == 15
    html = signed_in.get("/home/").content.decode()
    section = html[html.index('<ul class="duties"') :]
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', section[: section.index("</ul>")])
    labels = [label for _href, label in links]
    assert {"Check orders", "Confirm shipments", "Cancel or refund orders"} <= set(labels)
    for href, _label in links:
        assert signed_in.get(href.replace("&amp;", "&")).status_code == 200, href
    reader = member(shop, manage_orders=Level.VIEW)
    text = words(reader.get("/home/"))
    assert "Check orders" in text
    assert "Confirm shipments" not in text
    assert "Cancel or refund orders" not in text


@pytest.mark.req("HOME-07")
def test_the_first_steps_stand_there_until_the_first_confirmation(signed_in, shop):
    order = unshipped_order(shop)
    before = words(signed_in.get("/home/"))
    for step in (
        "Your first order",
        "Check.",
        "Ship to the given address.",
        "Confirm.",
        "Get paid.",
    ):
        assert step in before
    confirm(order)
    assert "Your first order" not in words(signed_in.get("/home/"))


@pytest.mark.req("HOME-06", "IMPL-23")
def test_the_last_fourteen_days_are_a_picture_a_sentence_and_a_table(signed_in, shop):
    with clock.stopped(TUESDAY):
        for age in (0.1, 0.2, 1, 13.3, 13.5):
            unshipped_order(shop, age=age * DAY)
        pending_order(shop, age=1 * DAY)
        page = signed_in.get("/home/")
    html = page.content.decode()
    sentence = (
        "Orders by day from 25 Nov to 8 Dec: 5 in all, the most on 7 Dec with 2,"
        " and 2 so far today."
    )
    assert f'role="img" aria-label="{sentence}"' in html
    table = re.findall(r'<th scope="row"><time[^>]*>([^<]+)</time></th><td class="num">(\d+)', html)
    assert [day for day, _count in table] == [
        *(f"{n} Nov" for n in range(25, 31)), *(f"{n} Dec" for n in range(1, 9)),
    ]  # fmt: skip
    assert [int(count) for _day, count in table] == [1, *[0] * 11, 2, 2]
    assert html.count('<rect class="bar') == 14
    assert "5 orders Orders by day" not in html


@pytest.mark.req("IMPL-05")
def test_a_day_of_the_picture_is_the_marketplaces(client, kenji, japanese_shop):
    client.force_login(kenji)
    with clock.stopped(datetime(2026, 12, 8, 15, 30, tzinfo=UTC)):  # 9 December, 00:30 in Tokyo
        unshipped_order(
            japanese_shop, age=timedelta(minutes=20), amounts={"item_price": Decimal(2400)}
        )
        unshipped_order(
            japanese_shop, age=timedelta(minutes=40), amounts={"item_price": Decimal(2400)}
        )
        html = client.get("/home/").content.decode()
    assert "2026/12/09: 2 in all, the most on 2026/12/08 with 1, and 1 so far today." in html


@pytest.mark.parametrize(
    ("highest", "scale"),
    [(0, [0, 1, 2, 3, 4]), (4, [0, 1, 2, 3, 4]), (5, [0, 2, 4, 6, 8]),
     (1510, [0, 400, 800, 1200, 1600]), (10_001, [0, 3000, 6000, 9000, 12000])],
)  # fmt: skip
def test_the_scale_is_round_and_holds_every_bar(highest, scale):
    shape = charts.bars([("a", highest), ("b", 0)])
    assert [tick.value for tick in shape.ticks] == scale
    assert shape.bars[0].y >= 12
    assert shape.bars[0].y + shape.bars[0].height == pytest.approx(170)
    assert shape.bars[1].height == 0


@pytest.mark.req("HOME-06", "PERMISSION-03", "INV-18")
def test_who_may_not_see_orders_sees_none_of_them(shop):
    unshipped_order(shop, age=24 * DAY, buyer_name="Canary Buyer")
    outsider = member(shop, seller_performance=Level.VIEW)
    page = outsider.get("/home/")
    assert page.status_code == 200
    assert figures(page) == {}
    text = words(page)
    assert "Nothing needs attention." not in text
    assert "Orders, last 14 days" not in text
    assert "You may not see any page of this account yet. Ask its owner." in text


@pytest.mark.req("INV-16", "HOME-06")
def test_another_merchants_orders_are_in_no_figure(client, charlie, shop):
    unshipped_order(shop, age=24 * DAY)
    shipped_order(shop)
    refund(shipped_order(shop))
    client.force_login(charlie)
    page = client.get("/home/")
    assert {value for value, _href in figures(page).values()} == {"0"}
    assert "Nothing needs attention." in words(page)


@pytest.mark.req("NAV-01", "NAV-04")
def test_home_is_where_one_begins(client, alice):
    assert client.get("/home/")["Location"] == "/login/?next=/home/"
    client.force_login(alice)
    assert [step for step, _status in client.get("/", follow=True).redirect_chain] == ["/home/"]
    html = client.get("/home/").content.decode()
    assert "<title>Home – Harbour &amp; Hearth – Seller Central</title>" in html
    assert html.count("<h1>") == 1
    assert 'class="subnav"' not in html  # home belongs to no tab
    assert client.post("/home/").status_code == 405


@pytest.mark.req("LIST-11", "HOME-06")
def test_counting_stops_at_a_bound(signed_in, shop, monkeypatch):
    monkeypatch.setattr(listing, "MOST_COUNTED", 2)
    monkeypatch.setattr(attention, "MOST_COUNTED", 2)
    for _ in range(3):
        shipped_order(shop)
    for _ in range(4):
        unshipped_order(shop)
    shown = figures(signed_in.get("/home/"))
    assert shown["Confirmed"][0] == "2+"
    assert shown["New unshipped"][0] == "2+"
    assert "2+ orders" in words(signed_in.get("/home/"))


@pytest.mark.req("IMPL-18", "HOME-06")
@pytest.mark.parametrize("count", [1, 3, 100])
def test_the_number_of_queries_does_not_grow(signed_in, shop, count, django_assert_max_num_queries):
    for n in range(count):
        unshipped_order(shop, age=(24 + n % 5) * DAY)
        file_request(unshipped_order(shop))
    shipped_order(shop)
    cancelled_order(shop)
    signed_in.get("/home/")  # once a minute a request also keeps the session alive
    with django_assert_max_num_queries(12) as queries:
        page = signed_in.get("/home/")
    assert len(queries) == 10
    assert len(page.content) <= 40_000
    assert len(gzip.compress(page.content)) <= 8_000
