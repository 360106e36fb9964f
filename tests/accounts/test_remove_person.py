"""Removing a person: said before it happens, effective at once, never the last owner."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.domain import members
from accounts.models import Membership, Session
from accounts.permissions import Preset
from audit.models import Entry
from core.actor import Actor
from tests.factories import PASSWORD, MembershipFactory, unshipped_order
from tests.letters import told
from tests.outsiders import everything
from tests.pages import form_of, words

PAGE = "/settings/permissions/"
REMOVE = f"{PAGE}remove/"


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def place(user) -> Membership:
    return Membership.objects.get(user=user)


@pytest.mark.req("PERMISSION-05", "SETTINGS-12", "IMPL-07", "INV-18", "N28")
def test_a_removed_person_is_refused_with_the_next_request_everywhere(signed_in, bob, shop):
    order = unshipped_order(shop)
    tabs = [Client(), Client()]
    for tab in tabs:
        tab.force_login(bob)
        assert tab.get("/orders/").status_code == 200
    address = f"{REMOVE}?member={place(bob).pk}"
    page = words(signed_in.get(address))
    assert "Remove Bob Reader" in page
    assert "loses all access to Harbour & Hearth at once" in page
    fields = form_of(signed_in, address, REMOVE)
    assert signed_in.post(REMOVE, fields)["Location"] == PAGE
    for tab in tabs:
        assert tab.get("/orders/").status_code == 302
        assert tab.get(f"/orders/{order.number}/").status_code == 302
    assert not Session.objects.filter(user=bob).exists()
    Client().post("/login/", {"login": bob.email, "password": "correct horse battery"})
    assert "Bob Reader" not in words(signed_in.get(PAGE)).replace("Bob Reader has no access", "")
    assert told(bob.email) == ["Alice Owner removed your access."]


@pytest.mark.req("PERMISSION-05", "IMPL-04")
def test_what_a_removed_person_did_stays_in_the_history(signed_in, shop):
    packer = MembershipFactory(merchant=shop, preset=Preset.FULFILMENT, user__name="Pat Packer")
    theirs = Client()
    theirs.force_login(packer.user)
    theirs.post("/settings/login/name/", {"name": "Pat P. Packer", "current": PASSWORD})
    signed_in.post(REMOVE, {"member": packer.pk})
    told = Entry.objects.filter(user=packer.user).values_list("event", "actor")
    assert list(told) == [("member.renamed", "Pat P. Packer")]
    [entry] = Entry.objects.filter(event="member.removed")
    assert (entry.actor, entry.after) == ("Alice Owner", {"user": packer.user_id})


@pytest.mark.req("PERMISSION-05", "PERMISSION-06")
def test_who_works_elsewhere_keeps_that_sign_in(signed_in, bob, shop):
    other = MembershipFactory(user=bob).merchant
    theirs = Client()
    theirs.force_login(bob)
    theirs.post("/account/switch/", {"to": shop.slug})
    signed_in.post(REMOVE, {"member": Membership.objects.get(user=bob, merchant=shop).pk})
    answer = theirs.get("/orders/")
    assert answer.status_code == 200
    assert answer.wsgi_request.member.merchant == other


@pytest.mark.req("PERMISSION-04", "BI-ACC", "TH-19")
def test_the_last_owner_cannot_be_removed(signed_in, alice):
    before = everything()
    answer = signed_in.post(REMOVE, {"member": place(alice).pk})
    assert answer.status_code == 409
    assert "The last owner of an account cannot be removed." in words(answer)
    assert everything() == before
    assert signed_in.get("/orders/").status_code == 200


@pytest.mark.req("PERMISSION-04")
def test_one_of_two_owners_can_be_removed_by_an_owner_alone(signed_in, client, shop, alice):
    second = MembershipFactory(merchant=shop, is_owner=True, user__name="Bea Second")
    manager = MembershipFactory(merchant=shop, preset=Preset.MANAGER)
    theirs = Client()
    theirs.force_login(manager.user)
    assert "Remove Bea Second" not in words(theirs.get(PAGE))
    answer = theirs.post(REMOVE, {"member": second.pk})
    assert (answer.status_code, "Only an owner" in words(answer)) == (403, True)
    assert "Remove Bea Second" in words(signed_in.get(PAGE))
    assert signed_in.post(REMOVE, {"member": second.pk}).status_code == 302
    assert signed_in.post(REMOVE, {"member": second.pk}).status_code == 404


@pytest.mark.req("PERMISSION-05")
def test_leaving_is_possible(client, shop, alice):
    manager = MembershipFactory(merchant=shop, preset=Preset.MANAGER)
    client.force_login(manager.user)
    assert client.post(REMOVE, {"member": manager.pk}).status_code == 302
    assert client.get("/orders/")["Location"] == "/login/?next=/orders/"


@pytest.mark.req("PERMISSION-05")
def test_a_command_removes_like_a_page(shop, alice, bob):
    by = Actor("operator", "command line")
    members.remove(merchant_id=shop.pk, member_id=place(bob).pk, by=by)
    assert place(bob).removed_at is not None
    assert told(bob.email) == ["The platform removed your access."]
