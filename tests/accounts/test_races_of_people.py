"""Two at the same instant: one code lets one in, one owner stays, one link works once.

Each race is shown to be one: with its guard taken away it is lost.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from threading import Barrier

import pytest
from django.db import IntegrityError, connection
from django.test import Client

from accounts.domain import account_info, invitations, letters, members, own_data, second_factor
from accounts.models import EmailChange, Invitation, Membership, Merchant, RecoveryCode, User
from accounts.models import SecondFactor as Factor
from accounts.permissions import Function, Level, Preset
from core.actor import Actor
from tests.accounts.authenticator import code, turn_on
from tests.factories import PASSWORD, MembershipFactory, MerchantFactory, UserFactory
from tests.races import racers

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]
ROUNDS = 6


def actor(member: Membership) -> Actor:
    return Actor("form", member.user.name, user_id=member.user_id, owner=member.is_owner)


@contextmanager
def patched(monkeypatch, target, name, replacement):
    with monkeypatch.context() as patch:
        patch.setattr(target, name, replacement)
        yield


# ---- Codes ----


def rounds_of_codes(kind: str) -> list[list[bool]]:
    """Show one code twice at once, by two connections, several times over."""
    answers = []
    with racers(2) as run:
        for _round in range(ROUNDS):
            user = UserFactory()
            [paper, *_others] = turn_on(user)
            shown = paper if kind == "paper" else code()
            take = partial(second_factor.take, user=user, code=shown)
            answers.append(run(take, take))
    return answers


@pytest.mark.req("TH-23", "BI-ACC")
@pytest.mark.parametrize("kind", ["app", "paper"])
def test_one_code_shown_twice_at_once_counts_once(kind):
    assert [sorted(each) for each in rounds_of_codes(kind)] == [[False, True]] * ROUNDS


@pytest.mark.req("TH-23")
@pytest.mark.parametrize("kind", ["app", "paper"])
def test_without_the_conditional_update_both_would_count(monkeypatch, kind):
    meet = Barrier(2, timeout=30)

    def read_then_write(user, typed):
        if kind == "app":
            unused = Factor.objects.get(user=user).last_counter < 2**40
        else:
            unused = RecoveryCode.objects.filter(
                factor=user.pk, digest=second_factor._digest(typed), used_at=None
            ).exists()
        meet.wait()  # both have read
        return unused

    name = "_take_from_app" if kind == "app" else "_take_from_paper"
    with patched(monkeypatch, second_factor, name, read_then_write):
        assert rounds_of_codes(kind) == [[True, True]] * ROUNDS


@pytest.mark.req("TH-23", "SD-09")
def test_two_browsers_with_one_code_get_one_session():
    user = MembershipFactory(is_owner=True).user
    turn_on(user)
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.post("/login/", {"login": user.email, "password": PASSWORD})
    shown = code()
    with racers(2) as run:
        answers = run(
            *(partial(each.post, "/login/second-step/", {"code": shown}) for each in browsers)
        )
    assert sorted(answer.status_code for answer in answers) == [302, 422]
    assert sorted(each.get("/orders/").status_code for each in browsers) == [200, 302]


# ---- The last owner ----


def rounds_of_owners() -> list[tuple[list[object], int]]:
    """Two owners remove each other at once; return the answers and how many owners are left."""
    outcomes = []
    with racers(2) as run:
        for _round in range(ROUNDS):
            shop = MerchantFactory()
            one, two = (MembershipFactory(merchant=shop, is_owner=True) for _ in range(2))
            answers = run(
                partial(members.remove, merchant_id=shop.pk, member_id=two.pk, by=actor(one)),
                partial(members.remove, merchant_id=shop.pk, member_id=one.pk, by=actor(two)),
            )
            left = Membership.objects.filter(merchant=shop, is_owner=True, removed_at=None)
            outcomes.append((answers, left.count()))
    return outcomes


def unlocked(merchant_id, which):
    """Read people as ``members._lock`` does, but lock nothing."""
    people = Membership.objects.filter(which, merchant=merchant_id, removed_at=None)
    return list(people.select_related("user", "merchant__marketplace").order_by("pk"))


@pytest.mark.req("PERMISSION-04", "TH-19", "INV-18", "G-1")
def test_of_two_owners_who_remove_each_other_one_stays():
    for answers, left in rounds_of_owners():
        assert left == 1
        assert sum(isinstance(each, Membership) for each in answers) == 1
        assert "PERMISSION_DENIED" in answers  # who was removed may not remove any more


@pytest.mark.req("PERMISSION-04", "IMPL-17")
def test_without_the_lock_the_database_still_keeps_one(monkeypatch):
    with patched(monkeypatch, members, "_lock", unlocked):
        outcomes = rounds_of_owners()
    assert {left for _answers, left in outcomes} == {1}
    stopped = [any(isinstance(a, IntegrityError) for a in answers) for answers, _left in outcomes]
    assert any(stopped)


@pytest.mark.req("PERMISSION-04")
def test_without_lock_and_trigger_the_account_would_lose_both(monkeypatch):
    trigger = "ALTER TABLE accounts_membership {} TRIGGER an_account_keeps_an_owner"
    with connection.cursor() as cursor:
        cursor.execute(trigger.format("DISABLE"))
        try:
            with patched(monkeypatch, members, "_lock", unlocked):
                outcomes = rounds_of_owners()
        finally:
            cursor.execute(trigger.format("ENABLE"))
    assert 0 in {left for _answers, left in outcomes}


@pytest.mark.req("PERMISSION-05", "INV-18", "TH-19")
def test_a_right_and_its_removal_at_once_never_both():
    """A manager is removed while they give somebody a right: whichever is first, both are whole."""
    with racers(2) as run:
        for _round in range(ROUNDS):
            shop = MerchantFactory()
            owner = MembershipFactory(merchant=shop, is_owner=True)
            manager, jo = MembershipFactory(merchant=shop), MembershipFactory(merchant=shop)
            wanted = members.Wanted(jo.pk, {Function.MESSAGES: Level.NONE}, Preset.MANAGER, 1)
            given, removed = run(
                partial(
                    members.change_levels, merchant_id=shop.pk, wanted=wanted, by=actor(manager)
                ),
                partial(members.remove, merchant_id=shop.pk, member_id=manager.pk, by=actor(owner)),
            )
            assert isinstance(removed, Membership)
            events = list(shop.history.order_by("number").values_list("event", flat=True))
            if isinstance(given, Membership):
                assert events == ["member.permissions_changed", "member.removed"]
            else:
                assert (given, events) == ("PERMISSION_DENIED", ["member.removed"])


# ---- Links ----


def invited(email: str) -> str:
    owner = MembershipFactory(is_owner=True)
    invitation = invitations.invite(
        merchant_id=owner.merchant_id, email=email, preset=Preset.FINANCE, by=actor(owner)
    )
    return letters.key_of_invitation(invitation)


@pytest.mark.req("PERMISSION-01", "BI-ACC")
def test_an_invitation_accepted_twice_at_once_makes_one_member():
    with racers(2) as run:
        for number in range(ROUNDS):
            key = invited(f"pat{number}@shop.example")
            accept = partial(invitations.accept_as_new, key=key, password=PASSWORD)
            answers = run(partial(accept, name="One"), partial(accept, name="Two"))
            assert sum(isinstance(each, User) for each in answers) == 1
            assert "LINK_ENDED" in answers
            assert Membership.objects.filter(user__email=f"pat{number}@shop.example").count() == 1


@pytest.mark.req("PERMISSION-01")
def test_an_invitation_accepted_and_withdrawn_at_once_ends_one_way():
    with racers(2) as run:
        for number in range(ROUNDS):
            key = invited(f"sam{number}@shop.example")
            row = Invitation.objects.get(email=f"sam{number}@shop.example")
            by = Actor("form", "owner", user_id=row.invited_by_id, owner=True)
            accepted, withdrawn = run(
                partial(invitations.accept_as_new, key=key, name="Sam", password=PASSWORD),
                partial(
                    invitations.withdraw, merchant_id=row.merchant_id, invitation_id=row.pk, by=by
                ),
            )
            ends = (isinstance(accepted, User), isinstance(withdrawn, Invitation))
            assert ends in ((True, False), (False, True))
            there = Membership.objects.filter(user__email=row.email).exists()
            assert there == ends[0]


@pytest.mark.req("PERMISSION-01")
def test_an_address_is_invited_once_however_often_one_clicks():
    owner = MembershipFactory(is_owner=True)
    send = partial(
        invitations.invite,
        merchant_id=owner.merchant_id,
        email="pat@shop.example",
        preset=Preset.FINANCE,
        by=actor(owner),
    )
    with racers(4) as run:
        answers = run(send, send, send, send)
    assert sum(isinstance(each, Invitation) for each in answers) == 1
    assert answers.count("ALREADY_KNOWN") == 3


@pytest.mark.req("BI-ACC", "SETTINGS-04")
def test_one_address_confirmed_by_two_people_at_once_goes_to_one():
    people = [MembershipFactory(is_owner=True).user for _person in range(2)]
    for person in people:
        own_data.ask_for_email(user=person, email="wanted@shop.example")
    keys = [letters.key_of_change(EmailChange.objects.get(user=person)) for person in people]
    with racers(2) as run:
        answers = run(
            *(
                partial(own_data.confirm_email, key=key, user=person)
                for key, person in zip(keys, people, strict=True)
            )
        )
    assert sorted(map(str, answers)) == ["LINK_ENDED", "None"]
    assert User.objects.filter(email="wanted@shop.example").count() == 1


@pytest.mark.req("TH-24", "IMPL-12")
def test_one_link_sets_one_password_however_many_use_it_at_once():
    user = MembershipFactory(is_owner=True).user
    page = letters.reset_link(user).removeprefix("http://localhost:8000")
    browsers = [Client() for _ in range(3)]
    forms = [browser.get(page, follow=True).wsgi_request.path for browser in browsers]
    secrets = [f"quite a long secret {number}" for number in range(3)]
    with racers(3) as run:
        answers = run(
            *(
                partial(browser.post, form, {"password1": secret, "password2": secret})
                for browser, form, secret in zip(browsers, forms, secrets, strict=True)
            )
        )
    won = [answer.status_code == 302 for answer in answers]
    assert won.count(True) == 1
    user.refresh_from_db()
    assert user.check_password(secrets[won.index(True)])


# ---- Settings ----


def rounds_of_settings() -> list[tuple[list[object], int]]:
    outcomes = []
    with racers(2) as run:
        for _round in range(ROUNDS):
            shop = MerchantFactory()
            by = Actor("form", "Jo", owner=True)
            save = partial(account_info.change, merchant_id=shop.pk, seen=1, by=by)
            answers = run(
                partial(save, values={"city": "Falmouth"}), partial(save, values={"city": "Truro"})
            )
            outcomes.append((answers, shop.history.filter(event="account.changed").count()))
    return outcomes


@pytest.mark.req("INV-08", "IMPL-02")
def test_of_two_who_save_the_same_page_at_once_one_is_told():
    for answers, changes in rounds_of_settings():
        assert (answers.count("STALE_SETTINGS"), changes) == (1, 1)


@pytest.mark.req("INV-08")
def test_without_the_lock_one_would_overwrite_the_other(monkeypatch):
    rows = type(Merchant.objects.all())
    with patched(monkeypatch, rows, "select_for_update", lambda self, **_: self):
        outcomes = rounds_of_settings()
    assert any(changes == 2 for _answers, changes in outcomes)
