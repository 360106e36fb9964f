"""4.1 Search box (BI-SRCH)."""

from __future__ import annotations

import pytest

from tests.bad_input.strings import COMMON
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

ID_MESSAGE = "An Order ID has 17 digits, like 203-1234567-1234567"
LONG_MESSAGE = "Only the first 200 characters are searched"


def find(client, kind, keyword, **more):
    return client.get("/orders/", {"search": kind, "keyword": keyword, "range": "all"} | more)


@pytest.mark.req("SEARCH-03", "SEARCH-07", "IMPL-25")
@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("{0} {0}", id="SRCH-1 several IDs pasted"),
        pytest.param("Order ID: {0}", id="SRCH-1 whole line pasted"),
        pytest.param("{0}a", id="SRCH-1 text behind"),
        pytest.param("order", id="SRCH-1 lower-case text"),
        pytest.param("{0}1", id="SRCH-1 18 digits"),
        pytest.param("1234567890123456", id="SRCH-1 16 digits"),
        pytest.param("٢٠٣-١٢٣٤٥٦٧-١٢٣٤٥٦٧", id="SRCH-1 digits of another script"),
        pytest.param("203-1234567-123456７", id="SRCH-1 one full-width digit"),
    ],
)
def test_what_is_no_order_id_gets_the_message_and_stays(signed_in, shop, typed):
    order = unshipped_order(shop)
    answer = find(signed_in, "order_id", typed.format(order.number))
    assert answer.status_code == 422
    assert ID_MESSAGE in words(answer)
    assert f'value="{typed.format(order.number)}"' in answer.content.decode()
    assert order.buyer_name not in words(answer)


@pytest.mark.req("SEARCH-03")
@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u3000", "  \n"])
def test_blanks_around_an_order_id_do_not_matter(signed_in, shop, blank):
    """SRCH-1: found when it is one valid ID after trimming."""
    order = unshipped_order(shop)
    for number in (order.number, order.number.replace("-", "")):
        assert rows(find(signed_in, "order_id", f"{blank}{number}{blank}")) == numbers(order)


@pytest.mark.req("SEARCH-03", "TH-33")
@pytest.mark.parametrize("typed", ["%", "_", "\\", "*", "'", '"', "%%", "\\%", "a%b", "100\\%"])
def test_wildcards_in_product_names_are_taken_literally(signed_in, shop, typed):
    """SRCH-3."""
    listing = ListingFactory(merchant=shop, title="Plain Mug 100")
    unshipped_order(shop, lines=[ItemDraft(listing.sku, 1, PLAIN)])
    named = ListingFactory(merchant=shop, title=f"Mug {typed} of wool")
    order = unshipped_order(shop, lines=[ItemDraft(named.sku, 1, PLAIN)])
    assert rows(find(signed_in, "product_name", typed)) == numbers(order)


@pytest.mark.req("LIST-10", "TH-34")
@pytest.mark.parametrize("kind", ["product_name", "sku", "listing_id", "buyer_email", "order_id"])
@pytest.mark.parametrize("typed", ["x" * 10_000, "word " * 5_000], ids=["SRCH-4 letters", "words"])
def test_an_overlong_keyword_is_cut_with_a_message(signed_in, shop, kind, typed):
    answer = find(signed_in, kind, typed)
    assert answer.status_code == 422
    assert LONG_MESSAGE in words(answer) or ID_MESSAGE in words(answer)
    plain = signed_in.get("/orders/", {"q": typed})
    assert plain.status_code == 422
    assert LONG_MESSAGE in words(plain)


@pytest.mark.req("SEARCH-03", "INV-17")
@pytest.mark.parametrize(
    ("stored", "typed", "found"),
    [
        pytest.param("Zoe.B@mail.example", "ZOE.b@MAIL.example", True, id="SRCH-5 upper case"),
        pytest.param("zoe+tag@mail.example", "zoe+tag@mail.example", True, id="SRCH-5 plus tag"),
        pytest.param("zoe+tag@mail.example", "zoe@mail.example", False, id="SRCH-5 without tag"),
        pytest.param("o'hara@mail.example", "o'hara@mail.example", True, id="SRCH-5 quote"),
        pytest.param("zoe@mail.example", "oe@mail.example", False, id="SRCH-5 a part"),
        pytest.param("zoe@mail.example", "zoe@mail", False, id="SRCH-5 no domain"),
        pytest.param("zoe@mail.example", "z%@mail.example", False, id="SRCH-5 wildcard"),
    ],
)
def test_an_email_address_matches_whole_or_not(signed_in, shop, stored, typed, found):
    from tests.factories import CONTACT, ContactDraft

    values = {name: getattr(CONTACT, name) for name in CONTACT.__slots__}
    order = unshipped_order(shop, contact=ContactDraft(**values | {"buyer_email": stored}))
    answer = find(signed_in, "buyer_email", typed)
    assert answer.status_code == 200
    assert rows(answer) == (numbers(order) if found else [])


@pytest.mark.req("SEARCH-03", "IMPL-25")
@pytest.mark.parametrize(
    "typed", ["zoe", "@", "@mail.example", "zoe@", f"{'z' * 300}@mail.example"]
)
def test_what_is_no_email_address_is_told_so(signed_in, shop, typed):
    """SRCH-5."""
    answer = find(signed_in, "buyer_email", typed)
    assert answer.status_code == 422
    assert "This is not an e-mail address" in words(answer) or LONG_MESSAGE in words(answer)


@pytest.mark.req("LIST-10", "TH-33")
@pytest.mark.parametrize(
    "query",
    [
        "search=nope&keyword=x", "search[]=sku&keyword[]=x", "search=sku&search=nope",
        "keyword[$ne]=1", "status__in=pending", "merchant__id=1", "_connector=OR", "_negated=1",
        "order__merchant=1", "items__sku=x", "sub_type[]=x", "sub_type=__all__", "sort=number",
        "sort=merchant_id", "status=PENDING", "status=pending,shipped", "pk=1", "id=1",
    ],
)  # fmt: skip
def test_names_and_values_that_do_not_exist_are_ignored(signed_in, shop, charlie, query):
    """SRCH-6: they never reach the ORM by name."""
    order = unshipped_order(shop)
    foreign = unshipped_order(charlie.memberships.get().merchant)
    answer = signed_in.get(f"/orders/?{query}")
    assert answer.status_code in (200, 422)
    assert foreign.number not in answer.content.decode()
    if "keyword=" not in query:
        assert rows(answer) == numbers(order)


@pytest.mark.req("INV-17", "SEARCH-03")
@pytest.mark.parametrize("sort", ["buyer_email", "-buyer_email", "recipient_name", "date"])
def test_a_pending_orders_contact_is_not_to_be_guessed_at(signed_in, shop, sort):
    """SRCH-8: neither by a part of the address nor by a hidden column's order."""
    pending_order(shop)
    shipped_order(shop)
    for typed in ("eilidh.macleod@mail", "Receiver", "PA75", "Harbour Row"):
        for kind in ("buyer_email", "product_name", "sku"):
            answer = find(signed_in, kind, typed, pending="1", sort=sort)
            assert answer.status_code in (200, 422)
            assert rows(answer) == []
    for page in (find(signed_in, "buyer_email", "eilidh.macleod@mail.example", pending="1"),):
        assert "Harbour Row" not in words(page)


@pytest.mark.req("G-5", "IMPL-25", "TH-27", "TH-34")
@pytest.mark.parametrize(
    "field", ["q", "keyword", "from", "to", "status", "sort", "after", "before"]
)
def test_any_text_in_any_parameter_of_the_list(signed_in, shop, field, settings):
    settings.SEARCHES_A_MINUTE = 10_000  # these are hundreds
    unshipped_order(shop)
    for text in COMMON:
        for kind in ("product_name", "sku", "listing_id", "buyer_email"):
            if field != "keyword" and kind != "sku":
                continue
            answer = signed_in.get("/orders/", {"search": kind, field: text})
            assert answer.status_code in (200, 400, 404, 422), (kind, text[:20])
            assert "<script>alert" not in answer.content.decode()
