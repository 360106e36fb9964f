"""E-mails about signing in and joining: caused by pages, read as they arrived (N27 to N29)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Merchant, User
from core import clock, jobs
from notifications.models import Outbox
from tests.accounts.authenticator import code, turn_on
from tests.factories import PASSWORD, MembershipFactory
from tests.pages import fields_in, form_of
from tests.sinks.smtp import SmtpSink, Taken

AT = datetime(2026, 12, 7, 10, 30, tzinfo=UTC)
NEW = "a much longer secret"
LOGIN, PEOPLE = "/settings/login/", "/settings/permissions/"
SITE = "http://localhost:8000"


@dataclass
class Office:
    """A shop, its owner, somebody who works there, and the browsers of both."""

    shop: Merchant
    owner: User
    worker: User
    sink: SmtpSink
    browser: Client = field(default_factory=Client)
    other: Client = field(default_factory=Client)

    def send(self) -> None:
        for _again in range(3):
            jobs.run("send-outbox")

    def post(self, page: str, **typed: Any) -> Any:
        """The worker fills in a form."""
        fields = form_of(self.browser, page) | typed
        answer = self.browser.post(page, fields)
        self.send()
        return answer

    def act(self, page: str, **typed: Any) -> None:
        """The owner acts."""
        assert self.other.post(page, typed).status_code == 302
        self.send()

    def place(self) -> int:
        return int(self.worker.memberships.get(merchant=self.shop).pk)

    def last(self) -> Taken:
        return self.sink.taken[-1]

    def link(self) -> str:
        """The path of the first link of the last mail."""
        return re.findall(rf"{SITE}(\S+)", self.last().body)[0]


@pytest.fixture
def offices(shop, japanese_shop, sink) -> Iterator[dict[str, Office]]:
    with clock.stopped(AT):
        opened = {}
        for language, place in (("en", shop), ("ja", japanese_shop)):
            owner = MembershipFactory(
                merchant=place,
                is_owner=True,
                user__name="Ono",
                user__email=f"ono@{place.slug}.example",
            ).user
            worker = MembershipFactory(
                merchant=place, user__name="Wada", user__email=f"wada@{place.slug}.example"
            ).user
            office = Office(place, owner, worker, sink)
            office.browser.force_login(worker)
            office.other.force_login(owner)
            opened[language] = office
        yield opened


def new_password(office: Office) -> None:
    typed = {"current": PASSWORD, "password1": NEW, "password2": NEW}
    assert office.post(f"{LOGIN}password/", **typed).status_code == 302


def new_questions(office: Office) -> None:
    typed = {"question1": "teacher", "answer1": "Frank", "question2": "first_pet",
             "answer2": "Minka", "current": PASSWORD}  # fmt: skip
    assert office.post(f"{LOGIN}questions/", **typed).status_code == 302


def no_questions(office: Office) -> None:
    new_questions(office)
    assert office.post(f"{LOGIN}questions/off/", current=PASSWORD).status_code == 302


def new_address(office: Office) -> None:
    new = f"new@{office.shop.slug}.example"
    assert office.post(f"{LOGIN}email/", email=new, current=PASSWORD).status_code == 302
    assert office.last().to == [new]
    page = office.browser.get(office.link())
    where = f"{LOGIN}email/confirm/"
    office.browser.post(where, fields_in(page.content.decode(), where))
    office.send()


def second_step(office: Office) -> None:
    page = office.browser.get(f"{LOGIN}two-step/").content.decode()
    fields = fields_in(page, f"{LOGIN}two-step/")
    secret = "".join(re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)[1].split())
    typed = {"code": code(AT, secret=secret), "current": PASSWORD}
    assert office.browser.post(f"{LOGIN}two-step/", fields | typed).status_code == 200
    office.send()


def no_second_step(office: Office) -> None:
    turn_on(office.worker)
    office.send()
    assert office.post(f"{LOGIN}two-step/off/", current=PASSWORD, code=code(AT)).status_code == 302


def new_codes(office: Office) -> None:
    turn_on(office.worker)
    office.send()
    page = f"{LOGIN}two-step/recovery-codes/"
    assert office.post(page, current=PASSWORD, code=code(AT)).status_code == 200


def a_code_from_paper(office: Office) -> None:
    codes = turn_on(office.worker)
    office.send()
    guest = Client()
    guest.post("/login/", {"login": office.worker.email, "password": PASSWORD})
    assert guest.post("/login/second-step/", {"code": codes[0]}).status_code == 302
    office.send()


def other_rights(office: Office) -> None:
    place = office.place()
    page = office.other.get(f"{PEOPLE}?member={place}").content.decode()
    fields = fields_in(page, f"{PEOPLE}change/")
    office.act(f"{PEOPLE}change/", **(fields | {"refund_orders": "0"}))


def sent_away(office: Office) -> None:
    office.act(f"{PEOPLE}remove/", member=office.place())


def invited(office: Office) -> None:
    office.act(f"{PEOPLE}invite/", email=office.worker.email, preset="finance")


def joined(office: Office) -> None:
    """The worker is of this shop by an invitation."""
    office.worker.memberships.all().delete()
    invited(office)
    assert office.browser.post(office.link(), {}).status_code == 302
    office.send()


@dataclass(frozen=True)
class Note:
    """One note of a change (N28): what somebody does, what it says."""

    event: Callable[[Office], None]
    en: str
    ja: str


NOTES = {
    "password": Note(
        new_password,
        "Your password was changed. Every other sign-in of yours has ended.",
        "パスワードが変更されました。ほかのサインインはすべて終了しました。",
    ),
    "email": Note(
        new_address,
        "The e-mail address that you sign in with was changed.",
        "サインインに使用するメールアドレスが変更されました。",
    ),
    "questions": Note(
        new_questions, "Your security questions were changed.", "秘密の質問が変更されました。"
    ),
    "questions_dropped": Note(
        no_questions, "Your security questions were removed.", "秘密の質問が削除されました。"
    ),
    "two_step_on": Note(
        second_step, "Two-step sign-in was turned on.", "2 段階認証が有効になりました。"
    ),
    "two_step_off": Note(
        no_second_step, "Two-step sign-in was turned off.", "2 段階認証が無効になりました。"
    ),
    "recovery_codes": Note(
        new_codes,
        "New recovery codes were made. The old ones stopped working.",
        "新しい回復コードが作成されました。以前のコードは使用できません。",
    ),
    "recovery_code_used": Note(
        a_code_from_paper,
        "A recovery code was used instead of a code of your app.",
        "アプリのコードの代わりに回復コードが使用されました。",
    ),
    "permissions": Note(
        other_rights,
        "What you may see and change was changed by Ono.",
        "Ono があなたの権限を変更しました。",
    ),
    "removed": Note(
        sent_away, "Ono removed your access.", "Ono があなたのアクセス権を削除しました。"
    ),
    "joined": Note(
        joined,
        "You joined by an invitation of Ono.",
        "Ono からの招待により参加しました。",
    ),
}


@pytest.mark.req("N28", "NOTIF-08", "NOTIF-02", "SETTINGS-04", "PERMISSION-07")
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("what", NOTES)
def test_whoever_is_changed_hears_what_and_when_and_no_value(what, language, offices):
    office, note = offices[language], NOTES[what]
    old = office.worker.email

    note.event(office)
    office.send()

    told = getattr(note, language)
    [mail] = [each for each in office.sink.taken if told in each.body.split("\n")]
    assert (mail.to, mail.message["To"]) == ([old], old)
    place = str(office.shop) if what in ("permissions", "removed", "joined") else "Seller Central"
    subjects = {
        "en": f"A change to your access to {place}",
        "ja": f"{place} へのアクセスの変更",
    }
    assert mail.message["Subject"] == subjects[language]
    when = {"en": "When: 7 Dec 2026, 10:30 GMT", "ja": "日時: 2026/12/07, 19:30 JST"}
    assert when[language] in mail.body.split("\n")
    for value in (PASSWORD, NEW, "@", "JBSW", "Frank", "Minka"):
        assert value not in mail.body
    rows = Outbox.objects.filter(kind="N28", payload__what=what)
    assert [row.state for row in rows] == ["sent"]


@pytest.mark.req("SETTINGS-04", "N28")
@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Confirm your new e-mail address for Seller Central"),
        ("ja", "Seller Central の新しいメールアドレスの確認"),
    ],
)
def test_a_new_address_is_asked_to_confirm_itself(language, subject, offices):
    office = offices[language]
    new = f"new@{office.shop.slug}.example"
    office.post(f"{LOGIN}email/", email=new, current=PASSWORD)
    [mail] = office.sink.taken
    assert (mail.to, mail.message["Subject"]) == ([new], subject)
    assert office.worker.email not in mail.body
    assert office.browser.get(office.link()).status_code == 200


@pytest.mark.req("N27", "PERMISSION-01")
@pytest.mark.parametrize(
    ("language", "subject", "ends"),
    [
        ("en", "Ono invites you to Harbour & Hearth", "until 14 Dec 2026, 10:30 GMT"),
        ("ja", "Ono さんから 北の暮らし株式会社 への招待", "2026/12/14, 19:30 JST"),
    ],
)
def test_an_invitation_names_who_invites_and_ends_after_a_week(language, subject, ends, offices):
    office = offices[language]
    office.act(f"{PEOPLE}invite/", email="pat@mail.example", preset="fulfilment")
    [mail] = office.sink.taken
    assert (mail.to, mail.message["Subject"]) == (["pat@mail.example"], subject)
    assert ends in mail.body
    assert "Ono" in mail.body
    assert str(office.shop) in mail.body
    joining = {"name": "Pat", "password1": NEW, "password2": NEW}
    assert Client().post(office.link(), joining).status_code == 302
    assert NEW not in "".join(each.body for each in office.sink.taken)
    assert User.objects.get(email="pat@mail.example").check_password(NEW)


@pytest.mark.req("N29", "IMPL-12")
@pytest.mark.parametrize(
    ("language", "subject", "life"),
    [
        ("en", "Set a new password for Seller Central", "works once, for one hour"),
        ("ja", "Seller Central の新しいパスワードの設定", "1 時間以内に 1 回だけ"),
    ],
)
def test_whoever_forgot_the_password_gets_a_link(language, subject, life, offices):
    office = offices[language]
    assert Client().post("/password-reset/", {"email": office.worker.email}).status_code == 302
    office.send()
    [mail] = office.sink.taken
    assert (mail.to, mail.message["Subject"]) == ([office.worker.email], subject)
    assert life in mail.body
    assert "New password" in Client().get(office.link(), follow=True).content.decode()
