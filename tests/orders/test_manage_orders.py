"""Manage Orders: the list."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from orders.domain import listing
from orders.models import Order
from tests.factories import (
    PLAIN,
    ItemDraft,
    ListingFactory,
    cancelled_order,
    order_in,
    partially_shipped_order,
    pending_order,
    refund,
    shipped_order,
    unshipped_order,
)
from tests.pages import words

DAY = timedelta(days=1)


def rows(page) -> list[str]:
    """Order IDs of the rows, top to bottom."""
    return re.findall(r'<div class="order-id"><a href="/orders/([\d-]+)/">', page.content.decode())


def row_of(page, order: Order) -> str:
    html = page.content.decode()
    start = html.index(f'id="order-{order.number.replace("-", "")}"')
    return html[start : html.index("</tr>", start)]


def numbers(*orders: Order) -> list[str]:
    return [order.number for order in orders]


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.mark.req("LIST-01", "ORDERTYPE-04", "MONEY-13", "IMPL-05")
def test_a_row_shows_what_one_opens_an_order_for(signed_in, shop):
    order = unshipped_order(
        shop, lines=3, quantity=2, is_business=True, purchase_order_number="PO-77"
    )
    page = signed_in.get("/orders/")
    row = row_of(page, order)

    assert "<h1>Manage Orders</h1>" in page.content.decode()
    for item in order.items.filter(line__lte=2):
        assert item.title in row
        assert item.sku in row
    for text in (order.number, "Eilidh MacLeod", "and 1 more item", "Business Buyer", "PO# PO-77",
                 "Standard", "£36.00", "Unshipped", "Confirm Shipment"):  # fmt: skip
        assert text in row
    local = order.purchased_at.astimezone(order.marketplace.zone)
    assert f"{local:%H:%M} {local.tzname()}" in row


@pytest.mark.req("LIST-02", "PENDING-01", "PENDING-13")
def test_the_default_view_holds_what_is_ready_to_ship(signed_in, shop):
    orders = {status: order_in(status, shop) for status in
              ("pending", "unshipped", "partially_shipped", "shipped", "cancelled")}  # fmt: skip
    shown = rows(signed_in.get("/orders/"))
    assert sorted(shown) == sorted(numbers(orders["unshipped"], orders["partially_shipped"]))


@pytest.mark.req("LIST-03", "LIST-04", "LIST-05", "AUTO-08", "K03")
def test_older_orders_that_matter_are_pinned_and_the_others_counted(signed_in, shop):
    young, middle, old = (unshipped_order(shop, age=days * DAY) for days in (1, 10, 24))

    page = signed_in.get("/orders/")

    assert rows(page) == numbers(old, young)
    assert "Older order awaiting shipment" in row_of(page, old)
    text = words(page)
    assert "2 older orders are awaiting shipment" in text
    assert ">Last 3 days</a>" in page.content.decode()
    assert rows(signed_in.get("/orders/?range=all")) == numbers(old, middle, young)


@pytest.mark.req("LIST-04", "K03")
def test_at_risk_orders_are_pinned_beside_the_oldest_one(signed_in, shop):
    oldest = partially_shipped_order(shop, age=29 * DAY)  # charged: never at risk
    risky, riskier = (unshipped_order(shop, age=days * DAY) for days in (23, 26))
    unshipped_order(shop, age=22 * DAY)
    young = unshipped_order(shop, age=DAY)

    page = signed_in.get("/orders/?sort=-date&per_page=50")

    assert rows(page) == numbers(oldest, riskier, risky, young)
    assert "Older order awaiting shipment" not in row_of(page, young)
    unshipped_order(shop, age=100 * DAY)
    for other in ("range=3d", "status=unshipped", "sub_type=standard", "advanced=1&pending=1"):
        assert "Older order awaiting shipment" not in words(signed_in.get(f"/orders/?{other}"))


@pytest.mark.req("LIST-05")
def test_a_banner_counts_open_orders_outside_the_range(signed_in, shop):
    unshipped_order(shop, age=10 * DAY)
    page = signed_in.get("/orders/?range=7d")
    assert "1 older order is awaiting shipment." in words(page)
    assert rows(page) == []


@pytest.mark.req("LIST-05")
def test_the_banner_stands_also_above_results_of_a_search(signed_in, shop):
    unshipped_order(shop, age=100 * DAY)
    found = unshipped_order(shop, age=DAY)
    page = signed_in.get(f"/orders/?search=order_id&keyword={found.number}")
    assert "1 older order is awaiting shipment." in words(page)
    assert rows(page) == numbers(found)


@pytest.mark.req("LIST-05")
def test_what_lies_after_a_range_is_not_called_older(signed_in, shop):
    unshipped_order(shop, age=DAY)
    page = signed_in.get("/orders/?range=custom&to=2020-01-31")
    assert "1 order of other dates is awaiting shipment." in words(page)
    assert "older order" not in words(page)


@pytest.mark.req("LIST-04")
def test_more_orders_at_risk_than_a_page_holds_are_led_to(signed_in, shop, monkeypatch):
    monkeypatch.setattr(listing, "MOST_PINNED", 2)
    risky = [unshipped_order(shop, age=days * DAY) for days in (24, 25, 26)]
    page = signed_in.get("/orders/")
    assert rows(page) == numbers(risky[2], risky[1])
    assert "3 are at risk; the nearest to their deadline are shown here." in words(page)
    assert rows(signed_in.get("/orders/?status=at_risk")) == numbers(*reversed(risky))


@pytest.mark.req("LIST-06", "IMPL-05")
def test_ranges_are_rolling_hours_and_keep_the_status(signed_in, shop):
    inside = shipped_order(shop, age=timedelta(hours=23))
    shipped_order(shop, age=timedelta(hours=25))

    page = signed_in.get("/orders/?status=shipped&range=1d")

    assert rows(page) == numbers(inside)
    html = page.content.decode()
    assert 'href="?status=shipped">Last 3 days' in html
    for value in ("7d", "30d", "90d"):
        assert f'href="?status=shipped&amp;range={value}"' in html


@pytest.mark.req("LIST-07", "IMPL-05", "IMPL-33")
def test_a_custom_range_takes_local_days_also_on_clock_change_days(signed_in, shop):
    with clock.stopped(datetime(2026, 11, 10, 12, tzinfo=UTC)):
        # October 2026 in London: from 30 Sep 23:00 UTC to 1 Nov 00:00 UTC.
        first = _at(shop, datetime(2026, 9, 30, 23, 0, tzinfo=UTC))
        last = _at(shop, datetime(2026, 10, 31, 23, 59, tzinfo=UTC))
        _at(shop, datetime(2026, 9, 30, 22, 59, tzinfo=UTC))
        _at(shop, datetime(2026, 11, 1, 0, 0, tzinfo=UTC))
        page = signed_in.get("/orders/?from=2026-10-01&to=2026-10-31")
        assert rows(page) == numbers(first, last)


def _at(shop, instant):
    return unshipped_order(shop, purchased_at=instant)


@pytest.mark.req("LIST-07", "IMPL-25")
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=2026-10-02&to=2026-10-01", "From must be before To"),
        ("from=2026-02-30", "Enter a date, like 8 Dec 2026"),
        ("from=20261001", "Enter a date, like 8 Dec 2026"),
        ("to=2026-W01-1", "Enter a date, like 8 Dec 2026"),
        ("from=9999-01-01", "Enter a date, like 8 Dec 2026"),
        ("from=%EF%BC%92026-10-01", "Enter a date, like 8 Dec 2026"),
        ("from=2004-01-01&to=2026-01-01", "Choose at most two years"),
    ],
)
def test_a_range_that_makes_no_sense_gets_a_message(signed_in, shop, query, message):
    order = unshipped_order(shop)
    answer = signed_in.get(f"/orders/?{query}")
    assert answer.status_code == 422
    assert message in words(answer)
    assert rows(answer) == numbers(order)  # the list is unchanged
    assert "placed in the last 3 days" in words(answer)


@pytest.mark.req("LIST-07", "IMPL-33")
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("from=2026-10-01&to=2026-10-31", "placed from 1 Oct to 31 Oct 2026"),
        ("from=2025-12-01&to=2026-01-31", "placed from 1 Dec 2025 to 31 Jan 2026"),
        ("from=2026-10-01", "placed since 1 Oct 2026"),
        ("to=2026-10-31", "placed up to 31 Oct 2026"),
        ("range=1d", "placed in the last day"),
        ("range=all", "of all dates"),
    ],
)
def test_the_heading_says_the_range_in_words(signed_in, shop, query, told):
    unshipped_order(shop)
    assert told in words(signed_in.get(f"/orders/?status=all&{query}"))


@pytest.mark.req("LIST-08", "LIST-09")
def test_sorting_by_date_and_by_status_is_stable(signed_in, shop):
    statuses = ("shipped", "cancelled", "pending", "unshipped", "partially_shipped")
    made = {
        status: order_in(status, shop, age=2 * DAY - timedelta(minutes=n))
        for n, status in enumerate(statuses)
    }
    twin = shipped_order(shop, purchased_at=made["shipped"].purchased_at)
    twins = sorted(numbers(made["shipped"], twin))
    by_status = numbers(made["pending"], made["unshipped"], made["partially_shipped"])
    by_status += [*twins, made["cancelled"].number]

    ascending = rows(signed_in.get("/orders/?status=all&sort=status"))
    descending = rows(signed_in.get("/orders/?status=all&sort=-status"))
    latest = rows(signed_in.get("/orders/?status=all&sort=-date"))

    assert ascending == by_status
    assert descending == by_status[::-1]
    assert latest[0] == made["partially_shipped"].number
    assert latest[-2:] == twins[::-1]


@pytest.mark.req("LIST-10", "IMPL-11", "TH-33")
@pytest.mark.parametrize(
    "query",
    [
        "sort=xyz", "status=lost", "range=-1d", "range=1e9", "per_page=1000000", "after=abc",
        "after=W10", "before=%25", "status__in=x", "merchant__id=1", "_connector=OR", "sub_type=x",
        "page=0", "search=nope", "sort=date&sort=-date",
        pytest.param(f"after={'W1tb' * 1000}", id="after=nested without end"),
    ],
)  # fmt: skip
def test_unknown_values_fall_back_to_the_default(signed_in, shop, query):
    order = unshipped_order(shop)
    answer = signed_in.get(f"/orders/?{query}")
    assert answer.status_code == 200
    assert rows(answer) == numbers(order)


@pytest.mark.req("LIST-10", "IMPL-11")
@pytest.mark.parametrize("query", ["q=%00", "q=%ff%fe", "keyword=%1b", "q=%ed%a0%80"])
def test_characters_that_no_field_can_hold_get_a_clear_400(signed_in, shop, query):
    answer = signed_in.get(f"/orders/?{query}")
    assert answer.status_code == 400
    assert "This address cannot be read" in words(answer)


@pytest.mark.req("LIST-11", "LIST-10")
@pytest.mark.parametrize("sort", ["date", "-date", "status", "-status"])
def test_pages_follow_each_other_without_gap_or_repeat(signed_in, shop, sort):
    listing = ListingFactory(merchant=shop)
    same = clock.now() - DAY
    for n in range(27):
        at = same if n % 3 else same - timedelta(minutes=n)
        order_in(("unshipped", "pending")[n % 2], shop, purchased_at=at,
                 lines=[ItemDraft(listing.sku, 1, PLAIN)])  # fmt: skip

    page = signed_in.get(f"/orders/?status=all&sort={sort}")
    assert "1–25 of 27" in words(page)
    following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
    second = signed_in.get("/orders/" + following.group(1).replace("&amp;", "&"))
    assert "26–27 of 27" in words(second)
    back = re.search(r'rel="prev" href="([^"]+)"', second.content.decode())
    first = signed_in.get("/orders/" + back.group(1).replace("&amp;", "&"))

    seen = rows(page) + rows(second)
    assert len(seen) == len(set(seen)) == 27
    assert rows(first) == rows(page)
    assert f"sort={sort}" in following.group(1) or sort == "date"


@pytest.mark.req("LIST-11")
def test_the_page_size_is_remembered(signed_in, shop, alice):
    for _ in range(26):
        pending_order(shop)
    answer = signed_in.post(
        "/orders/preferences/", {"per_page": "50", "next": "/orders/?status=all"}
    )
    assert answer.url == "/orders/?status=all"
    assert "1–26 of 26" in words(signed_in.get(answer.url))
    assert (
        signed_in.post("/orders/preferences/", {"per_page": "7", "next": "//evil"}).url
        == "/orders/"
    )
    assert alice.memberships.get().list_page_size == 50


@pytest.mark.req("LIST-12", "SHIP-19", "REFUND-15", "AUTO-08", "HOME-02")
def test_flags_stand_under_the_status(signed_in, shop):
    risky = unshipped_order(shop, age=24 * DAY)
    late = partially_shipped_order(shop, age=24 * DAY)
    refund(late, "5.00")
    whole = shipped_order(shop)
    refund(whole)
    page = signed_in.get("/orders/?status=all&range=90d")

    local = risky.deadline_at.astimezone(shop.marketplace.zone)
    assert "Shipment is late" in row_of(page, risky)
    assert "Confirm as shipped by" in row_of(page, risky)
    assert f"{local.day} {local:%b %Y}</time> to avoid cancellation" in row_of(page, risky)
    assert f"({local:%H:%M} {local.tzname()})" in row_of(page, risky)
    assert "Shipment is late" in row_of(page, late)
    assert "Partly refunded" in row_of(page, late)
    assert "avoid cancellation" not in row_of(page, late)
    assert ">Refunded<" in row_of(page, whole)


@pytest.mark.req("AUTO-08")
def test_the_warning_begins_seven_days_before_the_deadline(signed_in, shop):
    order = unshipped_order(shop)
    with clock.stopped(order.page_warning_at - timedelta(seconds=1)):
        assert "avoid cancellation" not in words(signed_in.get("/orders/?range=all"))
    with clock.stopped(order.page_warning_at):
        assert "avoid cancellation" in words(signed_in.get("/orders/?range=all"))


@pytest.mark.req("LIST-13", "LIST-14", "PENDING-05")
@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        ("unshipped", ["Confirm Shipment", "Print order packing slip", "Cancel Order"]),
        ("partially_shipped", ["Confirm Shipment", "Print order packing slip", "Refund Order"]),
        ("shipped", ["Refund Order", "Print order packing slip"]),
        ("pending", []),
        ("cancelled", []),
    ],
)
def test_buttons_by_state(signed_in, shop, status, buttons):
    order = order_in(status, shop)
    row = row_of(signed_in.get("/orders/?status=all"), order)
    assert re.findall(r'<a class="(?:btn|linkbtn)[^>]*>([^<]+)<', row) == buttons
    assert ('type="checkbox"' in row) == bool(buttons)
    assert ('class="is-pending"' in row) == (status == "pending")


@pytest.mark.req("LIST-13", "PERMISSION-03", "NAV-03")
def test_buttons_depend_on_permission(client, bob, shop):
    order = unshipped_order(shop)
    client.force_login(bob)
    row = row_of(client.get("/orders/"), order)
    assert re.findall(r'<a class="(?:btn|linkbtn)[^>]*>([^<]+)<', row) == [
        "Print order packing slip"
    ]


@pytest.mark.req("LIST-16")
def test_quick_views_count_what_they_list(signed_in, shop):
    for status in ("shipped", "shipped", "shipped", "cancelled", "unshipped"):
        order_in(status, shop)
    shipped_order(shop, age=20 * DAY)
    text = words(signed_in.get("/orders/"))
    for label, count in (
        ("Shipped", 3),
        ("Cancelled", 1),
        ("Unshipped", 1),
        ("Pending", 0),
        ("All", 5),
    ):
        assert f"{label} {count} {'order' if count == 1 else 'orders'}" in text
    assert len(rows(signed_in.get("/orders/?status=shipped"))) == 3


@pytest.mark.req("LIST-16", "SEARCH-08")
def test_the_quick_view_that_is_current_is_what_is_listed(signed_in, shop):
    shipped_order(shop)
    for query, label in (("", "Ready to ship"), ("?status=shipped", "Shipped"),
                         ("?advanced=1&pending=1", "All"), ("?q=mug", "All")):  # fmt: skip
        html = signed_in.get(f"/orders/{query}").content.decode()
        assert re.search(rf'aria-current="page">{label} <span class="quickview__count"', html), (
            query
        )


@pytest.mark.req("LIST-16", "SEARCH-08")
@pytest.mark.parametrize("tick", ["", "&pending=1"])
@pytest.mark.parametrize("search", ["advanced=1", "search=product_name&keyword=cup"])
def test_all_counts_pending_orders_only_where_it_lists_them(signed_in, shop, search, tick):
    cup = ListingFactory(merchant=shop, title="Cup")
    for status in ("pending", "unshipped", "cancelled"):
        order_in(status, shop, lines=[ItemDraft(cup.sku, 1, PLAIN)])
    for every in ("", "&status=all"):
        page = signed_in.get(f"/orders/?{search}{tick}{every}")
        assert len(rows(page)) == (3 if tick else 2)
        assert f"All {len(rows(page))} orders" in words(page)


@pytest.mark.req("IMPL-08", "LIST-16")
def test_an_empty_view_says_of_what_there_is_none(signed_in, shop):
    shipped_order(shop)
    for query, told in (
        ("?status=pending", "No pending orders in the last 3 days."),
        ("?status=cancelled&range=1d", "No cancelled orders in the last day."),
        ("?status=attention", "No order needs attention."),
    ):
        page = signed_in.get(f"/orders/{query}")
        assert page.status_code == 200
        assert told in words(page)


@pytest.mark.req("LIST-16", "HOME-01")
def test_needs_attention_ignores_the_range(signed_in, shop):
    late = partially_shipped_order(shop, age=24 * DAY)
    unshipped_order(shop)
    page = signed_in.get("/orders/?status=attention")
    assert rows(page) == numbers(late)
    assert "Needs attention 1 order " in words(page)


@pytest.mark.req("LIST-18", "TH-10")
def test_the_list_is_never_served_stale(signed_in, shop):
    unshipped_order(shop)
    answer = signed_in.get("/orders/")
    assert answer["Cache-Control"] == "no-store"
    assert "Updated" in words(answer)


@pytest.mark.req("NOTIF-12")
@pytest.mark.parametrize("query", ["", "?status=all", "?q=nothing-like-it"])
def test_the_list_says_that_it_and_not_e_mail_is_the_truth(signed_in, shop, query):
    unshipped_order(shop)
    told = "Manage Orders, not e-mail, is the source of truth"
    assert told in words(signed_in.get(f"/orders/{query}"))


@pytest.mark.req("ORDERTYPE-01", "ORDERTYPE-02", "ORDERTYPE-03")
def test_sub_types_are_derived_and_filtered(signed_in, shop):
    prime = unshipped_order(shop, is_prime=True)
    both = unshipped_order(shop, is_prime=True, is_business=True)
    second = unshipped_order(shop, ship_service_level="second-day")
    unshipped_order(shop, is_business=True)
    unshipped_order(shop)
    page = signed_in.get("/orders/?sub_type=prime&sub_type=business-prime")
    assert rows(page) == numbers(prime, both)
    assert second.sub_type == "second-day"


@pytest.mark.req("PENDING-06", "K04", "LIST-02")
def test_a_marketplace_may_show_pending_orders_by_default(client, kenji, japanese_shop):
    order = pending_order(japanese_shop)
    client.force_login(kenji)
    assert rows(client.get("/orders/")) == numbers(order)


@pytest.mark.req("IMPL-08")
def test_a_shop_without_orders_is_told_how_they_come(signed_in, shop):
    assert "No orders yet" in words(signed_in.get("/orders/"))


@pytest.mark.req("IMPL-18", "IMPL-03")
@pytest.mark.parametrize("count", [1, 3, 100])
def test_the_number_of_queries_does_not_grow(
    signed_in, shop, alice, count, django_assert_max_num_queries
):
    listing = ListingFactory(merchant=shop)
    for _ in range(count):
        unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    alice.memberships.update(list_page_size=100)
    signed_in.get("/orders/")
    for query in ("", "?range=all", "?search=sku&keyword=" + listing.sku):
        with django_assert_max_num_queries(11) as queries:
            page = signed_in.get(f"/orders/{query}")
        assert len(rows(page)) == count
        assert len(_asked(queries)) <= 8, "\n".join(_asked(queries))


def _asked(queries) -> list[str]:
    """Statements about data, without those that begin or end a savepoint."""
    return [q["sql"][:150] for q in queries.captured_queries if "SAVEPOINT" not in q["sql"]]


@pytest.mark.req("IMPL-03", "INV-16")
def test_another_merchant_sees_nothing(client, charlie, shop):
    for status in ("unshipped", "shipped"):
        order_in(status, shop)
    cancelled_order(shop)
    client.force_login(charlie)
    for query in (
        "?status=all&range=all",
        "?search=buyer_email&keyword=eilidh.macleod@mail.example",
    ):
        assert rows(client.get(f"/orders/{query}")) == []
