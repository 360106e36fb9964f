"""Accepting an invitation: with a name and a password, or as who signs in already."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.domain import invitations
from accounts.forms.login import JoinForm
from accounts.models import Invitation, User
from core.forms import describe
from core.refusal import Refusal, Refused

TEMPLATE = "account/invitation.html"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password1", "password2")
def invitation(request: HttpRequest, key: str) -> HttpResponse:
    """Answer a link: the link alone changes nothing, only the form behind it (PERMISSION-01)."""
    try:
        found = invitations.find(key)
        person = invitations.invited_person(found)
        if request.user.is_authenticated:
            return _as_signed_in(request, key, found)
        if person is not None:
            return render(request, TEMPLATE, {"invitation": found, "must": "sign in"})
        return _as_new(request, key, found)
    except Refused as refused:
        return _ended(request, refused.refusal)


def _as_signed_in(request: HttpRequest, key: str, found: Invitation) -> HttpResponse:
    if request.user.email.casefold() != found.email.casefold():  # type: ignore[union-attr]
        context = {"invitation": found, "must": "sign out"}
        status = 403 if request.method == "POST" else 200
        return render(request, TEMPLATE, context, status=status)
    if request.method != "POST":
        return render(request, TEMPLATE, {"invitation": found, "must": "join"})
    invitations.accept(key=key, user=request.user)  # type: ignore[arg-type]
    request.session.cycle_key()
    request.session["merchant"] = found.merchant_id
    messages.success(request, _("You work for %s now") % found.merchant)
    return redirect("home")


def _as_new(request: HttpRequest, key: str, found: Invitation) -> HttpResponse:
    form = JoinForm(request.POST or None, person=User(email=found.email, name=_typed(request)))
    if request.method != "POST" or not form.is_valid():
        describe(form)
        status = 422 if form.errors else 200
        context = {"invitation": found, "must": "", "form": form}
        return render(request, TEMPLATE, context, status=status)
    user = invitations.accept_as_new(
        key=key, name=form.cleaned_data["name"], password=form.cleaned_data["password1"]
    )
    request.session["merchant"] = found.merchant_id
    response: HttpResponse = perform_login(request, user, email=user.email)
    return response


def _typed(request: HttpRequest) -> str:
    return request.POST.get("name", "")


def _ended(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    context = {"refusal": refusal, "must": "nothing"}
    return render(request, TEMPLATE, context, status=refusal.status)
