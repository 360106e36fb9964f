"""The second step between a right password and the session, where somebody asked for it."""

from __future__ import annotations

from allauth.account.stages import LoginStage
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.domain import second_factor


class SecondStep(LoginStage):  # type: ignore[misc]
    key = "second_step"
    urlname = "account_second_step"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        if not second_factor.is_on(self.login.user):
            return None, True
        return redirect(self.urlname), True
