"""Signing in and a new password: posted text to clean values."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm, ResetPasswordKeyForm
from allauth.account.models import Login
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain import security_questions, signing_in
from accounts.forms.login import answer

_ADDRESS = {"class": "input", "autocomplete": "username", "spellcheck": "false"}
_NO_ADDRESS = {
    "required": gettext_lazy("Enter your e-mail address"),
    "invalid": gettext_lazy("Enter one e-mail address, like jo@shop.example"),
}
_NO_PASSWORD = {"required": gettext_lazy("Enter your password")}


class SignInForm(LoginForm):  # type: ignore[misc]
    """One message whatever is wrong, so that nobody learns which addresses exist (IMPL-12)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "%s")
        super().__init__(*args, **kwargs)
        email, password = self.fields["login"], self.fields["password"]
        email.label, password.label = _("E-mail"), _("Password")
        email.error_messages |= _NO_ADDRESS
        password.error_messages |= _NO_PASSWORD
        email.widget = forms.EmailInput(attrs=_ADDRESS)
        password.widget = forms.PasswordInput(
            attrs={"class": "input", "autocomplete": "current-password", "maxlength": 128}
        )
        password.help_text = ""

    def _clean_with_password(self, credentials: dict[str, Any]) -> dict[str, Any]:
        user = get_adapter(self.request).authenticate(self.request, **credentials)
        if user is None or not user.is_active:
            text = _("E-mail or password is not right.")
            if self.request.pause:
                text = f"{text} {signing_in.wait_words(self.request.pause)}"
            raise ValidationError(text, code="mismatch")
        self._login = Login(user=user, email=credentials["email"])
        self.user = user
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned


class ForgottenForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs=_ADDRESS),
        error_messages=_NO_ADDRESS,
    )


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password, twice. Any characters count as typed; nothing is cut (SD-08).

    Whoever chose security questions answers one of them besides; must_wait: seconds, or 0.
    """

    must_wait = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "%s")
        super().__init__(*args, **kwargs)
        self.question = security_questions.asked_of(self.user, key=self.temp_key)
        if self.question is not None:
            self.fields["answer"] = answer(self.question.get_question_display())
            self.order_fields(["answer", "password1", "password2"])
        once, again = self.fields["password1"], self.fields["password2"]
        once.label, again.label = _("New password"), _("New password, once more")
        once.help_text = _("12 to 128 characters of any kind. Not a common password or your name.")
        once.error_messages |= {"required": _("Enter a new password")}
        again.error_messages |= {"required": _("Enter the new password once more")}
        for field in (once, again):
            field.widget = forms.PasswordInput(
                attrs={"class": "input", "autocomplete": "new-password"}
            )

    def clean(self) -> dict[str, Any]:
        """Look at the answer last: a password that is none tells nothing about it."""
        cleaned: dict[str, Any] = super().clean()
        if self.question is None or self.errors:
            return cleaned
        verdict = security_questions.attempt(user=self.user)
        if verdict.wait:
            self.must_wait = verdict.wait
            self.add_error(None, signing_in.wait_words(verdict.wait))
        elif not security_questions.take(self.question, answer=cleaned["answer"]):
            text = _("That is not the answer you gave.")
            if verdict.pause:
                text = f"{text} {signing_in.wait_words(verdict.pause)}"
            self.add_error("answer", text)
        return cleaned
