"""How the sign-in library behaves here: nobody signs up, tries are counted, nothing is chatty."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import truncate_ip
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from accounts.access import SECOND_STEP
from accounts.domain import members, second_factor, sign_ins, signing_in
from accounts.models import User
from core import counts, security
from core.http import is_inside
from core.security import Event


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        return False  # pages answer with pages

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The next page says enough: no notices about having signed in or out."""

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths inside the site; backslashes and other hosts never (IMPL-11)."""
        return is_inside(url or "")

    def address(self, request: HttpRequest) -> str:
        """Return the client's network address as limits count it; IPv6 by its network."""
        return str(truncate_ip(self.get_client_ip(request)))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try before the password is looked at, so that none at once slips by."""
        address = self.address(request)
        verdict = signing_in.begin(email=credentials["email"], address=address)
        request.pause = verdict.pause  # type: ignore[attr-defined]
        request.must_wait = verdict.wait  # type: ignore[attr-defined]
        if verdict.wait:
            raise ValidationError(signing_in.wait_words(verdict.wait), code="wait")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        counts.add(counts.SIGN_IN_FAILURES)
        security.note(Event.SIGN_IN_FAILED)

    def get_login_stages(self) -> list[str]:
        return ["accounts.stages.SecondStep"]

    def login(self, request: HttpRequest, user: User) -> None:
        """Start a session under a new key; its life begins now (reliability SD-05)."""
        super().login(request, user)
        request.session.cycle_key()
        browser = request.headers.get("User-Agent", "")
        request.session.update(sign_ins.begin(browser=browser, address=self.address(request)))
        if getattr(request, "second_step", False):
            request.session[SECOND_STEP] = True
        signing_in.succeeded(email=user.email, address=self.address(request))
        security.note(Event.SIGNED_IN, user=user.pk)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Lead operators to the console, and before that to their second step (SD-09)."""
        user = request.user
        if not (isinstance(user, User) and user.is_operator):
            return str(super().get_login_redirect_url(request))
        on = second_factor.is_on(user)
        return reverse("operators:work" if on else "settings:two_step")

    def logout(self, request: HttpRequest) -> None:
        security.note(Event.SIGNED_OUT, user=request.user.pk)
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        members.set_password(user=user, password=password, known=user.password)
