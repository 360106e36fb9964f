"""How the sign-in library behaves here: nobody signs up, links point at our own address."""

from __future__ import annotations

from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("E-mail or password is not right."),
        "too_many_login_attempts": _(
            "Too many tries with this e-mail address. Wait five minutes, then try again."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Only addresses inside the site; backslashes and other hosts never (IMPL-11)."""
        return bool(url) and url_has_allowed_host_and_scheme(str(url), allowed_hosts=None)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link's host comes from the settings, not from the request (TH-24)."""
        path = urlsplit(str(super().get_reset_password_from_key_url(key))).path
        return f"{settings.SITE_URL}{path}"
