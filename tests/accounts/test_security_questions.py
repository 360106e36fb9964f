"""Two security questions: chosen in Login Settings, one asked besides a link to a new password."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.domain import security_questions
from accounts.models import SecurityQuestion
from audit.models import Entry
from core import clock
from tests.accounts.authenticator import turn_on
from tests.factories import PASSWORD
from tests.letters import letters, link_in, told
from tests.outsiders import everything
from tests.pages import form_of, words

LOGIN = "/settings/login/"
PAGE, OFF = f"{LOGIN}questions/", f"{LOGIN}questions/off/"
TYPED = {
    "question1": "teacher",
    "answer1": "Frank",
    "question2": "first_pet",
    "answer2": "Minka Müller",
    "current": PASSWORD,
}
ANSWERS = {"teacher": "Frank", "first_pet": "Minka Müller"}
NEW = "a much longer secret"
WRONG = "That is not the answer you gave."


@pytest.fixture
def signed_in(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def asked(alice):
    """Alice has chosen her questions."""
    security_questions.choose(user=alice, answers=list(ANSWERS.items()))
    return alice


def choose(client, **changes):
    return client.post(PAGE, form_of(client, PAGE) | TYPED | changes)


def chosen(user) -> list[str]:
    return [each.question for each in security_questions.chosen_by(user)]


# Choosing -----------------------------------------------------------------------------------------


@pytest.mark.req("SETTINGS-04", "N28", "SETTINGS-17")
def test_two_of_a_list_are_chosen_and_their_answers_are_hashes(signed_in, alice, shop):
    page = signed_in.get(PAGE).content.decode()
    for label in SecurityQuestion.Question.labels:
        assert page.count(f">{label}</option>") == 2
    assert "Security questions Off" in words(signed_in.get(LOGIN))

    assert choose(signed_in)["Location"] == LOGIN

    shown = words(signed_in.get(LOGIN))
    assert "Security questions saved" in shown
    assert "Security questions On" in shown
    assert "What was the family name of a teacher you liked?" in shown
    assert "What was your first pet called?" in shown
    first, second = security_questions.chosen_by(alice)
    assert (first.question, second.question) == ("teacher", "first_pet")
    for row, answer in ((first, "Frank"), (second, "Minka Müller")):
        assert answer.casefold() not in row.answer.casefold()
        assert security_questions.take(row, answer=answer)
        assert not security_questions.take(row, answer=answer + "x")
    assert "Frank" not in signed_in.get(PAGE).content.decode()
    [entry] = Entry.objects.filter(event="member.questions_chosen")
    assert (entry.merchant, entry.actor, entry.after) == (shop, alice.name, {"user": alice.pk})
    assert told(alice.email) == ["Your security questions were changed."]
    assert not any("Frank" in each.body or "Minka" in each.body for each in letters())


@pytest.mark.req("SETTINGS-04", "TH-22", "IMPL-25")
@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"current": "wrong"}, "current", "The current password is not right."),
        ({"current": ""}, "current", "Enter your current password"),
        ({"question1": ""}, "question1", "Choose a question"),
        ({"question2": "mother"}, "question2", "Choose a question of the list"),
        ({"question2": "teacher"}, "question2", "Choose another question than the first one"),
        ({"answer1": " "}, "answer1", "Answer the question"),
        ({"answer1": "a"}, "answer1", "Answer with two letters or more"),
        ({"answer1": "x" * 101}, "answer1", "must be 100 characters or fewer"),
        ({"answer1": "a\x00b"}, "answer1", "Remove line breaks, control characters"),
        ({"answer2": "FR ank"}, "answer2", "Give each question an answer of its own"),
    ],
)
def test_a_choice_that_is_none_is_refused(signed_in, changes, field, message):
    before = everything()
    answer = choose(signed_in, **changes)
    assert (answer.status_code, message in words(answer)) == (422, True)
    assert f'href="#{field}"' in answer.content.decode()
    assert f'value="{PASSWORD}"' not in answer.content.decode()
    assert everything() == before


@pytest.mark.req("TH-22", "IMPL-12")
def test_five_wrong_passwords_then_one_must_wait(signed_in):
    with clock.stopped(clock.now()):
        codes = [choose(signed_in, current="wrong").status_code for _ in range(6)]
        assert codes == [422] * 5 + [429]
        assert choose(signed_in)["Retry-After"] == "60"


@pytest.mark.req("SETTINGS-04")
def test_others_replace_them_and_they_can_be_dropped(signed_in, alice):
    choose(signed_in)
    fields = form_of(signed_in, PAGE)
    assert (fields["question1"], fields["question2"]) == ("teacher", "first_pet")
    assert (fields["answer1"], fields["answer2"]) == ("", "")
    choose(signed_in, question1="friend", question2="teacher")
    assert chosen(alice) == ["friend", "teacher"]

    before = everything()
    assert signed_in.post(OFF, {"current": "wrong"}).status_code == 422
    assert everything() == before
    assert "Ask no questions any more" in words(signed_in.get(PAGE))
    assert signed_in.post(OFF, {"current": PASSWORD})["Location"] == LOGIN
    assert chosen(alice) == []
    assert told(alice.email)[-1] == "Your security questions were removed."
    assert Entry.objects.filter(event="member.questions_dropped").count() == 1
    assert signed_in.get(OFF)["Location"] == LOGIN


@pytest.mark.req("SETTINGS-04")
def test_the_database_keeps_two_different_ones(asked):
    row = {"user": asked, "answer": "x", "chosen_at": clock.now()}
    for place, question in ((1, "friend"), (2, "friend"), (3, "friend")):
        with pytest.raises(IntegrityError), transaction.atomic():
            SecurityQuestion.objects.create(place=place, question=question, **row)
    asked.security_questions.filter(place=2).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        SecurityQuestion.objects.create(place=2, question="teacher", **row)


# Asked besides the link ---------------------------------------------------------------------------


def reset_page(email="alice@shop.example"):
    """Ask for a link and open it; return a stranger's browser and the form's address."""
    guest = Client()
    guest.post("/password-reset/", {"email": email})
    page = guest.get(link_in(letters("N29")[-1], "/password-reset/key/"), follow=True)
    return guest, page


def question_on(page) -> str:
    """The code of the question that a page asks, or empty."""
    found = [q.value for q in SecurityQuestion.Question if str(q.label) in words(page)]
    assert len(found) <= 1
    return found[0] if found else ""


def set_password(guest, page, answer=None):
    typed = {"password1": NEW, "password2": NEW}
    if answer is not None:
        typed["answer"] = answer
    return guest.post(page.wsgi_request.path, typed)


@pytest.mark.req("SETTINGS-04", "TH-24")
def test_one_of_them_is_asked_besides_the_link(asked):
    guest, page = reset_page()
    question = question_on(page)
    assert question in ANSWERS
    assert question_on(guest.get(page.wsgi_request.path)) == question  # the same one again
    for wrong in (None, "", "Somebody else"):
        before = everything()
        answer = set_password(guest, page, wrong)
        told_why = WRONG if wrong else "Answer the question"
        assert (answer.status_code, told_why in words(answer)) == (422, True)
        assert 'href="#answer"' in answer.content.decode()
        assert everything() == before
    right = f"  {ANSWERS[question].upper().replace(' ', '  ')} "
    assert set_password(guest, page, right)["Location"] == "/password-reset/done/"
    asked.refresh_from_db()
    assert asked.check_password(NEW)


@pytest.mark.req("SETTINGS-04", "TH-24")
def test_an_answer_alone_opens_nothing(asked):
    """Without the link there is no page that would take it; with it, the second step stays."""
    guest = Client()
    typed = {"password1": NEW, "password2": NEW, "answer": "Frank"}
    answer = guest.post("/password-reset/key/1-set-password/", typed)
    assert "This link does not work any more" in words(answer)
    assert guest.post("/login/", {"login": asked.email, "answer": "Frank"}).status_code == 422
    assert "question" not in words(guest.get("/login/")).lower()
    asked.refresh_from_db()
    assert asked.check_password(PASSWORD)

    turn_on(asked)
    guest, page = reset_page()
    assert set_password(guest, page, ANSWERS[question_on(page)]).status_code == 302
    answer = guest.post("/login/", {"login": asked.email, "password": NEW})
    assert answer["Location"] == "/login/second-step/"
    assert guest.get("/orders/").status_code == 302


@pytest.mark.req("SETTINGS-04", "TH-20")
def test_whoever_chose_none_is_asked_none(alice):
    guest, page = reset_page()
    assert question_on(page) == ""
    assert re.search(r'name="answer"', page.content.decode()) is None
    assert set_password(guest, page).status_code == 302


@pytest.mark.req("SETTINGS-04", "TH-20", "IMPL-12")
def test_five_wrong_answers_then_one_must_wait_with_whatever_link(asked):
    now = clock.now()
    with clock.stopped(now):
        guest, page = reset_page()
        codes = [set_password(guest, page, "wrong").status_code for _ in range(6)]
        assert codes == [422] * 5 + [429]
        other, again = reset_page()
        answer = set_password(other, again, ANSWERS[question_on(again)])
        assert (answer.status_code, answer["Retry-After"]) == (429, "60")
        assert "Wait 1 minute, then try again." in words(answer)
    with clock.stopped(now + timedelta(minutes=1)):
        assert set_password(other, again, ANSWERS[question_on(again)]).status_code == 302


@pytest.mark.req("SETTINGS-04", "TH-20")
def test_a_password_against_the_rules_says_nothing_about_the_answer(asked):
    guest, page = reset_page()
    for answer in ("wrong", ANSWERS[question_on(page)]):
        typed = {"password1": "short", "password2": "short", "answer": answer}
        shown = guest.post(page.wsgi_request.path, typed)
        assert (shown.status_code, WRONG in words(shown)) == (422, False)


@pytest.mark.req("SETTINGS-04", "PLATFORM-03")
def test_who_forgot_the_answers_is_helped_by_whoever_runs_the_platform(asked, shop):
    out = StringIO()
    call_command("drop_questions", email="ALICE@shop.example", stdout=out)
    assert out.getvalue() == "Removed.\n"
    assert chosen(asked) == []
    assert told(asked.email) == [
        "Your security questions were changed.",
        "Your security questions were removed.",
    ]
    [entry] = Entry.objects.filter(event="member.questions_dropped")
    assert (entry.merchant, entry.actor, entry.door) == (shop, "command line", "operator")
    for email, why in (
        ("alice@shop.example", "There are no security questions"),
        ("nobody@shop.example", "Nobody signs in with this address"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command("drop_questions", email=email)
