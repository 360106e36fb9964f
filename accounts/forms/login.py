"""Login Settings and the second step: posted text to clean values."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain import security_questions
from accounts.forms.fields import Address, Line
from accounts.models import SecurityQuestion, User

CODE = {
    "class": "input input--code input--medium",
    "autocomplete": "one-time-code",
    "autocapitalize": "none",
    "spellcheck": "false",
    "maxlength": 60,
}
NEW_PASSWORD_HINT = gettext_lazy(
    "12 to 128 characters of any kind. Not a common password or your name."
)


class Password(forms.CharField):
    """A password as typed: blanks count, nothing is cut."""

    def __init__(self, *, autocomplete: str, **kwargs: Any) -> None:
        attrs = {"class": "input input--wide", "autocomplete": autocomplete}
        super().__init__(strip=False, widget=forms.PasswordInput(attrs=attrs), **kwargs)


def current_password() -> Password:
    return Password(
        label=gettext_lazy("Current password"),
        autocomplete="current-password",
        error_messages={"required": gettext_lazy("Enter your current password")},
    )


def question(label: Any) -> forms.ChoiceField:
    listed = [("", gettext_lazy("Choose a question")), *SecurityQuestion.Question.choices]
    return forms.ChoiceField(
        label=label,
        choices=listed,
        widget=forms.Select(attrs={"class": "select"}),
        error_messages={
            "required": gettext_lazy("Choose a question"),
            "invalid_choice": gettext_lazy("Choose a question of the list"),
        },
    )


def answer(label: Any) -> Line:
    return Line(
        label=label,
        longest=security_questions.LONGEST_ANSWER,
        size="input--wide",
        attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
        help_text=gettext_lazy("Capitals and blanks make no difference"),
        error_messages={"required": gettext_lazy("Answer the question")},
    )


class NewPasswords(forms.Form):
    """A new password, twice, by the rules of SD-08. ``person`` is whose it will be."""

    password1 = Password(
        label=gettext_lazy("New password"),
        autocomplete="new-password",
        help_text=NEW_PASSWORD_HINT,
        error_messages={"required": gettext_lazy("Enter a new password")},
    )
    password2 = Password(
        label=gettext_lazy("New password, once more"),
        autocomplete="new-password",
        error_messages={"required": gettext_lazy("Enter the new password once more")},
    )

    def __init__(self, data: Any = None, *, person: User | None = None) -> None:
        super().__init__(data, auto_id="%s")
        self.person = person

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        once, again = cleaned.get("password1"), cleaned.get("password2")
        if once and again and once != again:
            self.add_error("password2", _("The two passwords are not the same"))
        elif once:
            try:
                validate_password(once, self.person)
            except ValidationError as error:
                self.add_error("password1", error)
        return cleaned


class NameForm(forms.Form):
    name = Line(
        label=gettext_lazy("Name"),
        longest=100,
        size="input--wide",
        attrs={"autocomplete": "name"},
        help_text=gettext_lazy("As colleagues and the history show it"),
        error_messages={"required": gettext_lazy("Enter your name")},
    )
    current = current_password()


class QuestionsForm(forms.Form):
    """Two different questions of the list, each with an answer of its own."""

    question1 = question(gettext_lazy("First question"))
    answer1 = answer(gettext_lazy("Answer to the first question"))
    question2 = question(gettext_lazy("Second question"))
    answer2 = answer(gettext_lazy("Answer to the second question"))
    current = current_password()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        if cleaned.get("question1") and cleaned.get("question1") == cleaned.get("question2"):
            self.add_error("question2", _("Choose another question than the first one"))
        for name in ("answer1", "answer2"):
            if cleaned.get(name) and not security_questions.is_long_enough(cleaned[name]):
                self.add_error(name, _("Answer with two letters or more"))
        once, again = cleaned.get("answer1"), cleaned.get("answer2")
        if once and again and security_questions.same(once, again):
            self.add_error("answer2", _("Give each question an answer of its own"))
        return cleaned

    @property
    def answers(self) -> list[tuple[str, str]]:
        """Return each question with its answer, the first one first."""
        given = self.cleaned_data
        return [(given[f"question{n}"], given[f"answer{n}"]) for n in (1, 2)]


class CurrentForm(forms.Form):
    current = current_password()


class EmailForm(forms.Form):
    email = Address(label=gettext_lazy("New e-mail"))
    current = current_password()


class PasswordForm(NewPasswords):
    current = current_password()
    field_order = ["current", "password1", "password2"]


class TwoStepForm(forms.Form):
    begun = forms.CharField(max_length=1000, widget=forms.HiddenInput)
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        widget=forms.TextInput(attrs={**CODE, "inputmode": "numeric"}),
        help_text=gettext_lazy("The six digits that the app shows now"),
        error_messages={"required": gettext_lazy("Enter the code that the app shows")},
    )
    current = current_password()
    field_order = ["begun", "code", "current"]


class AgainForm(forms.Form):
    """Who is there proves it again: password, and a code where a second step is on."""

    current = current_password()
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        widget=forms.TextInput(attrs=CODE),
        help_text=gettext_lazy("From your app, or a recovery code"),
        error_messages={"required": gettext_lazy("Enter a code")},
    )


class SecondStepForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=60,
        widget=forms.TextInput(attrs={**CODE, "class": "input input--code", "autofocus": True}),
        help_text=gettext_lazy("Six digits from your app, or a recovery code"),
        error_messages={"required": gettext_lazy("Enter a code")},
    )


class JoinForm(NewPasswords):
    """A person's first sign-in, by an invitation."""

    name = Line(
        label=gettext_lazy("Name"),
        longest=100,
        attrs={"autocomplete": "name"},
        help_text=gettext_lazy("As colleagues will see it"),
        error_messages={"required": gettext_lazy("Enter your name")},
    )
    field_order = ["name", "password1", "password2"]
