"""A new password for who forgot the old one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from accounts.domain import recovery
from accounts.models import PasswordReset
from audit.models import Entry
from core import clock
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.pages import words

NEW = "a much longer secret"


@pytest.fixture
def ask(django_capture_on_commit_callbacks):
    def post(client, email="alice@shop.example", **more):
        with django_capture_on_commit_callbacks(execute=True):
            return client.post("/password-reset/", {"email": email}, **more)

    return post


def link_in(message) -> str:
    return re.search(r"http://localhost:8000(/password-reset/key/\S+)", message.body)[1]


def choose(client, link, password=NEW, again=None):
    page = client.get(link, follow=True)
    action = page.wsgi_request.path
    return client.post(action, {"password1": password, "password2": again or password})


@pytest.mark.req("IMPL-12")
def test_a_link_sets_a_new_password_once_and_ends_every_sign_in(client, alice, ask):
    elsewhere = Client()
    elsewhere.force_login(alice)
    assert ask(client)["Location"] == "/password-reset/sent/"
    [message] = mail.outbox
    assert (message.to, message.subject) == (
        ["alice@shop.example"],
        "Set a new password for Seller Central",
    )
    link = link_in(message)
    assert choose(client, link)["Location"] == "/password-reset/done/"
    assert elsewhere.get("/orders/").status_code == 302
    alice.refresh_from_db()
    assert (alice.check_password(NEW), alice.check_password(PASSWORD)) == (True, False)
    [entry] = Entry.objects.filter(event="member.password_changed")
    assert (entry.user_id, entry.after) == (alice.pk, {"user": alice.pk})
    again = Client().get(link, follow=True)
    assert "This link does not work any more" in words(again)


@pytest.mark.req("IMPL-12")
def test_nobody_learns_which_addresses_exist(client, alice, ask):
    UserFactory(email="gone@shop.example", is_active=False)
    for email in ("alice@shop.example", "nobody@shop.example", "gone@shop.example"):
        answer = ask(client, email)
        assert (answer.status_code, answer["Location"]) == (302, "/password-reset/sent/")
    assert [message.to for message in mail.outbox] == [["alice@shop.example"]]


@pytest.mark.req("IMPL-12")
def test_a_forged_host_does_not_come_into_the_link(client, alice, ask):
    ask(client, headers={"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example"})
    assert "http://localhost:8000/password-reset/key/" in mail.outbox[0].body
    assert "evil" not in mail.outbox[0].body
    assert client.get("/login/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.req("IMPL-12")
def test_a_link_ends_after_an_hour(client, alice, ask, settings):
    ask(client)
    settings.PASSWORD_RESET_TIMEOUT = -1
    answer = client.get(link_in(mail.outbox[0]), follow=True)
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
def test_weak_passwords_are_refused_with_the_reason(client, alice, ask, password, told):
    ask(client)
    answer = choose(client, link_in(mail.outbox[0]), password)
    assert answer.status_code == 422
    assert told in words(answer)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.req("IMPL-12")
@pytest.mark.parametrize(
    "password", ["  leading and trailing  ", "x1" * 64, "🙂🙃 emoji and 日本語 too", "twelve chars"]
)
def test_any_characters_count_as_typed(client, alice, ask, password):
    ask(client)
    assert choose(client, link_in(mail.outbox[0]), password).status_code == 302
    data = {"login": alice.email, "password": password}
    assert Client().post("/login/", data).status_code == 302
    wrong = {"login": alice.email, "password": password.strip() + "?"}
    assert Client().post("/login/", wrong).status_code == 422


@pytest.mark.req("IMPL-25")
def test_two_different_passwords_are_refused(client, alice, ask):
    ask(client)
    answer = choose(client, link_in(mail.outbox[0]), NEW, "another long secret")
    assert (answer.status_code, "same password" in words(answer)) == (422, True)


@pytest.mark.req("IMPL-30")
def test_five_wishes_an_hour_for_an_account_and_twenty_for_an_address(client, alice, ask):
    with clock.stopped(clock.now().replace(minute=30, second=0)):
        codes = [ask(client).status_code for _ in range(6)]
        assert codes == [302] * 5 + [429]
        answer = ask(client)
        assert "Wait 30 minutes, then try again." in words(answer)
        assert answer["Retry-After"] == "1800"
        codes = [ask(client, f"{n}@shop.example").status_code for n in range(15)]
        assert codes == [302] * 13 + [429] * 2
        assert ask(Client(REMOTE_ADDR="203.0.113.9"), "x@shop.example").status_code == 302


@pytest.mark.req("IMPL-15", "IMPL-12")
def test_a_mail_server_that_is_away_is_asked_again(client, alice, ask, settings):
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert ask(client)["Location"] == "/password-reset/sent/"
    assert PasswordReset.objects.get().sent_at is None
    settings.EMAIL_BACKEND = backend
    recovery.send_due()
    assert mail.outbox == []  # not before a minute
    with clock.stopped(clock.now() + timedelta(minutes=1, seconds=1)):
        recovery.send_due()
        recovery.send_due()
    assert len(mail.outbox) == 1
    assert PasswordReset.objects.get().sent_at is not None


@pytest.mark.req("IMPL-12")
def test_a_wish_that_could_not_be_met_in_an_hour_lapses(client, alice):
    recovery.ask(email=alice.email)
    with clock.stopped(clock.now() + timedelta(hours=1)):
        recovery.send_due()
    assert mail.outbox == []


def test_a_new_password_is_told_to_each_account_of_the_person(client, alice, ask):
    other = MembershipFactory(user=alice, is_owner=True).merchant
    ask(client)
    choose(client, link_in(mail.outbox[0]))
    told = Entry.objects.filter(event="member.password_changed").values_list("merchant", flat=True)
    assert sorted(told) == sorted(alice.memberships.values_list("merchant", flat=True))
    assert other.pk in told
