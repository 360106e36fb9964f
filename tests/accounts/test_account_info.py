"""Account Info: each block shown, edited, refused, audited, and never overwritten in silence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.forms.account import BLOCKS
from accounts.models import Grant, Membership, Merchant
from accounts.permissions import Function, Preset
from audit.models import Entry
from catalog.models import Listing
from core import clock
from tests.bad_input.strings import COMMON
from tests.factories import MembershipFactory, unshipped_order
from tests.outsiders import everything
from tests.pages import fields_in, form_of, words

PAGE = "/settings/account/"
BUSINESS, ADDRESS, CONTACT, NOTIFICATIONS, ORDERS, SECURITY = (
    f"{PAGE}{block}/" for block in BLOCKS
)
FILLED = {
    BUSINESS: {"name": "Harbour & Hearth Limited", "display_name": "H & H"},
    ADDRESS: {
        "address_1": "Unit 6, Slipway Yard",
        "address_2": "Quay Street",
        "city": "Falmouth",
        "region": "Cornwall",
        "postal_code": "TR11 3LH",
        "country": "IE",
    },
    CONTACT: {
        "contact_phone": "+44 (1632) 960-417",
        "customer_service_hours": "Mon to Fri, 9:00 to 17:00",
    },
    NOTIFICATIONS: {
        "notification_emails": "orders@shop.example\n packing@shop.example \nORDERS@shop.example\n",
        "customer_service_email": "help@shop.example",
        "claim_email": "claims@shop.example",
    },
    ORDERS: {"zero_out_inventory": "on", "handling_business_days": "3", "list_page_size": "50"},
}
STORED = {
    **FILLED[BUSINESS],
    **FILLED[ADDRESS],
    **FILLED[CONTACT],
    "notify_sold_ship_now": False,
    "notification_emails": ["orders@shop.example", "packing@shop.example"],
    "customer_service_email": "help@shop.example",
    "claim_email": "claims@shop.example",
    "zero_out_inventory": True,
    "handling_business_days": 3,
    "list_page_size": 50,
}


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def save(client, address, **typed):
    return post(client, address, form_of(client, address) | typed)


def post(client, address, fields):
    return client.post(
        address, {name: value for name, value in fields.items() if value is not None}
    )


def fill(client):
    for address, typed in FILLED.items():
        more = {"notify_sold_ship_now": None} if address == NOTIFICATIONS else {}
        answer = save(client, address, **typed, **more)
        assert (answer.status_code, answer["Location"]) == (302, PAGE), words(answer)


@pytest.mark.req("SETTINGS-01", "SETTINGS-03", "SETTINGS-07", "SETTINGS-16")
def test_every_block_is_saved_and_shown(signed_in, shop):
    fill(signed_in)
    assert Merchant.objects.filter(pk=shop.pk).values(*STORED).get() == STORED
    page = words(signed_in.get(PAGE))
    for shown in (
        "Business name Harbour & Hearth Limited Display name H & H",
        "Town or city Falmouth",
        "Country Ireland",
        "Contact phone +44 (1632) 960-417",
        "Customer service hours Mon to Fri, 9:00 to 17:00",
        "Sold, Ship Now Off Send to orders@shop.example packing@shop.example",
        "Customer Service Reply-to E-mail help@shop.example",
        "Claims and warnings claims@shop.example",
        "Allow to zero out inventory when cancelling order On",
        "Handling time 3 business days",
    ):
        assert shown in page
    assert signed_in.get(NOTIFICATIONS).content.decode().count("packing@shop.example") == 1


@pytest.mark.req("SETTINGS-17", "IMPL-04")
def test_each_change_is_in_the_history_with_old_and_new_value(signed_in, shop, alice):
    fill(signed_in)
    entries = list(Entry.objects.filter(event="account.changed").order_by("number"))
    assert [entry.after["version"] for entry in entries] == [2, 3, 4, 5, 6]
    assert {(entry.user, entry.door, entry.merchant) for entry in entries} == {
        (alice, "form", shop)
    }
    first, *_others, orders = entries
    assert first.before == {"name": "Harbour & Hearth Ltd", "display_name": "Harbour & Hearth"}
    assert first.after == {**FILLED[BUSINESS], "version": 2}
    assert orders.before == {
        "zero_out_inventory": False,
        "handling_business_days": None,
        "list_page_size": 25,
    }


@pytest.mark.req("SETTINGS-17")
def test_what_was_not_changed_is_not_in_the_history(signed_in, shop):
    assert save(signed_in, BUSINESS).status_code == 302
    shop.refresh_from_db()
    assert shop.version == 1
    assert not Entry.objects.filter(event="account.changed").exists()


@pytest.mark.req("INV-08", "IMPL-02", "F16")
@pytest.mark.parametrize("address", FILLED)
def test_a_stale_block_is_refused_and_keeps_what_was_typed(signed_in, shop, address):
    """A loads, B saves, A saves: B's values stand, A is told, and may save again."""
    other = Client()
    other.force_login(MembershipFactory(merchant=shop, user__name="Bea Second", is_owner=True).user)
    fields = form_of(signed_in, address) | FILLED[address]
    assert save(other, BUSINESS, name="Bea's choice Ltd").status_code == 302
    before = everything()
    answer = signed_in.post(address, fields)
    assert answer.status_code == 409
    page = words(answer)
    assert "Someone else changed this account" in page
    assert "Changed by Bea Second" in page
    assert "Business name: Bea's choice Ltd" in page
    assert everything() == before
    again = fields_in(answer.content.decode(), address)
    typed = {
        name: value for name, value in FILLED[address].items() if name != "notification_emails"
    }
    assert {name: again.get(name) for name in typed} == typed
    assert again["seen"] == "2"
    assert signed_in.post(address, again).status_code == 302


@pytest.mark.req("SETTINGS-03", "NOTIF-03", "NOTIF-05", "NOTIF-12")
def test_order_notification_can_be_switched_off_but_warnings_cannot(signed_in, shop):
    assert "N02" in kinds_of(unshipped_order(shop))
    save(signed_in, NOTIFICATIONS, notify_sold_ship_now=None)
    shop.refresh_from_db()
    assert "N02" not in kinds_of(unshipped_order(shop))
    assert set(form_of(signed_in, NOTIFICATIONS)) == {
        *("merchant", "seen", "notification_emails", "customer_service_email", "claim_email")
    }
    for address in (PAGE, NOTIFICATIONS):
        page = words(signed_in.get(address))
        assert "Manage Orders, not e-mail, is the source of truth" in page
        assert "are always sent. They cannot be switched off." in page


def kinds_of(order):
    return set(order.messages_owed.values_list("kind", flat=True))


@pytest.mark.req("SETTINGS-07")
def test_another_handling_time_moves_new_orders_only(signed_in, shop):
    monday = clock.now().replace(year=2026, month=6, day=1, hour=9)
    with clock.stopped(monday + timedelta(hours=1)):
        first = unshipped_order(shop)
        save(signed_in, ORDERS, handling_business_days="5")
        shop.refresh_from_db()
        second = unshipped_order(shop)
    promised = first.ship_by_at
    first.refresh_from_db()
    assert first.ship_by_at == promised
    assert second.ship_by_at.date() - monday.date() == timedelta(days=7)  # over a weekend
    save(signed_in, ORDERS, handling_business_days="")
    assert (
        f"{shop.marketplace.handling_business_days} business days, as in the marketplace"
        in words(signed_in.get(PAGE))
    )


@pytest.mark.req("SETTINGS-16", "CANCEL-10", "INVENTORY-06")
def test_zero_out_is_offered_once_it_is_allowed(signed_in, shop):
    order = unshipped_order(shop)
    cancel = f"/orders/{order.number}/cancel/"
    assert "zero_out" not in form_of(signed_in, cancel)
    save(signed_in, ORDERS, zero_out_inventory="on")
    fields = form_of(signed_in, cancel) | {"reason": "NoInventory"}
    assert fields["zero_out"] == "1"
    assert signed_in.post(cancel, fields).status_code == 302
    assert Listing.objects.get(pk=order.items.get().listing_id).quantity_available == 0


@pytest.mark.req("SETTINGS-16")
def test_the_list_page_size_counts_until_a_member_chooses(signed_in, shop, alice, bob):
    save(signed_in, ORDERS, list_page_size="50")
    assert Membership.objects.get(user=bob).page_size == 50
    reader = Client()
    reader.force_login(bob)
    reader.post("/orders/preferences/", {"per_page": "100", "merchant": shop.pk})
    sizes = [Membership.objects.get(user=each).page_size for each in (bob, alice)]
    assert sizes == [100, 50]


@pytest.mark.req("SETTINGS-01")
def test_the_slip_carries_what_was_saved(signed_in, shop):
    fill(signed_in)
    order = unshipped_order(Merchant.objects.get(pk=shop.pk))
    page = words(signed_in.get(f"/orders/{order.number}/packing-slip/"))
    for line in (
        "Harbour & Hearth Limited",
        "Unit 6, Slipway Yard",
        "help@shop.example",
        "960-417",
    ):
        assert line in page


@pytest.mark.req("BI-ACC", "IMPL-25", "INV-20", "TH-30")
@pytest.mark.parametrize(
    ("address", "field", "typed", "message"),
    [
        (BUSINESS, "name", "", "Enter the business name"),
        (BUSINESS, "name", " \u00a0\u3000\u200b ", "Enter the business name"),
        (BUSINESS, "name", "x" * 101, "Business name must be 100 characters or fewer"),
        (BUSINESS, "display_name", "<b>Shop</b>", "Remove line breaks, control characters, < and >"),
        (BUSINESS, "display_name", "Shop\r\nBcc: x@y", "Remove line breaks"),
        (BUSINESS, "display_name", "Shop\u202egnp.exe", "Remove line breaks"),
        (BUSINESS, "display_name", "Shop\x00", "Remove line breaks"),
        (ADDRESS, "address_1", "", "Enter the first line of the address"),
        (ADDRESS, "city", "", "Enter the town or city"),
        (ADDRESS, "postal_code", "1" * 21, "Postal code must be 20 characters or fewer"),
        (ADDRESS, "country", "ZZ", "Choose a country"),
        (ADDRESS, "country", "", "Choose a country"),
        (CONTACT, "contact_phone", "call me", "Use digits, blanks"),
        (CONTACT, "contact_phone", "０１６３２", "Use digits, blanks"),
        (CONTACT, "contact_phone", "=1+1", "Use digits, blanks"),
        (CONTACT, "customer_service_hours", "x" * 201, "must be 200 characters or fewer"),
        (NOTIFICATIONS, "claim_email", "no address", "Enter one e-mail address"),
        (NOTIFICATIONS, "claim_email", "a@b.example, c@d.example", "Enter one e-mail address"),
        (NOTIFICATIONS, "claim_email", "Jo <jo@shop.example>", "Enter one e-mail address"),
        (NOTIFICATIONS, "claim_email", "jo@shop.example\nBcc: x@y.example", "Enter one e-mail"),
        (NOTIFICATIONS, "claim_email", f"{'x' * 245}@b.example", "Enter one e-mail address"),
        (NOTIFICATIONS, "claim_email", "jo@sh\u043ep.example", "Write the address in plain letters"),
        (NOTIFICATIONS, "customer_service_email", "jo@", "Enter one e-mail address"),
        (NOTIFICATIONS, "notification_emails", "jo@shop.example jo2@shop.example", "is no e-mail address"),
        (NOTIFICATIONS, "notification_emails", "\n".join(f"a{n}@b.example" for n in range(11)), "Enter 10 addresses or fewer"),
        (ORDERS, "handling_business_days", "31", "Enter a whole number from 0 to 30"),
        (ORDERS, "handling_business_days", "-1", "Enter a whole number from 0 to 30"),
        (ORDERS, "handling_business_days", "1.5", "Enter a whole number from 0 to 30"),
        (ORDERS, "handling_business_days", "٣", "Enter a whole number from 0 to 30"),
        (ORDERS, "handling_business_days", "9" * 5000, "Enter a whole number from 0 to 30"),
        (ORDERS, "list_page_size", "1000", "Choose 25, 50 or 100"),
        (ORDERS, "list_page_size", "", "Choose 25, 50 or 100"),
    ],
)  # fmt: skip
def test_bad_values_are_refused_with_the_field_and_what_is_expected(
    signed_in, shop, address, field, typed, message
):
    shop.address_1, shop.city, shop.postal_code = "1 Quay", "Falmouth", "TR11 3LH"
    shop.save()
    before = everything()
    answer = save(signed_in, address, **{field: typed})
    assert answer.status_code == 422
    assert message in words(answer)
    html = answer.content.decode()
    assert f'href="#{field}"' in html
    assert f'id="{field}-error"' in html
    assert "<title>Error: " in html
    assert everything() == before


@pytest.mark.req("BI-ACC", "G-5", "INV-20", "TH-27")
@pytest.mark.parametrize("address", FILLED)
def test_any_text_in_any_field_ends_nowhere_in_a_fault(signed_in, shop, address):
    fields = form_of(signed_in, address)
    for field in list(fields):
        for text in COMMON:
            answer = post(signed_in, address, fields | {field: text})
            assert answer.status_code in (302, 409, 422), (field, text[:20])
            assert "<script>alert" not in answer.content.decode()
            if answer.status_code == 302:  # else page and form are as they were
                assert "<script>alert" not in signed_in.get(PAGE).content.decode()
                fields = form_of(signed_in, address)


@pytest.mark.req("TH-18", "IMPL-03")
def test_fields_that_are_in_no_block_change_nothing(signed_in, shop):
    save(
        signed_in, BUSINESS, state="closed", slug="x", is_sandbox="on", version="9", clock_ahead="1"
    )
    fresh = Merchant.objects.get(pk=shop.pk)
    assert (fresh.state, fresh.slug, fresh.is_sandbox, fresh.version) == (
        "active",
        shop.slug,
        False,
        1,
    )


@pytest.mark.req("PERMISSION-02", "PERMISSION-03", "NAV-03", "SETTINGS-01")
def test_who_may_only_view_sees_no_edit(client, shop):
    member = MembershipFactory(merchant=shop, preset=Preset.FINANCE)
    client.force_login(member.user)
    page = client.get(PAGE)
    assert "Edit" not in words(page)
    assert "Account Info" in words(page)
    before = everything()
    for address in FILLED:
        assert client.get(address).status_code == 403
        assert client.post(address, {"merchant": shop.pk, "seen": 1}).status_code == 403
    assert everything() == before
    Grant.objects.filter(membership=member, function=Function.ACCOUNT_INFO).delete()
    assert client.get(PAGE).status_code == 403
    assert "Account Info" not in words(client.get("/settings/login/"))


@pytest.mark.req("IMPL-03", "INV-16")
def test_another_merchants_settings_are_out_of_reach(client, charlie, shop):
    client.force_login(charlie)
    own = form_of(client, BUSINESS)
    before = everything()
    answer = client.post(BUSINESS, own | {"merchant": shop.pk, "name": "Taken over"})
    assert answer.status_code == 409
    assert everything() == before
    assert "Harbour" not in words(client.get(PAGE))


@pytest.mark.req("NAV-01", "NAV-03")
def test_the_settings_tab_has_the_entries_that_exist(signed_in):
    page = words(signed_in.get(PAGE))
    assert "Account Info Login Settings User Permissions Your Info & Policies" in page
