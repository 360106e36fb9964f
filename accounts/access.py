"""Who may come to a page of a merchant: deny by default (PERMISSION-03, INV-18)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from accounts.domain import second_factor
from accounts.models import Membership, User
from accounts.permissions import Function, Level
from core import security
from core.actor import Actor
from core.http import MerchantRequest
from core.security import Event
from core.views import errors

View = Callable[..., HttpResponseBase]

SECOND_STEP = "second_step"  # in a session whose sign-in was proved with a code


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
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            if no := _refusal(request, function, level):
                return no
            return _unstored(view(request, *args, **kwargs))

        checked.access = Access(function, level)  # type: ignore[attr-defined]
        return checked

    return decorate


def needs_self(view: View) -> View:
    """Let people come to their own sign-in: members by their permission, and operators."""
    function, level = Function.LOGIN_SETTINGS, Level.EDIT

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if not request.user.is_operator and (no := _refusal(request, function, level, own=True)):
            return no
        return _unstored(view(request, *args, **kwargs))

    checked.access = Access(function, level)  # type: ignore[attr-defined]
    return checked


def needs_operator(view: View) -> View:
    """Let operators pass who signed in with a second step; merchants' people never (PLATFORM-04).

    The view finds the operator as ``request.actor``. Who has no second step yet is led to set it
    up; who set it up elsewhere signs in again, so that this session has proved it.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return _to_sign_in(request)
        if not user.is_operator:
            security.note(Event.OPERATOR_REFUSED, user=user.pk)
            return errors.refused(request, _("These pages are for operators of the platform."))
        if not second_factor.is_on(user):
            return redirect("settings:two_step")
        if not request.session.get(SECOND_STEP):
            logout(request)
            return _to_sign_in(request)
        request.actor = Actor("operator", user.name, user_id=user.pk)  # type: ignore[attr-defined]
        return _unstored(view(request, *args, **kwargs))

    checked.for_operators = True  # type: ignore[attr-defined]
    return checked


def _refusal(
    request: HttpRequest, function: Function | None, level: Level, *, own: bool = False
) -> HttpResponseBase | None:
    """Return the answer to a member who may not do this; None to who may.

    own: it is a page of one's own sign-in, which opens before the second step is set up.
    """
    ours = cast(MerchantRequest, request)
    if ours.member is None:
        security.note(Event.PERMISSION_REFUSED, "no account", user=ours.user.pk)
        text = (
            _("Operators work for no merchant. Their pages are those of the platform.")
            if ours.user.is_operator
            else _("You belong to no account. Ask an owner to invite you.")
        )
        return errors.refused(request, text)
    if function is not None and ours.actor.level(function) < level:
        return errors.refused(request, _missing(ours, function, level))
    if ours.member.merchant.second_step_required and (led := _led_to_second_step(request, own)):
        return led
    if request.method == "POST" and _made_for_another(ours):
        merchant_id = ours.member.merchant_id
        security.note(Event.FORM_REFUSED, "account", user=ours.user.pk, merchant=merchant_id)
        return errors.switched(request)
    return None


def _led_to_second_step(request: HttpRequest, own: bool) -> HttpResponseBase | None:
    """Lead who has no second step to where it is set up; who did not give it, signs in (SD-09)."""
    if own or request.session.get(SECOND_STEP):
        return None
    user = cast(User, request.user)
    if second_factor.is_on(user):
        logout(request)
        return _to_sign_in(request)
    messages.info(request, _("An owner of this account asks everybody for a second step."))
    to = reverse("settings:two_step")
    return HttpResponseClientRedirect(to) if getattr(request, "htmx", None) else redirect(to)


def _unstored(response: HttpResponseBase) -> HttpResponseBase:
    patch_cache_control(response, no_store=True)
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask to sign in, then lead back; a fragment asks for the page that it belongs to."""
    htmx = getattr(request, "htmx", None)
    if htmx:
        try:
            page = htmx.current_url_abs_path
        except ValueError:  # no address at all
            page = None
        return HttpResponseClientRedirect(redirect_to_login(page or request.get_full_path()).url)
    back = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    return redirect_to_login(back) if back else redirect_to_login("/home/")


def _missing(request: MerchantRequest, function: Function, level: Level) -> str:
    """Say which permission is missing and who can grant it (NAV-03)."""
    merchant = request.member.merchant
    who = request.user.pk
    security.note(Event.PERMISSION_REFUSED, function.value, user=who, merchant=merchant.pk)
    owners = Membership.objects.filter(merchant=merchant, is_owner=True, removed_at=None)
    names = ", ".join(owners.order_by("user__name").values_list("user__name", flat=True)[:5])
    return _(
        "The permission “%(function)s” at the level “%(level)s” is needed."
        " An owner of this account can grant it: %(owners)s."
    ) % {"function": function.label, "level": level.label, "owners": names or "–"}


def _made_for_another(request: MerchantRequest) -> bool:
    made_for = request.POST.get("merchant")
    return made_for is not None and made_for != str(request.member.merchant_id)
