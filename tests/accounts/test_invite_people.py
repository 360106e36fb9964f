"""Inviting people by e-mail, and accepting: one link, seven days, one address, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from accounts.domain import invitations, members, signing_in
from accounts.models import Grant, Invitation, Membership, User
from accounts.permissions import PRESETS, Function, Level, Preset
from audit.models import Entry
from core import clock
from core.actor import Actor
from tests.factories import MembershipFactory, UserFactory
from tests.letters import letters, link_in, told
from tests.outsiders import everything
from tests.pages import words

PAGE = "/settings/permissions/"
INVITE, ANSWER = f"{PAGE}invite/", f"{PAGE}invitations/"
PASSWORD = "a long new secret"
JOIN = {"name": "Pat Packer", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def invite(client, email="pat@shop.example", preset="fulfilment"):
    return client.post(INVITE, {"email": email, "preset": preset})


def link() -> str:
    """The link of the last letter."""
    return link_in(letters("N27")[-1], "/invitation/")


@pytest.mark.req("PERMISSION-01", "SETTINGS-12", "N27", "SETTINGS-17")
def test_an_invitation_is_listed_mailed_and_in_the_history(signed_in, shop, alice):
    answer = signed_in.post(INVITE, {"email": " pat@shop.example ", "preset": "fulfilment"})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    page = words(signed_in.get(PAGE))
    assert "Invitation sent to pat@shop.example" in page
    assert "1 person , 1 invitation" in page or "1 person, 1 invitation" in page
    [letter] = letters("N27")
    assert letter.to == ("pat@shop.example",)
    assert letter.subject == "Alice Owner invites you to Harbour & Hearth"
    assert "Alice Owner invites you to work for Harbour & Hearth" in letter.body
    [entry] = Entry.objects.filter(event="invitation.sent")
    assert (entry.user, entry.after) == (
        alice,
        {"email": "pat@shop.example", "preset": "fulfilment"},
    )


@pytest.mark.req("PERMISSION-01", "SETTINGS-12", "PERMISSION-02")
def test_a_new_person_chooses_name_and_password_and_is_in(signed_in, shop):
    invite(signed_in)
    guest = Client()
    page = guest.get(link())
    assert "Join Harbour & Hearth" in words(page)
    assert "You will sign in as pat@shop.example." in words(page)
    answer = guest.post(link(), JOIN)
    assert (answer.status_code, answer["Location"]) == (302, "/home/")
    person = User.objects.get(email="pat@shop.example")
    assert (person.name, person.check_password(PASSWORD)) == ("Pat Packer", True)
    member = person.memberships.get()
    assert members.levels_of(member) == dict(PRESETS[Preset.FULFILMENT])
    assert guest.get("/orders/").status_code == 200
    assert guest.get(PAGE).status_code == 403
    assert "Pat Packer" in words(signed_in.get(PAGE))
    assert not invitations.open_of(shop).exists()
    assert told("pat@shop.example") == ["You joined by an invitation of Alice Owner."]


@pytest.mark.req("PERMISSION-01", "BI-ACC")
def test_a_link_works_once(signed_in):
    invite(signed_in)
    used = link()
    assert Client().post(used, JOIN).status_code == 302
    before = everything()
    for method in ("get", "post"):
        answer = getattr(Client(), method)(used, JOIN if method == "post" else None)
        assert (answer.status_code, "does not work any more" in words(answer)) == (410, True)
    assert everything() == before


@pytest.mark.req("PERMISSION-01", "BI-ACC")
@pytest.mark.parametrize(("days", "status"), [(timedelta(days=7, seconds=-1), 302), (timedelta(days=7), 410), (timedelta(days=8), 410)])  # fmt: skip
def test_a_link_ends_after_seven_days(signed_in, days, status):
    now = clock.now()
    with clock.stopped(now):
        invite(signed_in)
        ours = link()
    with clock.stopped(now + days):
        assert Client().post(ours, JOIN).status_code == status
        assert User.objects.filter(email="pat@shop.example").exists() == (status == 302)


@pytest.mark.req("PERMISSION-01", "TH-24")
@pytest.mark.parametrize(
    "key",
    ["x", "WzEsMV0:x", "..", "%00", "a" * 5000, "WzEsMV0", ":", "é"],
)
def test_forged_links_lead_nowhere(client, db, key):
    assert client.get(f"/invitation/{key}/").status_code in (400, 404, 410)


@pytest.mark.req("TH-24")
def test_a_key_of_another_kind_is_no_invitation(client, signed_in):
    invite(signed_in)
    row = Invitation.objects.get()
    foreign = signing.Signer(salt="accounts.email_change").sign_object([row.pk, row.serial])
    assert Client().get(f"/invitation/{foreign}/").status_code == 410


@pytest.mark.req("PERMISSION-01", "TH-24")
def test_the_link_names_the_site_of_the_settings(signed_in):
    signed_in.post(
        INVITE,
        {"email": "pat@shop.example", "preset": "finance"},
        headers={"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example"},
    )
    [letter] = letters("N27")
    assert "http://localhost:8000/invitation/" in letter.body
    assert "evil" not in letter.body


@pytest.mark.req("PERMISSION-01", "PERMISSION-06")
def test_somebody_who_signs_in_already_joins_without_a_new_password(signed_in, shop, charlie):
    invite(signed_in, charlie.email.upper())
    guest = Client()
    page = words(guest.get(link()))
    assert "You have a sign-in already" in page
    assert "New password" not in page
    before = everything()
    assert guest.post(link(), JOIN).status_code == 200  # still: sign in first
    assert everything() == before
    guest.force_login(charlie)
    assert "Join" in words(guest.get(link()))
    assert guest.post(link())["Location"] == "/home/"
    assert Membership.objects.filter(merchant=shop, user=charlie, removed_at=None).exists()
    assert guest.get("/orders/").wsgi_request.member.merchant == shop
    charlie.refresh_from_db()
    assert charlie.check_password("correct horse battery")


@pytest.mark.req("PERMISSION-01", "BI-ACC")
def test_another_address_cannot_take_the_place(signed_in, bob, charlie):
    invite(signed_in, charlie.email)
    other = Client()
    other.force_login(bob)
    before = everything()
    assert "This invitation is for another e-mail address" in words(other.get(link()))
    assert other.post(link()).status_code == 403
    assert everything() == before


@pytest.mark.req("PLATFORM-04")
def test_an_operator_cannot_take_a_place(signed_in, shop):
    operator = UserFactory(email="op@platform.example", is_operator=True)
    assert invite(signed_in, operator.email).status_code == 302  # nobody learns who signs in
    guest = Client()
    guest.force_login(operator)
    answer = guest.post(link())
    assert (answer.status_code, "Operators work for no merchant." in words(answer)) == (403, True)
    assert not Membership.objects.filter(user=operator).exists()


@pytest.mark.req("PERMISSION-01", "PERMISSION-05")
def test_somebody_who_was_removed_can_be_invited_again(signed_in, shop, bob):
    member = Membership.objects.get(user=bob)
    signed_in.post(f"{PAGE}remove/", {"member": member.pk})
    invite(signed_in, bob.email, "finance")
    guest = Client()
    guest.force_login(bob)
    assert guest.post(link()).status_code == 302
    member.refresh_from_db()
    assert (member.removed_at, member.preset) == (None, "finance")
    assert members.levels_of(member) == dict(PRESETS[Preset.FINANCE])


@pytest.mark.req("SETTINGS-12", "PERMISSION-01")
def test_sending_again_makes_a_new_link_and_the_old_one_stops(signed_in):
    invite(signed_in)
    first, row = link(), Invitation.objects.get()
    with clock.stopped(clock.now() + timedelta(days=6)):
        answer = signed_in.post(ANSWER, {"invitation": row.pk, "act": "again"})
        assert answer["Location"] == PAGE
        second = link()
    assert first != second
    assert len(letters("N27")) == 1  # the first letter, had it not left, would not leave now
    with clock.stopped(clock.now() + timedelta(days=12)):
        assert Client().get(first).status_code == 410
        assert Client().post(second, JOIN).status_code == 302


@pytest.mark.req("SETTINGS-12", "PERMISSION-01", "SETTINGS-17")
def test_a_withdrawn_invitation_is_gone(signed_in, shop):
    invite(signed_in)
    ours, row = link(), Invitation.objects.get()
    assert signed_in.post(ANSWER, {"invitation": row.pk, "act": "withdraw"}).status_code == 302
    assert letters("N27") == []
    assert Client().get(ours).status_code == 410
    assert "Invitation to pat@shop.example is withdrawn" in words(signed_in.get(PAGE))
    assert "pat@shop.example" not in words(signed_in.get(PAGE))
    assert Entry.objects.filter(event="invitation.withdrawn", merchant=shop).count() == 1
    for act in ("again", "withdraw"):
        assert signed_in.post(ANSWER, {"invitation": row.pk, "act": act}).status_code == 404
    assert invite(signed_in).status_code == 302  # and may be invited anew


@pytest.mark.req("IMPL-03", "INV-16", "BI-ACC")
@pytest.mark.parametrize("given", ["", "0", "-1", "x", "9" * 30, "１", None])
def test_invitations_of_others_and_none_are_alike(signed_in, charlie, given):
    theirs = Client()
    theirs.force_login(charlie)
    invite(theirs)
    before = everything()
    which = Invitation.objects.get().pk if given is None else given
    for act in ("again", "withdraw"):
        answer = signed_in.post(ANSWER, {"invitation": which, "act": act})
        assert answer.status_code == 404
    assert everything() == before


@pytest.mark.req("PERMISSION-01", "IMPL-25")
def test_members_and_invited_addresses_are_not_invited_twice(signed_in, bob):
    answer = invite(signed_in, bob.email.upper())
    assert (answer.status_code, "works for this account already" in words(answer)) == (409, True)
    invite(signed_in)
    before = everything()
    answer = invite(signed_in, "PAT@shop.example")
    assert (answer.status_code, "invited already" in words(answer)) == (409, True)
    assert everything() == before


@pytest.mark.req("BI-ACC", "TH-20")
def test_an_invitation_tells_nothing_about_who_signs_in_elsewhere(signed_in, charlie):
    def answered(email):
        answer = invite(signed_in, email)
        return answer.status_code, words(signed_in.get(PAGE)).replace(email, "")

    known = answered(charlie.email)
    Invitation.objects.all().delete()
    assert answered("nobody-at@all.example") == known


@pytest.mark.req("BI-ACC", "IMPL-25", "TH-30")
@pytest.mark.parametrize(
    "email",
    ["", " ", "x", "a@b.example,c@d.example", "Jo <jo@shop.example>", "jo@shop.example\r\nBcc: x@y.example",
     "x" * 250 + "@b.example", "jo@\u0430pple.example", "jo@shop", "@shop.example", "jo\x00@shop.example"],
)  # fmt: skip
def test_what_is_not_one_address_is_refused(signed_in, email):
    before = everything()
    answer = invite(signed_in, email)
    assert answer.status_code == 422
    assert 'id="invite-email-error"' in answer.content.decode()
    assert everything() == before


@pytest.mark.req("PERMISSION-04", "INV-18")
def test_nobody_offers_more_than_they_hold(client, shop, alice):
    manager = MembershipFactory(merchant=shop, preset=Preset.MANAGER)
    client.force_login(manager.user)
    page = client.get(PAGE).content.decode()
    assert '<option value="manager">' in page
    assert '<option value="finance">' not in page  # it may see bank information
    before = everything()
    assert invite(client, preset="finance").status_code == 422
    by = Actor("form", "x", user_id=manager.user_id, owner=True)  # a forged one
    with pytest.raises(invitations.Refused) as refused:
        invitations.invite(merchant_id=shop.pk, email="a@b.example", preset=Preset.FINANCE, by=by)
    assert refused.value.code == "PERMISSION_DENIED"
    assert everything() == before
    assert invite(client, preset="manager").status_code == 302


@pytest.mark.req("INV-18", "PERMISSION-04")
@pytest.mark.parametrize("loss", ["removed", "reduced", "less"])
def test_an_invitation_is_worth_what_its_sender_holds_when_it_is_accepted(
    client, shop, alice, loss
):
    manager = MembershipFactory(merchant=shop, preset=Preset.MANAGER, user__name="Max Manager")
    client.force_login(manager.user)
    invite(client, preset="manager")
    ours = link()
    by = Actor("form", alice.name, user_id=alice.pk, owner=True)
    if loss == "removed":
        members.remove(merchant_id=shop.pk, member_id=manager.pk, by=by)
    elif loss == "reduced":
        Grant.objects.filter(membership=manager, function=Function.USER_PERMISSIONS).delete()
    else:
        Grant.objects.filter(membership=manager, function=Function.REFUND_ORDERS).update(
            level=Level.VIEW
        )
    before = everything()
    answer = Client().post(ours, JOIN)
    assert (answer.status_code, "may not offer this any more" in words(answer)) == (403, True)
    assert everything() == before


@pytest.mark.req("PERMISSION-01", "SD-08", "BI-ACC", "IMPL-25")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Enter your name"),
        ({"name": "<script>alert(1)</script>"}, "Remove line breaks, control characters, < and >"),
        ({"name": "x" * 101}, "Name must be 100 characters or fewer"),
        ({"password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"password1": "pat@shop.example", "password2": "pat@shop.example"}, "too similar"),
        ({"password2": "something else entirely"}, "The two passwords are not the same"),
        ({"password1": "", "password2": ""}, "Enter a new password"),
    ],
)
def test_name_and_password_follow_the_rules(signed_in, changes, message):
    invite(signed_in)
    before = everything()
    answer = Client().post(link(), JOIN | changes)
    assert (answer.status_code, message in words(answer)) == (422, True)
    assert PASSWORD not in answer.content.decode()
    assert everything() == before


@pytest.mark.req("IMPL-30", "TH-32")
def test_sixty_invitations_an_hour_are_enough(signed_in, monkeypatch):
    monkeypatch.setattr(signing_in, "INVITATIONS_PER_MERCHANT", 2)
    with clock.stopped(clock.now().replace(minute=30, second=0)):
        invite(signed_in)
        which = {"invitation": Invitation.objects.get().pk}
        assert signed_in.post(ANSWER, which | {"act": "again"}).status_code == 302
        before = everything()
        for answer in (
            invite(signed_in, "second@shop.example"),
            signed_in.post(ANSWER, which | {"act": "again"}),
        ):
            assert (answer.status_code, answer["Retry-After"]) == (429, "1800")
            assert "Wait 30 minutes, then try again." in words(answer)
        assert everything() == before
        assert signed_in.post(ANSWER, which | {"act": "withdraw"}).status_code == 302


@pytest.mark.req("IMPL-07", "IMPL-30")
def test_looking_at_a_link_changes_nothing_and_open_invitations_are_bounded(signed_in, monkeypatch):
    invite(signed_in)
    before = everything()
    Client().get(link())
    Client().head(link())
    assert everything() == before
    monkeypatch.setattr(invitations, "MOST_OPEN", 1)
    answer = invite(signed_in, "second@shop.example")
    assert (answer.status_code, "There are 1 open invitations." in words(answer)) == (422, True)
