"""Who may come where: asked of every address of the product, and of each role."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import path, resolve

from accounts.access import Access
from accounts.checks import PUBLIC, declares, every_view_declares_access, patterns
from accounts.models import Grant
from accounts.permissions import PRESETS, Function, Level, Preset
from tests.factories import MembershipFactory, UserFactory, unshipped_order
from tests.outsiders import at
from tests.pages import body, form_of, snapshot, words

NOWHERE = "203-0000000-0000000"


def addresses(number: str) -> list[tuple[str, Access]]:
    """Every page of a merchant, with what it declares; number is the order's."""
    found = []
    for address, pattern in patterns("sellercentral.urls"):
        access = getattr(pattern.callback, "access", None)
        if isinstance(access, Access):  # a buyer's pages are tried in tests/checkout
            found.append((at(address, number), access))
    return found


def of_an_order(address: str, number: str) -> bool:
    return number in address


def facts(order):
    """All about an order but its history, in which each printed slip is a line (IMPL-04)."""
    row, items, operations, ledger, _history, owed = snapshot(order)
    return row, items, operations, ledger, owed


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.mark.req("PERMISSION-03", "NAV-03")
def test_every_address_declares_who_may_come():
    assert every_view_declares_access() == []
    assert len(addresses(NOWHERE)) >= 13
    assert all("<" not in address for address, _ in addresses(NOWHERE))


@pytest.mark.req("PERMISSION-03")
def test_an_address_without_a_declaration_fails_the_build():
    def open_to_all(request): ...

    urlconf = ModuleType("addresses")
    urlconf.urlpatterns = [path("new/", open_to_all, name="new")]
    [error] = every_view_declares_access(urlconf=urlconf)
    assert (error.id, error.msg) == ("accounts.E001", "The address /new/ declares no access.")
    assert not declares(SimpleNamespace(cls=SimpleNamespace(permission_classes=[])))


@pytest.mark.req("NAV-04", "PERMISSION-03", "IMPL-03")
def test_a_stranger_gets_nothing_anywhere(client, shop):
    order = unshipped_order(shop)
    before = snapshot(order)
    for address, _access in addresses(order.number):
        for method in ("get", "post"):
            answer = getattr(client, method)(address)
            if answer.status_code == 405:
                continue
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/login/"), address
    assert client.post("/api/v1/orders/", {}).status_code == 401
    assert client.get("/api/v1/orders/").status_code == 401
    assert client.get(f"/api/v1/orders/{order.number}/").status_code == 401
    assert snapshot(order) == before


@pytest.mark.req("IMPL-03", "PERMISSION-03", "F18")
def test_another_merchants_order_does_not_exist_anywhere(client, charlie, shop):
    order = unshipped_order(shop)
    before = snapshot(order)
    client.force_login(charlie)
    theirs = [a for a, _ in addresses(order.number) if of_an_order(a, order.number)]
    missing = [a for a, _ in addresses(NOWHERE) if of_an_order(a, NOWHERE)]
    assert len(theirs) >= 6
    for address, nothing in zip(theirs, missing, strict=True):
        for method in ("get", "post"):
            answer = getattr(client, method)(address)
            like = getattr(client, method)(nothing)
            assert answer.status_code == like.status_code
            assert answer.status_code in (404, 405), address
            assert body(answer) == body(like)
            assert order.buyer_name not in body(answer)
    assert snapshot(order) == before


@pytest.mark.req("PERMISSION-02", "PERMISSION-03", "NAV-03", "INV-18")
@pytest.mark.parametrize("preset", Preset)
def test_each_role_gets_what_the_matrix_says(client, shop, preset):
    order = unshipped_order(shop)
    before = facts(order)
    member = MembershipFactory(merchant=shop, preset=preset)
    client.force_login(member.user)
    for address, access in addresses(order.number):
        allowed = access.function is None or PRESETS[preset][access.function] >= access.level
        answer = client.get(address)
        if allowed:
            assert answer.status_code != 403, address
        else:
            assert answer.status_code in (403, 405), address
        if not allowed:
            posted = client.post(address, {"merchant": shop.pk})
            assert posted.status_code in (403, 405), address
    assert facts(order) == before


@pytest.mark.req("PERMISSION-03")
@pytest.mark.parametrize("function", Function)
def test_view_never_changes_anything(client, shop, function):
    """Somebody who may only view, whatever it is, posts to every page."""
    order = unshipped_order(shop)
    before = snapshot(order)
    member = MembershipFactory(merchant=shop, preset=Preset.READ_ONLY)
    Grant.objects.filter(membership=member).delete()
    Grant.objects.create(membership=member, function=function, level=Level.VIEW)
    client.force_login(member.user)
    for address, access in addresses(order.number):
        answer = client.post(address, {"merchant": shop.pk})
        if access.level == Level.EDIT:
            assert answer.status_code in (403, 405), address
    assert snapshot(order) == before


@pytest.mark.req("NAV-03")
def test_the_refusal_names_the_permission_and_who_can_grant_it(client, alice, bob, order):
    client.force_login(bob)
    answer = client.get(f"/orders/{order.number}/refund/")
    assert answer.status_code == 403
    page = words(answer)
    assert "The permission “Refund orders” at the level “View & Edit” is needed." in page
    assert "An owner of this account can grant it: Alice Owner." in page


@pytest.mark.req("NAV-03", "NAV-01")
def test_pages_without_permission_are_not_in_the_menu(client, bob):
    client.force_login(bob)
    assert '<a class="tab-main"' in client.get("/orders/").content.decode()
    Grant.objects.filter(membership__user=bob).delete()
    answer = client.get("/help/shortcuts/")
    assert answer.status_code == 200
    assert '<a class="tab-main"' not in answer.content.decode()
    assert "Login Settings" not in words(answer)
    assert client.get("/orders/").status_code == 403
    home = client.get("/home/")
    assert home.status_code == 200
    assert "You may not see any page of this account yet." in words(home)


@pytest.mark.req("PERMISSION-05")
def test_a_changed_right_counts_with_the_next_request(client, bob):
    client.force_login(bob)
    assert client.get("/orders/").status_code == 200
    Grant.objects.filter(membership__user=bob).delete()
    assert client.get("/orders/").status_code == 403


@pytest.mark.req("IMPL-03", "PERMISSION-06")
def test_a_form_of_another_account_is_refused_after_the_switch(signed_in, alice, order):
    """A tab left open must not act for the account chosen in another one (TH-16)."""
    other = MembershipFactory(user=alice, is_owner=True).merchant
    fields = form_of(signed_in, "/help/shortcuts/")
    assert fields["merchant"] == str(order.merchant_id)
    signed_in.post("/account/switch/", {"to": other.slug})
    before = snapshot(order)
    answer = signed_in.post("/help/shortcuts/", fields)
    assert answer.status_code == 409
    assert "You switched account" in words(answer)
    assert "shortcuts" not in signed_in.cookies
    cancel = f"/orders/{order.number}/cancel/"
    assert signed_in.post(cancel, {"merchant": order.merchant_id}).status_code == 404
    assert snapshot(order) == before


@pytest.mark.req("PERMISSION-06")
def test_forms_about_orders_name_their_merchant(signed_in, shop, order):
    for act in ("cancel", "confirm-shipment"):
        fields = form_of(signed_in, f"/orders/{order.number}/{act}/")
        assert fields["merchant"] == str(shop.pk)


@pytest.mark.req("IMPL-07")
def test_looking_at_pages_changes_nothing(signed_in, shop):
    order = unshipped_order(shop)
    before = facts(order)
    for address, _access in addresses(order.number):
        signed_in.get(address)
        signed_in.head(address)
    assert facts(order) == before


@pytest.mark.req("PERMISSION-03")
def test_what_is_open_to_all_is_little():
    assert {
        pattern.name
        for _address, pattern in patterns("sellercentral.urls")
        if pattern.name in PUBLIC
    } == PUBLIC
    assert not AnonymousUser().is_authenticated


@pytest.mark.req("NAV-04")
def test_the_root_leads_home(signed_in):
    answer = signed_in.get("/", follow=True)
    assert [step for step, _status in answer.redirect_chain] == ["/home/"]


@pytest.mark.req("IMPL-11")
def test_a_members_pages_are_kept_in_no_cache(signed_in, order):
    for address, _access in addresses(order.number):
        answer = signed_in.get(address)
        if answer.status_code != 405:
            assert "no-store" in answer["Cache-Control"], address


@pytest.mark.req("PERMISSION-05")
def test_somebody_without_an_account_is_told_so(client, db):
    client.force_login(UserFactory())
    answer = client.get("/orders/")
    assert answer.status_code == 403
    assert "Ask an owner to invite you." in words(answer)
    assert Client().get("/orders/").status_code == 302
    assert resolve("/orders/").func.access == Access(Function.MANAGE_ORDERS, Level.VIEW)
