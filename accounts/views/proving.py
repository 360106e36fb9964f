"""Proving again who sits there, before something about signing in is changed (TH-22, TH-23)."""

from __future__ import annotations

from django.forms import Form
from django.utils.translation import gettext as _

from accounts.domain import second_factor
from accounts.domain.signing_in import wait_words
from accounts.models import User
from core import clock, security, throttle
from core.http import MerchantRequest
from core.security import Event
from core.throttle import Verdict


def password(request: MerchantRequest, form: Form) -> int:
    """Check the form's ``current``; a wrong one becomes its error. Return seconds to wait, or 0.

    Tries are counted per person: a session that was left open is no place to guess.
    """
    who = str(request.user.pk)
    verdict = throttle.attempt("password-again", who, at=clock.now())
    if verdict.wait:
        form.add_error(None, wait_words(verdict.wait))
    elif request.user.check_password(form.cleaned_data["current"]):
        throttle.forgive("password-again", who)
    else:
        security.note(Event.PASSWORD_REFUSED, user=request.user.pk)
        form.add_error("current", _with_pause(_("The current password is not right."), verdict))
    return verdict.wait


def code(user: User, form: Form) -> int:
    """Use up the form's ``code``; a wrong one becomes its error. Return seconds to wait, or 0."""
    verdict = second_factor.attempt(user=user)
    if verdict.wait:
        form.add_error(None, wait_words(verdict.wait))
    elif not second_factor.take(user=user, code=form.cleaned_data["code"]):
        security.note(Event.CODE_REFUSED, user=user.pk)
        text = _("That code is not right, or it was used already.")
        form.add_error("code", _with_pause(text, verdict))
    return verdict.wait


def _with_pause(text: str, verdict: Verdict) -> str:
    return f"{text} {wait_words(verdict.pause)}" if verdict.pause else text
