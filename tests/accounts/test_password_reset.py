"""A new password for who forgot the old one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Session
from audit.models import Entry
from core import clock
from notifications.models import Outbox
from tests.accounts.authenticator import turn_on
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.letters import letters, link_in, told
from tests.pages import words

NEW = "a much longer secret"


def ask(client, email="alice@shop.example", **more):
    return client.post("/password-reset/", {"email": email}, **more)


def link() -> str:
    """The link of the one letter owed."""
    [letter] = letters("N29")
    return link_in(letter, "/password-reset/key/")


def choose(client, link, password=NEW, again=None):
    page = client.get(link, follow=True)
    action = page.wsgi_request.path
    return client.post(action, {"password1": password, "password2": again or password})


@pytest.mark.req("IMPL-12", "N29", "TH-24", "TH-25")
def test_a_link_sets_a_new_password_once_and_ends_every_sign_in(client, alice):
    elsewhere = Client()
    elsewhere.force_login(alice)
    assert ask(client)["Location"] == "/password-reset/sent/"
    [letter] = letters("N29")
    assert (letter.to, letter.subject) == (
        ("alice@shop.example",),
        "Set a new password for Seller Central",
    )
    assert "once, for one hour" in letter.body
    used = link()
    assert choose(client, used)["Location"] == "/password-reset/done/"
    assert elsewhere.get("/orders/").status_code == 302
    assert not Session.objects.filter(user=alice).exists()
    alice.refresh_from_db()
    assert (alice.check_password(NEW), alice.check_password(PASSWORD)) == (True, False)
    [entry] = Entry.objects.filter(event="member.password_changed")
    assert (entry.user_id, entry.after) == (alice.pk, {"user": alice.pk})
    assert told("alice@shop.example") == [
        "Your password was changed. Every other sign-in of yours has ended."
    ]
    again = Client().get(used, follow=True)
    assert "This link does not work any more" in words(again)


@pytest.mark.req("IMPL-12", "TH-24")
def test_of_two_who_come_with_one_link_the_second_finds_it_used(client, alice):
    ask(client)
    used, second = link(), Client()
    page = second.get(used, follow=True)  # its form is open while the first one is sent
    assert choose(client, used).status_code == 302
    other = dict.fromkeys(("password1", "password2"), "quite another secret")
    answer = second.post(page.wsgi_request.path, other)
    assert "This link does not work any more" in words(answer)
    alice.refresh_from_db()
    assert alice.check_password(NEW)


@pytest.mark.req("TH-24", "SD-09")
def test_a_new_password_does_not_skip_the_second_step(client, alice):
    turn_on(alice)
    ask(client)
    assert choose(client, link()).status_code == 302
    answer = client.post("/login/", {"login": alice.email, "password": NEW})
    assert answer["Location"] == "/login/second-step/"
    assert client.get("/orders/").status_code == 302


@pytest.mark.req("IMPL-12")
def test_nobody_learns_which_addresses_exist(client, alice):
    UserFactory(email="gone@shop.example", is_active=False)
    for email in ("alice@shop.example", "nobody@shop.example", "gone@shop.example"):
        answer = ask(client, email)
        assert (answer.status_code, answer["Location"]) == (302, "/password-reset/sent/")
    assert [letter.to for letter in letters()] == [("alice@shop.example",)]


@pytest.mark.req("IMPL-12", "TH-24")
def test_a_forged_host_does_not_come_into_the_link(client, alice):
    ask(client, headers={"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example"})
    [letter] = letters()
    assert "http://localhost:8000/password-reset/key/" in letter.body
    assert "evil" not in letter.body
    assert client.get("/login/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.req("IMPL-12")
def test_a_link_ends_after_an_hour(client, alice, settings):
    ask(client)
    settings.PASSWORD_RESET_TIMEOUT = -1
    answer = client.get(link(), follow=True)
    assert "This link does not work any more" in words(answer)


@pytest.mark.req("IMPL-12")
@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("eleven char", "at least 12 characters"),
        ("x" * 64 + "y" * 65, "128 characters or fewer"),
        ("password1234", "too common"),
        ("alice@shop.example", "too similar"),
        ("Seller Central", "name of the product"),
        ("harbour&hearth!", "name of the product or of your shop"),
        ("", "Enter a new password"),
        ("with a \x00 character", "Null characters"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(client, alice, password, told):
    ask(client)
    answer = choose(client, link(), password)
    assert answer.status_code == 422
    assert told in words(answer)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.req("IMPL-12")
@pytest.mark.parametrize(
    "password", ["  leading and trailing  ", "x1" * 64, "🙂🙃 emoji and 日本語 too", "twelve chars"]
)
def test_any_characters_count_as_typed(client, alice, password):
    ask(client)
    assert choose(client, link(), password).status_code == 302
    data = {"login": alice.email, "password": password}
    assert Client().post("/login/", data).status_code == 302
    wrong = {"login": alice.email, "password": password.strip() + "?"}
    assert Client().post("/login/", wrong).status_code == 422


@pytest.mark.req("IMPL-25")
def test_two_different_passwords_are_refused(client, alice):
    ask(client)
    answer = choose(client, link(), NEW, "another long secret")
    assert (answer.status_code, "same password" in words(answer)) == (422, True)


@pytest.mark.req("IMPL-30")
def test_five_wishes_an_hour_for_an_account_and_twenty_for_an_address(client, alice):
    with clock.stopped(clock.now().replace(minute=30, second=0)):
        codes = [ask(client).status_code for _ in range(6)]
        assert codes == [302] * 5 + [429]
        answer = ask(client)
        assert "Wait 30 minutes, then try again." in words(answer)
        assert answer["Retry-After"] == "1800"
        codes = [ask(client, f"{n}@shop.example").status_code for n in range(15)]
        assert codes == [302] * 13 + [429] * 2
        assert ask(Client(REMOTE_ADDR="203.0.113.9"), "x@shop.example").status_code == 302


@pytest.mark.req("IMPL-12", "NOTIF-01")
def test_a_wish_is_a_row_of_the_outbox_and_its_link_is_made_when_it_is_sent(client, alice, shop):
    ask(client)
    row = Outbox.objects.get()
    assert (row.kind, row.channel, row.merchant) == ("N29", "person_email", shop)
    assert row.payload == {"user": alice.pk}
    first = link()
    with clock.stopped(clock.now() + timedelta(seconds=2)):
        assert letters("N29") != []
    assert first not in str(row.payload)


@pytest.mark.req("IMPL-12")
def test_a_wish_that_could_not_be_met_in_an_hour_lapses(client, alice):
    ask(client)
    assert len(letters()) == 1
    with clock.stopped(clock.now() + timedelta(hours=1)):
        assert letters() == []


def test_a_new_password_is_told_to_each_account_of_the_person(client, alice):
    other = MembershipFactory(user=alice, is_owner=True).merchant
    ask(client)
    choose(client, link())
    told = Entry.objects.filter(event="member.password_changed").values_list("merchant", flat=True)
    assert sorted(told) == sorted(alice.memberships.values_list("merchant", flat=True))
    assert other.pk in told
