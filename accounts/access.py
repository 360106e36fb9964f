"""Who may come to a page of a merchant: deny by default (PERMISSION-03, INV-18)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.permissions import Function, Level
from core.http import MerchantRequest
from core.refusal import Refusal
from core.views import errors

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Access:
    """What a view declares: the function and level it needs; None stands for any member."""

    function: Function | None
    level: Level


def needs(function: Function | None, level: Level = Level.VIEW) -> Callable[[View], View]:
    """Let members pass who hold the level; strangers sign in first, others get 403.

    A form carries the merchant it was made for: after switching account in another tab its post is
    refused instead of acting for the wrong one (TH-16).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            ours = cast(MerchantRequest, request)
            if ours.member is None:
                raise PermissionDenied(_("You belong to no account. Ask an owner to invite you."))
            if function is not None and ours.actor.level(function) < level:
                raise PermissionDenied(
                    _(
                        "The permission “%(function)s” at the level “%(level)s” is needed."
                        " Ask the account owner."
                    )
                    % {"function": function.label, "level": level.label}
                )
            if request.method == "POST" and _made_for_another(ours):
                return errors.conflict(request, _switched())
            response = view(ours, *args, **kwargs)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        checked.access = Access(function, level)  # type: ignore[attr-defined]
        return checked

    return decorate


def _made_for_another(request: MerchantRequest) -> bool:
    made_for = request.POST.get("merchant")
    return made_for is not None and made_for != str(request.member.merchant_id)


def _switched() -> Refusal:
    return Refusal(
        "STALE_ORDER",
        _("You switched to another account meanwhile."),
        remedy=_("Nothing was saved. Switch back and repeat."),
    )
