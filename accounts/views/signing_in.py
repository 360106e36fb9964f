"""Signing in and out, and a new password for who forgot the old one."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.views import LoginView, PasswordResetFromKeyView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.domain import recovery
from accounts.domain import signing_in as tries
from accounts.forms.signing_in import ForgottenForm
from core import security
from core.forms import describe
from core.refusal import Refused
from core.security import Event


class SignIn(LoginView):  # type: ignore[misc]
    """The library's page, answering as ours do: 422 with errors, 429 while one must wait."""

    http_method_names = ["get", "head", "post"]

    def form_invalid(self, form: Any) -> HttpResponse:
        describe(form)
        wait = getattr(self.request, "must_wait", 0)
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        response.status_code = 429 if wait else 422
        if wait:
            response["Retry-After"] = str(wait)
        return response


class NewPassword(PasswordResetFromKeyView):  # type: ignore[misc]
    http_method_names = ["get", "head", "post"]

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        response.status_code = 429 if form.must_wait else 422
        if form.must_wait:
            response["Retry-After"] = str(form.must_wait)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password, unless the same link did so a moment ago (TH-24)."""
        try:
            response: HttpResponse = super().form_valid(form)
        except Refused as refused:
            response = self.render_to_response(self.get_context_data(token_fail=True))
            response.status_code = refused.refusal.status
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if context.get("token_fail"):  # forged, altered, used or too old: nobody can tell
            security.note(Event.LINK_REFUSED, "reset")
        if "form" in context and not context.get("token_fail"):
            describe(context["form"])
        return context


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("email")
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link to a new password; the answer is the same for every address."""
    form = ForgottenForm(request.POST or None, auto_id="%s")
    if request.method != "POST":
        return render(request, "account/password_reset.html", {"form": form})
    status = 422
    if form.is_valid():
        email = form.cleaned_data["email"]
        wait = tries.wait_for_reset(email=email, address=get_adapter().address(request))
        if not wait:
            recovery.ask(email=email)
            return redirect("account_reset_password_done")
        form.add_error(None, tries.wait_words(wait))
        status = 429
    describe(form)
    response = render(request, "account/password_reset.html", {"form": form}, status=status)
    if status == 429:
        response["Retry-After"] = str(wait)
    return response
