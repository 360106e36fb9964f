"""Operators of the platform: people of their own, behind a second step, for short sessions."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.http import HttpResponse
from django.test import Client
from django.urls import clear_url_caches, path
from django.utils import timezone

from accounts.access import needs_operator
from accounts.checks import every_view_declares_access
from accounts.models import SecondFactor, User
from sellercentral import urls
from tests.accounts.authenticator import code, turn_on
from tests.accounts.test_two_step import begun_on, codes_on, secret_on
from tests.factories import PASSWORD, MembershipFactory, UserFactory, unshipped_order
from tests.letters import letters, told
from tests.outsiders import PAGES, at, everything
from tests.pages import words

CONSOLE = "/operator/probe/"
SET_UP = "/settings/login/two-step/"


@needs_operator
def console(request):
    return HttpResponse(f"console of {request.actor.name} by {request.actor.door}")


@pytest.fixture
def operator(db) -> User:
    return UserFactory(email="olive@platform.example", name="Olive Operator", is_operator=True)


@pytest.fixture(autouse=True)
def _console(monkeypatch):
    """A page of the console, as others will be."""
    pages = [*urls.urlpatterns, path("operator/probe/", console, name="console")]
    monkeypatch.setattr(urls, "urlpatterns", pages)
    clear_url_caches()
    yield
    monkeypatch.undo()
    clear_url_caches()


def first_step(client, **more):
    data = {"login": "olive@platform.example", "password": PASSWORD} | more
    return client.post("/login/", data)


def sign_in(client):
    first_step(client)
    return client.post("/login/second-step/", {"code": code()})


@pytest.mark.req("PLATFORM-04", "SD-09", "TH-52", "INV-18")
def test_the_first_sign_in_leads_to_the_second_step_and_then_to_the_console(client, operator):
    assert first_step(client)["Location"] == SET_UP
    assert client.get(CONSOLE)["Location"] == SET_UP
    assert client.post(CONSOLE)["Location"] == SET_UP
    page = client.get(SET_UP)
    fields = {"begun": begun_on(page), "code": code(secret=secret_on(page)), "current": PASSWORD}
    assert len(codes_on(client.post(SET_UP, fields))) == 10
    answer = client.get(CONSOLE)
    assert answer.content == b"console of Olive Operator by operator"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.req("SD-09", "TH-52")
def test_a_later_sign_in_proves_it_with_a_code(client, operator):
    turn_on(operator)
    assert first_step(client, next=CONSOLE)["Location"] == "/login/second-step/"
    assert client.get(CONSOLE)["Location"] == f"/login/?next={CONSOLE}"
    assert client.post("/login/second-step/", {"code": code()})["Location"] == CONSOLE
    assert client.get(CONSOLE).status_code == 200


@pytest.mark.req("PLATFORM-04", "SD-09")
def test_who_wanted_no_page_begins_at_the_work_of_the_console(client, operator):
    turn_on(operator)
    assert sign_in(client)["Location"] == "/operator/work/"
    assert client.get("/operator/work/").status_code == 200


@pytest.mark.req("SD-09", "TH-52")
def test_a_session_that_has_not_proved_it_signs_in_again(client, operator):
    client.force_login(operator)  # a session from before the second step was set up elsewhere
    turn_on(operator)
    assert client.get(CONSOLE)["Location"] == f"/login/?next={CONSOLE}"
    assert client.get("/settings/login/").status_code == 302


@pytest.mark.req("PLATFORM-04", "PERMISSION-03")
def test_merchants_people_never_open_the_console(client, alice):
    client.force_login(alice)
    turn_on(alice)
    session = client.session
    session["second_step"] = True
    session.save()
    answer = client.get(CONSOLE)
    assert (answer.status_code, "for operators" in words(answer)) == (403, True)
    assert Client().get(CONSOLE)["Location"] == f"/login/?next={CONSOLE}"


@pytest.mark.req("PLATFORM-04", "INV-16")
def test_an_operator_sees_no_page_of_a_merchant(client, operator, shop):
    order = unshipped_order(shop)
    turn_on(operator)
    sign_in(client)
    before = everything()
    for address, page in PAGES.items():
        if address.startswith("settings/login/"):
            continue
        for method in page.methods.split():
            answer = client.generic(method, at(address, order.number))
            assert answer.status_code == 403, (method, address)
    assert "Operators work for no merchant." in words(client.get("/orders/"))
    assert everything() == before


@pytest.mark.req("PLATFORM-04", "SETTINGS-04")
def test_an_operator_has_login_settings_without_a_merchant(client, operator):
    turn_on(operator)
    assert sign_in(client)["Location"] == "/operator/work/"
    page = words(client.get("/settings/login/"))
    assert "olive@platform.example" in page
    assert "Platform · UTC" in page
    assert "Turn off" not in page
    assert "UTC" in page
    assert (
        client.post("/settings/login/name/", {"name": "Olive O.", "current": PASSWORD}).status_code
        == 302
    )
    new = dict.fromkeys(("password1", "password2"), "a much longer secret")
    answer = client.post("/settings/login/password/", {"current": PASSWORD, **new})
    assert answer.status_code == 302
    assert told("olive@platform.example")[-1].startswith("Your password was changed.")


@pytest.mark.req("SD-09", "PLATFORM-04")
def test_an_operator_cannot_do_without(client, operator):
    turn_on(operator)
    sign_in(client)
    before = everything()
    off = "/settings/login/two-step/off/"
    for answer in (client.get(off), client.post(off, {"current": PASSWORD, "code": code(steps=1)})):
        assert (answer.status_code, "always sign in with a second step" in words(answer)) == (
            403,
            True,
        )
    assert everything() == before
    assert SecondFactor.objects.filter(user=operator).exists()


@pytest.mark.req("SD-05", "TH-25")
@pytest.mark.parametrize(
    ("who", "idle", "longest"),
    [
        ("member", timedelta(hours=12), timedelta(days=7)),
        ("operator", timedelta(minutes=30), timedelta(hours=12)),
    ],
)
def test_sessions_end_after_their_time(client, operator, alice, who, idle, longest):
    client.force_login(operator if who == "operator" else alice)
    page = "/settings/login/"
    second = timedelta(seconds=5)
    for stamp, limit in (("seen", idle), ("started", longest)):
        for age, status in ((limit - second, 200), (limit + second, 302)):
            client.force_login(operator if who == "operator" else alice)
            client.get(page)
            session = client.session
            session[stamp] = (timezone.now() - age).timestamp()
            session.save()
            assert client.get(page).status_code == status, (stamp, age)


@pytest.mark.req("SD-05", "IMPL-23")
def test_the_page_knows_how_long_a_sign_in_lasts(client, operator, alice):
    for user, seconds, stay in (
        (operator, 1800, "/settings/login/"),
        (alice, 43200, "/help/shortcuts/"),
    ):
        client.force_login(user)
        html = client.get("/settings/login/").content.decode()
        assert f'data-idle="{seconds}" data-stay="{stay}"' in html
        assert client.head(stay).status_code == 200


@pytest.mark.req("PLATFORM-04", "IMPL-17")
def test_nobody_is_operator_and_member(operator, shop, bob):
    with pytest.raises(IntegrityError, match="an_operator_belongs_to_no_merchant"):
        MembershipFactory(merchant=shop, user=operator)


def created(**options) -> str:
    out = io.StringIO()
    call_command("create_operator", stdout=out, **options)
    return out.getvalue()


@pytest.mark.req("PLATFORM-04", "SD-09")
def test_the_command_makes_an_operator_who_chooses_a_password(client, db):
    printed = created(email="new@platform.example", name=" New Operator ")
    [link] = re.findall(r"^http://localhost:8000(/password-reset/key/\S+)$", printed, re.MULTILINE)
    operator = User.objects.get(email="new@platform.example")
    assert (operator.name, operator.is_operator, operator.is_staff) == ("New Operator", True, False)
    assert not operator.has_usable_password()
    page = client.get(link, follow=True)
    new = dict.fromkeys(("password1", "password2"), "a much longer secret")
    assert client.post(page.wsgi_request.path, new).status_code == 302
    data = {"login": "new@platform.example", "password": "a much longer secret"}
    assert client.post("/login/", data)["Location"] == SET_UP


@pytest.mark.req("PLATFORM-04", "IMPL-25")
@pytest.mark.parametrize(
    ("email", "name", "message"),
    [
        ("ALICE@shop.example", "Alice", "Somebody signs in with this address already."),
        ("no address", "X", "Write one e-mail address"),
        ("a@b.example", " ", "The name must be"),
        ("a@b.example", "<b>", "The name must be"),
    ],
)
def test_the_command_refuses_what_it_cannot_make(alice, email, name, message):
    before = everything()
    with pytest.raises(CommandError, match=re.escape(message)):
        created(email=email, name=name)
    assert everything() == before


@pytest.mark.req("TH-24", "N29")
def test_an_operators_letters_belong_to_no_merchant(client, operator):
    client.post("/password-reset/", {"email": operator.email})
    [letter] = letters("N29")
    assert letter.to == ("olive@platform.example",)


def test_pages_of_the_console_declare_access():
    assert every_view_declares_access() == []
