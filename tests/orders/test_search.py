"""Advanced Search and the plain search box."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from core import clock
from orders.domain import searching
from tests.factories import (
    PLAIN,
    ItemDraft,
    ListingFactory,
    pending_order,
    shipped_order,
    unshipped_order,
)
from tests.orders.test_manage_orders import numbers, rows
from tests.pages import words

DAY = timedelta(days=1)


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def find(client, kind, keyword, **more):
    return client.get("/orders/", {"search": kind, "keyword": keyword, "advanced": "1"} | more)


def sold(shop, title, **changes):
    listing = ListingFactory(merchant=shop, title=title)
    return unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)], **changes)


@pytest.mark.req("SEARCH-01", "SEARCH-02", "SEARCH-08")
def test_the_form_has_its_labels_and_five_kinds(signed_in, shop):
    unshipped_order(shop)
    html = signed_in.get("/orders/").content.decode()
    assert re.findall(r'href="\?([^"]*)"[^>]*>(Advanced Search|Custom)<', html) == [
        ("advanced=1&amp;pending=1#from", "Custom"),
        ("advanced=1&amp;pending=1#advanced-search", "Advanced Search"),
    ]
    page = signed_in.get("/orders/?advanced=1&pending=1")
    text = words(page)
    for label in ("Search", "Keyword", "From", "To", "Include Pending Orders", "Order Sub Type"):
        assert label in text
    kinds = "Buyer e-mail Listing ID Your Merchant SKU Order ID Product Name"
    assert kinds in text
    assert 'name="pending" value="1" checked' in page.content.decode()
    form = page.content.decode().split('id="advanced-search"')[1].split("</form>")[0]
    assert re.findall(r"<button[^>]*>(?:<svg.*?</svg>)?([^<]+)", form) == ["Search"]
    options = re.findall(r"<option[^>]*>([^<]+)", form)
    assert len(options) == 5


@pytest.mark.req("SEARCH-08")
def test_own_dates_leave_the_box_as_it_was_set(signed_in, shop):
    unshipped_order(shop)
    html = signed_in.get("/orders/?advanced=1&search=sku&keyword=x").content.decode()
    custom = re.search(r'href="([^"]+)"[^>]*>Custom<', html)[1]
    assert "pending" not in custom


@pytest.mark.req("SEARCH-03", "SEARCH-05", "SEARCH-07")
def test_an_order_id_is_found_with_or_without_hyphens(signed_in, shop):
    order = unshipped_order(shop)
    unshipped_order(shop)
    for typed in (order.number, order.number.replace("-", ""), f"  {order.number} "):
        assert rows(find(signed_in, "order_id", typed)) == numbers(order)


@pytest.mark.req("SEARCH-07", "IMPL-25")
@pytest.mark.parametrize(
    "typed", ["12-34", "2031234567123456", "203123456712345678", "２03-1234567-1234567"]
)
def test_a_malformed_order_id_gets_a_message_before_any_search(signed_in, shop, typed):
    unshipped_order(shop)
    answer = find(signed_in, "order_id", typed)
    assert answer.status_code == 422
    assert "An Order ID has 17 digits, like 203-1234567-1234567" in words(answer)
    assert f'value="{typed}"' in answer.content.decode()


@pytest.mark.req("SEARCH-04", "SEARCH-06", "IMPL-03")
def test_a_miss_is_a_page_that_leads_on(signed_in, shop, charlie):
    old = unshipped_order(shop, age=100 * DAY)
    foreign = unshipped_order(charlie.memberships.get().merchant)

    missing = find(signed_in, "order_id", old.number)
    other = find(signed_in, "order_id", foreign.number)

    assert (missing.status_code, other.status_code) == (404, 404)
    text = words(missing)
    assert "Order not found" in text
    assert "Check that you typed all 17 digits" in text
    link = f"/orders/?search=order_id&keyword={old.number}&range=all&pending=1"
    assert link.replace("&", "&amp;") in missing.content.decode()
    assert rows(signed_in.get(link)) == numbers(old)
    assert words(missing).replace(old.number, "") == words(other).replace(foreign.number, "")


@pytest.mark.req("SEARCH-03")
def test_an_email_is_found_exactly_in_any_case_and_never_by_a_part(signed_in, shop):
    order = unshipped_order(shop)
    assert rows(find(signed_in, "buyer_email", "EILIDH.macleod@MAIL.example")) == numbers(order)
    assert rows(find(signed_in, "buyer_email", "macleod@mail.example")) == []
    assert find(signed_in, "buyer_email", "eilidh").status_code == 422


@pytest.mark.req("SEARCH-03")
def test_a_relay_address_is_found_too(client, kenji, japanese_shop):
    order = unshipped_order(japanese_shop)
    client.force_login(kenji)
    assert rows(find(client, "buyer_email", f"{order.number}@relay.invalid")) == numbers(order)


@pytest.mark.req("SEARCH-03", "SEARCH-11")
def test_sku_and_listing_id_match_any_item_exactly(signed_in, shop):
    listing = ListingFactory(merchant=shop, sku="HH-Mug-1", listing_id="LABC123XYZ")
    other = ListingFactory(merchant=shop)
    order = unshipped_order(
        shop, lines=[ItemDraft(other.sku, 1, PLAIN), ItemDraft(listing.sku, 1, PLAIN)]
    )
    assert rows(find(signed_in, "sku", "hh-mug-1")) == numbers(order)
    assert rows(find(signed_in, "listing_id", "labc123xyz")) == numbers(order)
    assert rows(find(signed_in, "sku", "hh-mug")) == []


@pytest.mark.req("SEARCH-03", "IMPL-27")
def test_product_words_are_taken_literally(signed_in, shop):
    wool = sold(shop, "Scarf, 100% Wool")
    under = sold(shop, "a_b\\c 'quoted'")
    cup = sold(shop, "湯呑み Sea Glass")
    sold(shop, "Plain")
    for typed, found in (
        ("100%", [wool]), ("%", [wool]), ("_", [under]), ("\\", [under]), ("'", [under]),
        ("sea GLASS", [cup]), ("湯呑", [cup]), ("*", []), ("' OR 1=1 --", []),
    ):  # fmt: skip
        assert rows(find(signed_in, "product_name", typed)) == numbers(*found), typed


@pytest.mark.req("SEARCH-03")
def test_an_order_is_found_by_the_title_it_was_sold_under(signed_in, shop):
    listing = ListingFactory(merchant=shop, title="Old name")
    first = unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    listing.title = "New name"
    listing.save()
    second = unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    assert rows(find(signed_in, "product_name", "old name")) == numbers(first)
    assert rows(find(signed_in, "product_name", "new name")) == numbers(second)
    assert rows(find(signed_in, "sku", listing.sku)) == numbers(first, second)


@pytest.mark.req("SEARCH-04")
def test_a_search_looks_back_90_days_unless_told_otherwise(signed_in, shop):
    near, far = sold(shop, "Same cup", age=89 * DAY), sold(shop, "Same cup", age=91 * DAY)
    assert rows(find(signed_in, "product_name", "same cup")) == numbers(near)
    assert rows(find(signed_in, "product_name", "same cup", range="all")) == numbers(far, near)


@pytest.mark.req("SEARCH-08")
def test_pending_orders_come_with_the_tick_only(signed_in, shop):
    listing = ListingFactory(merchant=shop)
    order = pending_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    assert rows(find(signed_in, "sku", listing.sku)) == []
    assert rows(find(signed_in, "sku", listing.sku, pending="1")) == numbers(order)


@pytest.mark.req("SEARCH-09", "LIST-10")
def test_criteria_survive_paging_and_sorting(signed_in, shop):
    listing = ListingFactory(merchant=shop)
    for _ in range(27):
        shipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    page = find(signed_in, "sku", listing.sku)
    html = page.content.decode()
    assert f'name="keyword" value="{listing.sku}"' in html
    assert "1–25 of 27" in words(page)
    following = html.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = signed_in.get("/orders/" + following)
    assert len(rows(second)) == 2
    assert f'name="keyword" value="{listing.sku}"' in second.content.decode()
    assert 'class="btn btn--quiet" href="/orders/">Clear' in html


@pytest.mark.req("SEARCH-09", "LIST-11")
@pytest.mark.parametrize("sort", ["date", "-date"])
def test_pages_of_a_search_miss_nothing_among_equal_instants(signed_in, shop, sort):
    listing = ListingFactory(merchant=shop)
    first = unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)] * 2)
    for _ in range(29):
        unshipped_order(
            shop, purchased_at=first.purchased_at, lines=[ItemDraft(listing.sku, 1, PLAIN)]
        )
    page = find(signed_in, "sku", listing.sku, sort=sort)
    following = page.content.decode().split('rel="next" href="')[1].split('"')[0]
    second = signed_in.get("/orders/" + following.replace("&amp;", "&"))
    seen = rows(page) + rows(second)
    assert (len(seen), len(set(seen))) == (30, 30)
    assert seen == sorted(seen, reverse=sort == "-date")


@pytest.mark.req("SEARCH-10")
def test_no_keyword_lists_the_range(signed_in, shop):
    orders = [shipped_order(shop, age=6 * DAY), unshipped_order(shop, age=5 * DAY)]
    sold(shop, "Too old", age=8 * DAY)
    assert rows(find(signed_in, "order_id", "", range="7d")) == numbers(*orders)


@pytest.mark.req("LIST-01")
def test_the_plain_box_tells_by_its_shape_what_is_looked_for(signed_in, shop):
    listing = ListingFactory(merchant=shop, title="Beeswax candles")
    order = unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    for typed in (
        order.number,
        "eilidh.macleod@mail.example",
        listing.sku,
        listing.listing_id,
        "beeswax",
    ):
        page = signed_in.get("/orders/", {"q": typed})
        assert rows(page) == numbers(order), typed


@pytest.mark.req("LIST-10")
def test_an_overlong_keyword_is_cut_with_a_message(signed_in, shop):
    unshipped_order(shop)
    answer = find(signed_in, "product_name", "x" * 10_000)
    assert answer.status_code == 422
    assert "Only the first 200 characters are searched" in words(answer)


@pytest.mark.req("SEARCH-09", "LIST-11", "LIST-16")
def test_a_search_that_finds_too_many_to_count_says_so(signed_in, shop, monkeypatch):
    """Where counting stopped, each number is the least there are (performance 3)."""
    monkeypatch.setattr(searching, "MOST_FOUND", 5)
    listing = ListingFactory(merchant=shop)
    for _ in range(5):
        shipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    assert "1–5 of 5 " in words(find(signed_in, "sku", listing.sku))
    shipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    shipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    answer = words(find(signed_in, "sku", listing.sku))
    for told in ("6+ orders placed in the last 90 days", "1–7 of 7+", "Shipped 6+ orders"):
        assert told in answer, answer


@pytest.mark.req("SD-10")
def test_one_person_searches_so_often_a_minute(signed_in, shop, settings):
    settings.SEARCHES_A_MINUTE = 3
    order = unshipped_order(shop)
    with clock.stopped(clock.now()):
        answers = [find(signed_in, "order_id", order.number) for _again in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert "At most 3 searches a minute" in words(answers[-1])
    assert signed_in.get("/orders/").status_code == 200  # the list is no search
