"""Login Settings: a person's own name, address, password and open sign-ins (SETTINGS-04)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs_self
from accounts.domain import members, own_data, second_factor, security_questions, sign_ins
from accounts.domain import signing_in as tries
from accounts.forms.login import EmailForm, NameForm, PasswordForm
from accounts.views import proving
from accounts.views.browsers import name_of
from core.forms import describe
from core.http import MerchantRequest
from core.refusal import Refused
from core.views import errors


@require_safe
@needs_self
def login_settings(request: MerchantRequest) -> HttpResponse:
    user = request.user
    found = sign_ins.open_of(user, this=request.session.session_key or "")
    context = {
        "two_step": second_factor.is_on(user),
        "codes_left": second_factor.codes_left(user),
        "questions": security_questions.chosen_by(user),
        "sign_ins": [{"it": each, "browser": name_of(each.browser)} for each in found],
    }
    return render(request, "settings/login.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
@sensitive_post_parameters("current")
def name(request: MerchantRequest) -> HttpResponse:
    form = NameForm(request.POST or None, auto_id="%s", initial={"name": request.user.name})
    template = "settings/login_name.html"
    if request.method != "POST" or not form.is_valid():
        return page(request, template, form)
    if wait := proving.password(request, form):
        return page(request, template, form, wait=wait)
    if form.errors:
        return page(request, template, form)
    own_data.rename(user=request.user, name=form.cleaned_data["name"])
    messages.success(request, _("Name saved"))
    return redirect("settings:login")


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
@sensitive_post_parameters("current")
def email(request: MerchantRequest) -> HttpResponse:
    """Ask for another address; it counts once its link was opened (SETTINGS-04)."""
    form = EmailForm(request.POST or None, auto_id="%s")
    template = "settings/login_email.html"
    if request.method != "POST" or not form.is_valid():
        return page(request, template, form)
    if form.cleaned_data["email"].casefold() == request.user.email.casefold():
        form.add_error("email", _("You sign in with this address already"))
        return page(request, template, form)
    if wait := proving.password(request, form):
        return page(request, template, form, wait=wait)
    if form.errors:
        return page(request, template, form)
    if wait := tries.wait_for_change(user_id=request.user.pk):
        form.add_error(None, tries.wait_words(wait))
        return page(request, template, form, wait=wait)
    own_data.ask_for_email(user=request.user, email=form.cleaned_data["email"])
    told = _("A link was sent to %s. The address counts once you open it, within 24 hours.")
    messages.success(request, told % form.cleaned_data["email"])
    return redirect("settings:login")


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
def confirm_email(request: MerchantRequest) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    key = given.get("key", "")
    try:
        change = own_data.find_change(key, user=request.user)
        if request.method != "POST":
            context = {"change": change, "key": key}
            return render(request, "settings/login_confirm_email.html", context)
        own_data.confirm_email(key=key, user=request.user)
    except Refused as refused:
        return errors.conflict(request, refused.refusal)
    messages.success(request, _("E-mail changed. The old address is told."))
    return redirect("settings:login")


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
@sensitive_post_parameters("current", "password1", "password2")
def password(request: MerchantRequest) -> HttpResponse:
    """Change the password; every other sign-in ends (TH-25)."""
    form = PasswordForm(request.POST or None, person=request.user)
    template = "settings/login_password.html"
    if request.method != "POST" or not form.is_valid():
        return page(request, template, form)
    if wait := proving.password(request, form):
        return page(request, template, form, wait=wait)
    if form.errors:
        return page(request, template, form)
    try:
        members.set_password(
            user=request.user,
            password=form.cleaned_data["password1"],
            known=request.user.password,
            keep=request.session.session_key or "",
        )
    except Refused as refused:
        return errors.conflict(request, refused.refusal)
    update_session_auth_hash(request, request.user)
    messages.success(request, _("Password changed. Every other sign-in of yours has ended."))
    return redirect("settings:login")


@require_POST
@needs_self
def end_sign_ins(request: MerchantRequest) -> HttpResponse:
    """End one of one's own sign-ins, or all the others."""
    this = request.session.session_key or ""
    if request.POST.get("end") == "others":
        count = sign_ins.end_all(user=request.user, but=this)
        told = ngettext("%d sign-in has ended", "%d sign-ins have ended", count) % count
        messages.success(request, told)
    elif sign_ins.end(user=request.user, handle=request.POST.get("end", "")):
        messages.success(request, _("The sign-in has ended"))
    else:
        messages.success(request, _("This sign-in had ended already"))
    return redirect("settings:login")


def page(
    request: MerchantRequest, template: str, form: Form, *, wait: int = 0, **more: Any
) -> HttpResponse:
    """Answer with a form: 200, 422 with errors, 429 while one must wait."""
    describe(form)
    status = 429 if wait else 422 if form.errors else 200
    response = render(request, template, {"form": form, **more}, status=status)
    if wait:
        response["Retry-After"] = str(wait)
    return response
