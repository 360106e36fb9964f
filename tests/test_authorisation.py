"""Who gets nothing where: every address of the product, every method, every kind of outsider.

The table in ``tests/outsiders.py`` is the expectation (reliability 2.3). It is compared with the
URL resolver, so that an address nobody has thought about fails here first.
"""

from __future__ import annotations

import importlib
import json

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import clear_url_caches, reverse

from accounts.checks import patterns
from accounts.domain import keys
from accounts.models import Membership
from accounts.permissions import Preset
from checkout.access import SignedLink
from orders.cursors import write_cursor
from orders.domain.listing import Cursor
from orders.models import Order
from orders.models.contact import Contact
from sellercentral import urls
from tests.factories import STAFF, MembershipFactory, job_run, shipped_order, unshipped_order
from tests.outsiders import (
    ABOUT_NOTHING,
    API,
    METHODS,
    NOWHERE,
    OF_AN_ORDER,
    ONE,
    OPEN,
    OPERATOR,
    PAGES,
    SIGNED,
    ask,
    at,
    everything,
    expected_of,
    forms_ready,
    members_of,
    said,
    stocked,
    word_of,
)  # fmt: skip
from tests.pages import body, form_of, words


@pytest.fixture
def theirs(shop):
    return stocked(shop)


@pytest.fixture
def outsider(client, charlie):
    """Charlie, signed in for the other shop, which has an order of its own."""
    client.force_login(charlie)
    client.own = unshipped_order(charlie.memberships.get().merchant, quantity=3)
    return client


@pytest.mark.req("PERMISSION-03", "INV-18")
def test_every_address_of_the_product_has_an_expectation():
    there = {address for address, _pattern in patterns("sellercentral.urls")}
    admin = {address for address in there if address.startswith("admin/")}
    assert there - admin == {*PAGES, *API, *OPEN, *OPERATOR, *SIGNED}
    assert set(OF_AN_ORDER) == {a for a in PAGES if "<str:number>" in a}


@pytest.mark.req("PERMISSION-03", "INV-18")
def test_each_page_declares_what_is_expected_of_it():
    for address, pattern in patterns("sellercentral.urls"):
        if address in PAGES:
            access = pattern.callback.access
            expected = PAGES[address]
            assert (access.function, access.level) == (expected.function, expected.level), address


@pytest.mark.req("BUYER-01", "TH-12", "PERMISSION-03", "INV-16")
@pytest.mark.parametrize("address", SIGNED)
def test_a_buyers_page_opens_to_its_link_alone(client, alice, theirs, address):
    """Neither strangers nor the order's own merchant get there without the link."""
    pattern = dict(patterns("sellercentral.urls"))[address]
    assert isinstance(pattern.callback.access, SignedLink)
    order = theirs.orders["unshipped"]
    for who in (None, alice):
        if who is not None:
            client.force_login(who)
        before = everything()
        for signed in (order.number, f"{order.number}:x", "x", "0"):
            where = "/" + address.replace("<str:signed>", signed)
            for method in METHODS:
                answer = ask(client, method, where, {"act": "cancel", "token": "t", "seen": "1"})
                allowed = method in SIGNED[address].split()
                assert answer.status_code == (404 if allowed else 405), (method, where)
                assert theirs.told(answer) == [], (method, where)
        assert everything() == before


@pytest.mark.req("PERMISSION-03", "TH-52")
def test_the_admin_site_is_mounted_for_development_and_tests_only():
    assert settings.ADMIN_SITE
    settings.ADMIN_SITE = False
    try:
        clear_url_caches()
        found = {str(each.pattern) for each in importlib.reload(urls).urlpatterns}
        assert not any(address.startswith("admin") for address in found)
    finally:
        settings.ADMIN_SITE = True
        importlib.reload(urls)
        clear_url_caches()
    assert reverse("admin:index") == "/admin/"


@pytest.mark.req("NAV-04", "PERMISSION-03", "INV-16", "G-6")
@pytest.mark.parametrize("address", PAGES)
def test_a_stranger_is_led_to_sign_in_from_every_page(client, theirs, address):
    before = everything()
    for order in [*theirs.orders.values(), None]:
        where = at(address, order.number if order else NOWHERE)
        for method in METHODS:
            answer = ask(client, method, where, {"reason": "NoInventory", "confirmed": "1"})
            if method in PAGES[address].methods.split():
                assert answer.status_code == 302, (method, where)
                assert answer["Location"].startswith("/login/?next="), (method, where)
            else:
                assert answer.status_code == 405, (method, where)
            assert theirs.told(answer) == [], (method, where)
        if "<" not in address:
            break
    assert everything() == before


@pytest.mark.req("PERMISSION-03", "INV-16", "TH-09")
@pytest.mark.parametrize("address", OPEN)
def test_what_is_open_to_all_tells_and_changes_nothing(client, theirs, address):
    job_run()  # ready means that jobs run
    before = everything()
    assert client.get(at(address)).status_code == OPEN[address]
    for method in METHODS:
        answer = ask(client, method, at(address), {"login": "canaryshipped@mail.example"})
        assert answer.status_code < 500, method
        assert theirs.told(answer) in ([], ["canaryshipped"] if method == "POST" else []), method
    assert everything() == before


@pytest.mark.req("IMPL-03", "F18", "INV-16", "TH-13", "PERMISSION-03", "G-6")
@pytest.mark.parametrize("address", OF_AN_ORDER)
def test_orders_of_another_merchant_are_like_none_at_all(outsider, theirs, address):
    before = everything()
    for order in theirs.orders.values():
        for method in METHODS:
            fields = {
                "reason": "NoInventory",
                "note": "x",
                "confirmed": "1",
                "token": "t",
                "seen": 1,
            }
            answer = ask(outsider, method, at(address, order.number), fields)
            like = ask(outsider, method, at(address), fields)
            allowed = method in PAGES[address].methods.split()
            assert answer.status_code == (404 if allowed else 405), (method, order.status)
            assert body(answer) == body(like), (method, order.status)
            assert theirs.told(answer) == [], (method, order.status)
    assert everything() == before


@pytest.mark.req("IMPL-03", "SEARCH-06", "INV-16", "TH-33")
def test_a_search_finds_nothing_of_another_merchant(outsider, theirs):
    for status, order in theirs.orders.items():
        item = order.items.select_related("listing").get()
        tries = {
            "order_id": (order.number, NOWHERE),
            "sku": (item.sku, "no-such-sku"),
            "listing_id": (item.listing.listing_id, "L000000000"),
            "buyer_email": (f"{word_of(status)}@mail.example", "nobody@mail.example"),
            "product_name": (item.title, "no such mug"),
        }
        for kind, keywords in tries.items():
            pages = []
            for keyword in keywords:
                for query in ({"search": kind, "keyword": keyword}, {"q": keyword}):
                    asked = {"range": "all", "pending": "1", **query}
                    answer = outsider.get("/orders/", asked)
                    pages.append(
                        (answer.status_code, words(answer).replace(keyword, ""))
                        if len(query) > 1
                        else answer.status_code
                    )
                    assert order.buyer_name not in words(answer), (status, kind)
                    assert order.number == keyword or order.number not in body(answer)
            assert pages[:2] == pages[2:], (status, kind)


@pytest.mark.req("IMPL-03", "LIST-10", "INV-16")
def test_a_place_in_another_merchants_list_is_only_a_place(outsider, theirs):
    for order in theirs.orders.values():
        place = write_cursor(Cursor(1, order.purchased_at, order.number, 0))
        for way in ("after", "before"):
            answer = outsider.get("/orders/", {way: place, "status": "all"})
            assert theirs.told(answer) == []


@pytest.mark.req("SLIP-09", "IMPL-03", "INV-16")
def test_slips_of_foreign_orders_among_the_selected_are_not_found(outsider, theirs):
    before = everything()
    chosen = [order.number for order in theirs.orders.values()]
    for mixed in (chosen, [outsider.own.number, *chosen]):
        for anyway in ({}, {"anyway": "1"}):
            answer = outsider.get("/orders/packing-slips.pdf", {"order": mixed, **anyway})
            if not anyway:
                unnamed = body(answer)
                for number in chosen:
                    assert f"There is no order {number}." in unnamed
                    unnamed = unnamed.replace(number, "")
                assert "canary" not in unnamed
            elif mixed is chosen:
                assert answer["Location"] == "/orders/"
    printed = {table for table, rows in everything().items() if rows != before[table]}
    assert printed <= {"audit_entry", "audit_historycounter"}  # their own order's, printed
    assert not any(order.history.filter(event="printed") for order in theirs.orders.values())


@pytest.mark.req("PERMISSION-02", "PERMISSION-03", "INV-18", "TH-17", "G-6")
def test_without_the_permission_a_complete_form_is_refused(client, alice, shop):
    owner = Client()
    owner.force_login(alice)
    forms = forms_ready(owner, shop)
    numbers = [address.split("/")[2] for address in forms if address.startswith("/orders/2")]
    refusals = 0
    members = list(members_of(shop))
    before = everything()
    for name, user, levels in members:
        client.force_login(user)
        before = everything()
        for address, fields in forms.items():
            page = expected_of(address)
            if page.function is None or levels[page.function] >= page.level:
                continue
            for method in page.methods.split():
                answer = ask(client, method, address, fields)
                assert answer.status_code == 403, (name, method, address)
                assert "Eilidh" not in body(answer), (name, address)
                assert not any(number in body(answer) for number in numbers), (name, address)
                refusals += 1
        assert everything() == before, name
    assert refusals > 30
    for address, fields in forms.items():  # the same forms, by who may
        assert owner.post(address, fields).status_code == 302, address
    assert everything() != before
    assert set(Order.objects.values_list("status", flat=True)) == {
        "unshipped", "shipped", "cancelled"
    }  # fmt: skip


@pytest.mark.req("PERMISSION-02", "PERMISSION-03", "INV-18", "IMPL-07")
def test_each_member_may_look_at_what_the_matrix_gives_and_no_more(client, shop, theirs):
    for name, user, levels in list(members_of(shop)):
        client.force_login(user)
        for address, page in PAGES.items():
            if "GET" not in page.methods:
                continue
            for status in ("pending", "shipped") if "<" in address else ("shipped",):
                order = theirs.orders[status]
                needed = page.function
                answer = client.get(at(address, order.number))
                if needed is None or levels[needed] >= page.level:
                    shown = (
                        {ABOUT_NOTHING[address]} if address in ABOUT_NOTHING else {200, 302, 409}
                    )
                    assert answer.status_code in shown, (name, address, order.status)
                    hidden = f"1 {word_of(order.status)} Row" in said(answer)
                    assert not (hidden and order.status in ("pending", "cancelled"))
                else:
                    assert answer.status_code == 403, (name, address)
                    assert theirs.told(answer) == [], (name, address)


@pytest.mark.req("INV-17", "PENDING-04", "CANCEL-09", "SEARCH-03")
def test_contacts_of_pending_and_cancelled_orders_are_in_no_output(client, shop, theirs, caplog):
    """For every role and key, on every page, in every file, in what is written down and logged."""
    _key, secret = keys.create_key(merchant=shop, name="till", by=STAFF)
    bearer = {"authorization": f"Bearer {secret}"}
    searches = [f"?search=buyer_email&keyword={word_of(s)}@mail.example&pending=1&range=all"
                for s in theirs.orders]  # fmt: skip
    everywhere = ["/orders/?status=all&range=all", "/orders/?status=attention", "/api/v1/orders/",
                  *(f"/orders/{search}" for search in searches)]  # fmt: skip
    slips = "&".join(f"order={order.number}" for order in theirs.orders.values())
    everywhere += [f"/orders/packing-slips.pdf?{slips}"]
    for order in theirs.orders.values():
        everywhere.append(f"/api/v1/orders/{order.number}/")
        everywhere += [
            at(address, order.number) for address in OF_AN_ORDER if shown(address, order)
        ]
    users = [MembershipFactory(merchant=shop, preset=preset).user for preset in Preset]
    users.append(MembershipFactory(merchant=shop, is_owner=True).user)
    told: dict[str, set[str]] = {status: set() for status in theirs.orders}
    for user in users:
        client.force_login(user)
        for address in everywhere:
            answer = client.get(address, headers=bearer if "/api/" in address else {})
            text = said(answer).replace(address, "").lower()
            for status, order in theirs.orders.items():
                echoed = f'value="{word_of(status)}@mail.example"' in text
                found = {kind for kind, secret in contact_of(order).items() if secret in text}
                told[status] |= found - ({"e-mail"} if echoed else set())
    assert told["pending"] == told["cancelled"] == set()
    assert (
        told["unshipped"]
        == told["partially_shipped"]
        == {"recipient", "address", "e-mail", "phone"}
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t::text FROM audit_entry t UNION ALL SELECT t::text FROM notifications_outbox t"
        )
        written = " ".join(row for (row,) in cursor.fetchall()).lower() + caplog.text.lower()
    for order in theirs.orders.values():
        assert [kind for kind, secret in contact_of(order).items() if secret in written] == []


def shown(address: str, order: Order) -> bool:
    """Whether an address is worth a look: a file that is made takes a second, its page does not."""
    return not address.endswith(".pdf") or order.status in ("pending", "cancelled")


def contact_of(order: Order) -> dict[str, str]:
    word = word_of(order.status)
    return {
        "recipient": f"r {word}",
        "address": f"1 {word} row",
        "e-mail": f"{word}@mail.example",
        "phone": Contact.objects.get(order=order).buyer_phone,
    }


@pytest.mark.req("INV-10", "IMPL-04")
def test_each_changing_form_leaves_its_line_of_history(client, alice, shop):
    """Whose door, whose name: every form of an order that the product has, sent once."""
    client.force_login(alice)
    forms = forms_ready(client, shop)
    changing = {a for a, page in PAGES.items() if "POST" in page.methods and a in OF_AN_ORDER}
    written = {}
    for address, fields in forms.items():
        if not _is_of_an_order(address):
            continue
        order = Order.objects.get(number=address.split("/")[2])
        before = order.history.count()
        assert client.post(address, fields).status_code == 302
        lines = order.history.order_by("number")[before:]
        assert {(line.actor, line.door) for line in lines} == {("Alice Owner", "form")}
        written[ONE + address.split("/")[3] + "/"] = [line.event for line in lines]
    assert set(written) == changing
    assert written == {
        ONE + "confirm-shipment/": ["order.shipment_confirmed"],
        ONE + "cancel/": ["order.cancelled"],
        ONE + "refund/": ["order.refund_submitted", "order.refund_completed"],
        ONE + "notes/": ["order.note_added"],
        ONE + "dates/": ["order.dates_revised"],
        ONE + "delivered/": ["order.delivered"],
        ONE + "cancellation-request/": ["order.request_declined"],
    }


def _is_of_an_order(address: str) -> bool:
    return address.startswith("/orders/2") and address.count("/") == 4


@pytest.mark.req("INV-08", "IMPL-01", "IMPL-02")
def test_each_form_that_changes_an_order_carries_its_key_and_the_version_seen(client, alice, shop):
    client.force_login(alice)
    forms = {a: f for a, f in forms_ready(client, shop).items() if _is_of_an_order(a)}
    for address, fields in forms.items():
        assert len(fields["token"]) == 32, address
        order = Order.objects.get(number=address.split("/")[2])
        if address.endswith("/notes/"):  # adds a line, overwrites nothing
            continue
        assert fields["seen"] == str(order.version), address
        before = everything()
        answer = client.post(address, fields | {"seen": str(order.version - 1)})
        assert answer.status_code == 409, address
        assert "Someone else changed this order" in words(answer)
        assert everything() == before
    assert len({fields["token"] for fields in forms.values()}) == len(forms) == 7


@pytest.mark.req("TH-16", "INV-16", "PERMISSION-06", "IMPL-03")
def test_a_form_made_for_another_of_ones_accounts_is_refused(client, alice, shop):
    client.force_login(alice)
    forms = forms_ready(client, shop)
    other = MembershipFactory(user=alice, is_owner=True).merchant
    before = everything()
    for address, fields in forms.items():
        answer = client.post(address, fields | {"merchant": other.pk})
        assert answer.status_code == 409, address
        assert "You switched account" in words(answer)
        for nonsense in ("", "0", "x", f" {shop.pk}", f"{shop.pk}.0"):
            assert client.post(address, fields | {"merchant": nonsense}).status_code == 409
    assert everything() == before
    session = client.session
    session["merchant"] = other.pk
    session.save()
    for address, fields in forms.items():
        expected = 404 if "/orders/2" in address else 409
        assert client.post(address, fields).status_code == expected, address
    session["merchant"] = 10**30  # not one of theirs: the first of their own
    session.save()
    assert client.get("/orders/").status_code == 200


@pytest.mark.req("IMPL-03", "INV-16", "TH-13")
@pytest.mark.parametrize("whose", ["another order", "another merchant"])
def test_items_of_other_orders_are_in_no_form(client, alice, shop, theirs, charlie, whose):
    client.force_login(alice)
    parcel, paid = unshipped_order(shop, quantity=2), shipped_order(shop)
    foreign = theirs.orders["unshipped"]
    if whose == "another merchant":
        foreign = unshipped_order(charlie.memberships.get().merchant)
    item = foreign.items.get().pk
    for order, act, typed in (
        (parcel, "confirm-shipment", {f"quantity_{item}": "1", "carrier": "Royal Mail"}),
        (paid, "refund", {f"item_{item}": "on", f"item_cost_{item}": "1.00"}),
        (paid, "refund", {f"delivery_{item}": "1.00", "confirmed": "1"}),
    ):
        address = f"/orders/{order.number}/{act}/"
        page = address + "?tab=partial" if act == "refund" else address
        own = order.items.get().pk
        fields = form_of(client, page, address) | {"reason": "CustomerReturn", "tab": "partial"}
        if act == "refund":
            fields |= {f"item_{own}": "on", f"item_cost_{own}": "1.00"}
        before = everything()
        assert client.post(address, fields | typed).status_code == 404, (act, typed)
        assert everything() == before
        assert client.post(address, fields | {"carrier": "Royal Mail"}).status_code == 302


@pytest.mark.req("MWS-08", "MWS-13", "INV-18", "TH-13", "TH-17", "TH-46")
@pytest.mark.parametrize("address", API)
def test_the_api_opens_to_a_live_key_of_the_merchant_only(client, theirs, shop, charlie, address):
    _live, secret = keys.create_key(merchant=shop, name="till", by=STAFF)
    revoked, old = keys.create_key(merchant=shop, name="old till", by=STAFF)
    keys.revoke_key(key_id=revoked.pk, by=STAFF)
    other = charlie.memberships.get().merchant
    _other, foreign = keys.create_key(merchant=other, name="x", by=STAFF)
    _none, idle = keys.create_key(merchant=shop, name="idle", by=STAFF, levels={})
    order = theirs.orders["shipped"]
    where, takes = at(address, order.number), API[address].split()
    client.force_login(charlie)  # a page's sign-in is worth nothing here
    before = everything()
    wrong = ["", "Bearer", "Bearer x", f"Bearer {old}", f"Basic {secret}", f"Token {secret}",
             f"Bearer {secret} x", f"Bearer {secret[:-1]}", f"Bearer {secret.upper()}"]  # fmt: skip
    for method in METHODS:
        for header in wrong:
            sent = {"authorization": header} if header else {}
            data = json.dumps({"buyer_name": "x"})
            answer = client.generic(method, where, data, "application/json", headers=sent)
            assert answer.status_code == 401, (method, header)
            assert theirs.told(answer) == []
    for method in METHODS:
        sent = {"authorization": f"Bearer {foreign}"}
        answer = client.generic(method, where, "{}", "application/json", headers=sent)
        known = {"GET": 200, "HEAD": 200, "POST": 400} if "<" not in address else {}
        expected = known.get(method, 404) if method.replace("HEAD", "GET") in takes else 405
        assert answer.status_code == (200 if method == "OPTIONS" else expected), method
        assert theirs.told(answer) == []
    ask_for = client.get if "GET" in takes else client.post
    assert ask_for(where, headers={"authorization": f"Bearer {idle}"}).status_code == 403
    if "GET" in takes:
        assert client.get(where, headers={"authorization": f"Bearer {secret}"}).status_code == 200
    after = everything()
    changed = {table for table, rows in after.items() if rows != before[table]}
    assert changed <= {"accounts_apikey"}  # when it was last used


@pytest.mark.req("PERMISSION-05", "INV-18")
def test_a_removed_member_is_nobody_with_the_next_request(client, alice, shop, theirs):
    member = MembershipFactory(merchant=shop, is_owner=True)
    client.force_login(member.user)
    order = theirs.orders["shipped"]
    assert client.get(at(ONE, order.number)).status_code == 200
    removed = Membership.objects.filter(pk=member.pk)
    removed.update(removed_at=order.purchased_at)
    for address in PAGES:
        for method in PAGES[address].methods.split():
            answer = ask(client, method, at(address, order.number))
            assert answer.status_code == 403, address
            assert theirs.told(answer) == [], address
