"""Login Settings: one's own name, address, password, and where one is signed in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.domain import sign_ins
from accounts.models import EmailChange, Session
from audit.models import Entry
from core import clock
from tests.factories import PASSWORD, UserFactory
from tests.letters import letters, link_in, told
from tests.outsiders import everything
from tests.pages import fields_in, form_of, words

PAGE = "/settings/login/"
NAME, EMAIL, CONFIRM, PASS, ENDS = (
    f"{PAGE}{page}/" for page in ("name", "email", "email/confirm", "password", "sign-ins")
)
NEW = "a much longer secret"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


def sign_in(email="alice@shop.example", password=PASSWORD, **more) -> Client:
    client = Client(**more)
    assert client.post("/login/", {"login": email, "password": password}).status_code == 302
    return client


def is_in(client) -> bool:
    return client.get("/orders/").status_code == 200


def ask(client, email="new@shop.example", current=PASSWORD):
    return client.post(EMAIL, {"email": email, "current": current})


def link() -> str:
    return link_in(next(each for each in letters("N28") if "Confirm" in each.subject), CONFIRM)


@pytest.mark.req("SETTINGS-04", "SETTINGS-17", "IMPL-04")
def test_the_name_is_changed_and_shown(signed_in, alice, shop):
    typed = {"name": " Alice O. Owner ", "current": PASSWORD}
    assert signed_in.post(NAME, typed)["Location"] == PAGE
    assert "Signed in as Alice O. Owner" in words(signed_in.get(PAGE))
    [entry] = Entry.objects.filter(event="member.renamed")
    assert (entry.merchant, entry.after) == (shop, {"user": alice.pk, "name": "Alice O. Owner"})
    signed_in.post(NAME, typed)
    assert Entry.objects.filter(event="member.renamed").count() == 1


@pytest.mark.req("BI-ACC", "IMPL-25")
@pytest.mark.parametrize(
    "name", ["", "\u3000", "x" * 101, "<b>A</b>", "A\r\nB", "A\u202eB", "A\x00"]
)
def test_a_name_that_is_none_is_refused(signed_in, name):
    before = everything()
    answer = signed_in.post(NAME, {"name": name, "current": PASSWORD})
    assert (answer.status_code, 'href="#name"' in answer.content.decode()) == (422, True)
    assert everything() == before


@pytest.mark.req("SETTINGS-04", "TH-22")
@pytest.mark.parametrize(
    ("current", "message"),
    [("wrong", "The current password is not right."), ("", "Enter your current password")],
)
def test_a_name_takes_the_current_password(signed_in, current, message):
    before = everything()
    answer = signed_in.post(NAME, {"name": "Mallory", "current": current})
    assert (answer.status_code, message in words(answer)) == (422, True)
    assert everything() == before


@pytest.mark.req("SETTINGS-04", "N28", "IMPL-04")
def test_a_new_address_counts_once_its_link_was_opened_and_the_old_one_is_told(signed_in, alice):
    assert ask(signed_in)["Location"] == PAGE
    assert "A link was sent to new@shop.example." in words(signed_in.get(PAGE))
    alice.refresh_from_db()
    assert alice.email == "alice@shop.example"
    [letter] = letters("N28")
    assert letter.to == ("new@shop.example",)
    assert "alice@" not in letter.body
    page = signed_in.get(link())
    assert "From now on you sign in with new@shop.example instead of alice@shop.example." in words(
        page
    )
    used = link()
    fields = fields_in(page.content.decode(), CONFIRM)
    assert signed_in.post(CONFIRM, fields)["Location"] == PAGE
    alice.refresh_from_db()
    assert alice.email == "new@shop.example"
    assert told("alice@shop.example") == ["The e-mail address that you sign in with was changed."]
    [entry] = Entry.objects.filter(event="member.email_changed")
    assert entry.after == {"user": alice.pk}
    assert is_in(sign_in("new@shop.example"))
    for again in (signed_in.get(used), signed_in.post(CONFIRM, fields)):
        assert (again.status_code, "does not work any more" in words(again)) == (410, True)


@pytest.mark.req("SETTINGS-04", "TH-22", "BI-ACC")
@pytest.mark.parametrize(
    ("email", "current", "message"),
    [
        ("new@shop.example", "wrong", "The current password is not right."),
        ("new@shop.example", "", "Enter your current password"),
        ("", PASSWORD, "Enter an e-mail address"),
        ("new@shop.example, b@shop.example", PASSWORD, "Enter one e-mail address"),
        ("Jo <jo@shop.example>", PASSWORD, "Enter one e-mail address"),
        ("jo@shop.example\r\nBcc: x@y.example", PASSWORD, "Enter one e-mail address"),
        ("x" * 245 + "@b.example", PASSWORD, "Enter one e-mail address"),
        ("jo@sh\u043ep.example", PASSWORD, "Write the address in plain letters"),
        ("ALICE@shop.example", PASSWORD, "You sign in with this address already"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(signed_in, email, current, message):
    before = everything()
    answer = ask(signed_in, email, current)
    assert (answer.status_code, message in words(answer)) == (422, True)
    assert everything() == before


@pytest.mark.req("BI-ACC", "TH-20")
def test_nobody_learns_whether_an_address_is_anothers(signed_in, charlie, alice):
    def answered(email):
        answer = ask(signed_in, email)
        page = signed_in.get(PAGE)
        return answer.status_code, answer["Location"], words(page).replace(email, "")

    assert answered(charlie.email) == answered("free@shop.example")
    assert [letter.to for letter in letters("N28")] == [("free@shop.example",)]


@pytest.mark.req("SETTINGS-04", "TH-24")
def test_a_link_ends_with_the_next_wish_after_a_day_and_for_others(signed_in, bob):
    now = clock.now()
    with clock.stopped(now):
        ask(signed_in)
        first = link()
        ask(signed_in, "second@shop.example")
        second = link()
        assert signed_in.get(first).status_code == 410
        other = Client()
        other.force_login(bob)
        assert other.get(second).status_code == 410
        assert (
            Client()
            .get(second)["Location"]
            .startswith("/login/?next=/settings/login/email/confirm/")
        )
    with clock.stopped(now + timedelta(hours=24)):
        assert signed_in.get(second).status_code == 410
        assert signed_in.post(CONFIRM, {"key": second.split("key=")[1]}).status_code == 410
    assert EmailChange.objects.filter(confirmed_at=None, replaced_at=None).count() == 1
    for key in ("", "x", "WzFd:x", "a" * 5000, "%F0%9F%99%82"):
        assert signed_in.get(f"{CONFIRM}?key={key}").status_code == 410


@pytest.mark.req("BI-ACC")
def test_an_address_that_was_taken_meanwhile_is_not_taken_over(signed_in, alice):
    ask(signed_in)
    key = link().split("key=")[1]
    UserFactory(email="NEW@shop.example")
    before = everything()
    assert signed_in.post(CONFIRM, {"key": key}).status_code == 410
    assert everything() == before


@pytest.mark.req("SETTINGS-04", "TH-25", "N28", "IMPL-12")
def test_a_new_password_ends_every_other_sign_in(client, alice):
    here, there = sign_in(), sign_in()
    key = here.session.session_key
    answer = here.post(PASS, {"current": PASSWORD, "password1": NEW, "password2": NEW})
    assert answer["Location"] == PAGE
    assert (is_in(here), is_in(there)) == (True, False)
    assert here.session.session_key != key
    assert Session.objects.filter(user=alice).count() == 1
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert told(alice.email) == [
        "Your password was changed. Every other sign-in of yours has ended."
    ]
    [letter] = letters("N28")
    assert not {NEW, PASSWORD} & {each for each in (NEW, PASSWORD) if each in letter.body}


@pytest.mark.req("SETTINGS-04", "SD-08", "TH-22", "BI-ACC")
@pytest.mark.parametrize(
    ("current", "once", "again", "message"),
    [
        ("wrong", NEW, NEW, "The current password is not right."),
        ("", NEW, NEW, "Enter your current password"),
        (PASSWORD, "eleven char", "eleven char", "at least 12 characters"),
        (PASSWORD, "x1" * 65, "x1" * 65, "128 characters or fewer"),
        (PASSWORD, "password1234", "password1234", "too common"),
        (PASSWORD, "alice@shop.example", "alice@shop.example", "too similar"),
        (PASSWORD, "harbour&hearth!", "harbour&hearth!", "name of the product or of your shop"),
        (PASSWORD, NEW, "another secret here", "The two passwords are not the same"),
        (PASSWORD, "with a \x00 in it", "with a \x00 in it", "Null characters"),
    ],
)
def test_a_password_against_the_rules_is_refused(signed_in, alice, current, once, again, message):
    before = everything()
    answer = signed_in.post(PASS, {"current": current, "password1": once, "password2": again})
    assert (answer.status_code, message in words(answer)) == (422, True)
    assert everything() == before
    for typed in (once, current):
        assert not typed or f'value="{typed}"' not in answer.content.decode()


@pytest.mark.req("SETTINGS-04", "SD-08")
@pytest.mark.parametrize(
    "password", ["  leading and trailing  ", "x1" * 64, "🙂🙃 emoji and 日本語 too"]
)
def test_a_password_counts_as_typed(signed_in, alice, password):
    fields = {"current": PASSWORD, "password1": password, "password2": password}
    assert signed_in.post(PASS, fields).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(password)


@pytest.mark.req("TH-22", "IMPL-12")
def test_five_wrong_current_passwords_then_one_must_wait(signed_in, alice):
    now = clock.now()
    with clock.stopped(now):
        codes = [ask(signed_in, current="wrong").status_code for _ in range(6)]
        assert codes == [422] * 5 + [429]
        fields = {"current": PASSWORD, "password1": NEW, "password2": NEW}
        assert signed_in.post(PASS, fields)["Retry-After"] == "60"
    with clock.stopped(now + timedelta(minutes=1)):
        assert signed_in.post(PASS, fields).status_code == 302


@pytest.mark.req("IMPL-30", "TH-32")
def test_five_new_addresses_an_hour_are_enough(signed_in):
    with clock.stopped(clock.now().replace(minute=30, second=0)):
        answers = [ask(signed_in, f"new{n}@shop.example") for n in range(6)]
        assert [answer.status_code for answer in answers] == [302] * 5 + [429]
        assert "Wait 30 minutes, then try again." in words(answers[-1])
        assert answers[-1]["Retry-After"] == "1800"


@pytest.mark.req("TH-25", "SETTINGS-04")
def test_open_sign_ins_are_listed_and_ended(alice, bob):
    here = sign_in(headers={"User-Agent": FIREFOX})
    there = sign_in(headers={"User-Agent": "curl/8"}, REMOTE_ADDR="203.0.113.9")
    sign_in(bob.email)
    page = here.get(PAGE)
    assert "Firefox on Windows Address 127.0.0.1" in words(page)
    assert "Unknown browser Address 203.0.113.9" in words(page)
    assert words(page).count("This one") == 1
    html = page.content.decode()
    assert not any(key in html for key in Session.objects.values_list("session_key", flat=True))
    handle = fields_of_end(html)
    assert here.post(ENDS, {"end": handle})["Location"] == PAGE
    assert "The sign-in has ended" in words(here.get(PAGE))
    assert (is_in(here), is_in(there)) == (True, False)
    here.post(ENDS, {"end": handle})
    assert "had ended already" in words(here.get(PAGE))


def fields_of_end(html: str) -> str:
    """The handle in the form of the one other sign-in."""

    [handle] = re.findall(r'name="end" value="([0-9a-f]{16})"', html)
    return handle


@pytest.mark.req("TH-25")
def test_all_others_are_ended_at_once_but_nobody_elses(alice, bob):
    here, there, third, bobs = sign_in(), sign_in(), sign_in(), sign_in(bob.email)
    assert here.post(ENDS, {"end": "others"}).status_code == 302
    assert "2 sign-ins have ended" in words(here.get(PAGE))
    assert [is_in(each) for each in (here, there, third, bobs)] == [True, False, False, True]


@pytest.mark.req("TH-13", "IMPL-03")
def test_nobody_ends_the_sign_in_of_another(alice, bob):
    here, bobs = sign_in(), sign_in(bob.email)
    handle = sign_ins.handle_of(bobs.session.session_key)
    here.post(ENDS, {"end": handle})
    here.post(ENDS, {"end": bobs.session.session_key})
    assert is_in(bobs)


@pytest.mark.req("TH-25", "SD-05")
def test_outlived_sign_ins_are_not_listed(alice):
    here, there = sign_in(), sign_in()
    session = there.session
    session["seen"] -= 12 * 3600 + 1
    session.save()
    assert words(here.get(PAGE)).count("Unknown browser") == 1
    assert not is_in(there)


@pytest.mark.req("SETTINGS-04")
def test_shortcuts_are_switched_here_too(signed_in):
    fields = form_of(signed_in, PAGE, "/help/shortcuts/")
    fields.pop("on")
    assert signed_in.post("/help/shortcuts/", fields)["Location"] == PAGE
    assert signed_in.cookies["shortcuts"].value == "off"
    for elsewhere in ("//evil.example", "https://evil.example/"):
        answer = signed_in.post("/help/shortcuts/", fields | {"next": elsewhere})
        assert answer["Location"] == "/help/shortcuts/"


@pytest.mark.req("IMPL-11", "TH-26")
def test_every_change_takes_a_token(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    before = everything()
    for address in (
        NAME,
        EMAIL,
        PASS,
        ENDS,
        f"{PAGE}questions/",
        f"{PAGE}questions/off/",
        f"{PAGE}two-step/",
        f"{PAGE}two-step/off/",
        "/settings/account/business/",
    ):
        assert client.post(address, {"name": "X"}).status_code == 403, address
    assert everything() == before
