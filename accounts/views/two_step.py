"""Two-step sign-in: setting it up, new recovery codes, turning it off, and the step itself."""

from __future__ import annotations

from allauth.account.internal.decorators import login_stage_required
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.access import SECOND_STEP, needs_self
from accounts.domain import second_factor, totp
from accounts.forms.login import AgainForm, SecondStepForm, TwoStepForm
from accounts.stages import SecondStep
from accounts.views import proving
from accounts.views.login_settings import page
from accounts.views.qr import squares
from core import sealing, security
from core.http import MerchantRequest
from core.refusal import Refused
from core.security import Event
from core.views import errors


@require_http_methods(["GET", "HEAD", "POST"])
@login_stage_required(  # type: ignore[untyped-decorator]
    stage=SecondStep.key, redirect_urlname="account_login"
)
@sensitive_post_parameters("code")
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for a code after the password; the session begins only now, under a new key."""
    stage = request._login_stage  # type: ignore[attr-defined]
    form = SecondStepForm(request.POST or None, auto_id="%s")
    wait = 0
    if request.method == "POST" and form.is_valid():
        wait = proving.code(stage.login.user, form)
        if not form.errors:
            request.second_step = True  # type: ignore[attr-defined]
            return stage.exit()  # type: ignore[no-any-return]
    return page(request, "account/second_step.html", form, wait=wait)  # type: ignore[arg-type]


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
@sensitive_post_parameters("current", "code", "begun")
def set_up(request: MerchantRequest) -> HttpResponse:
    """Show a secret for the app; its first code and the password turn the second step on."""
    user = request.user
    if second_factor.is_on(user):
        return redirect("settings:login")
    form = TwoStepForm(request.POST or None, auto_id="%s")
    if request.method != "POST":
        return _set_up(request, form, second_factor.begin(user=user))
    begun = request.POST.get("begun", "")
    try:
        secret = second_factor.secret_in(begun, user=user)
    except sealing.Unreadable:
        form.add_error(None, _("This page was open too long. Scan the new code below."))
        return _set_up(request, form, second_factor.begin(user=user))
    if not form.is_valid():
        return _set_up(request, form, begun)
    if (wait := proving.password(request, form)) or form.errors:
        return _set_up(request, form, begun, wait)
    try:
        codes = second_factor.turn_on(user=user, secret=secret, code=form.cleaned_data["code"])
    except Refused as refused:
        if refused.refusal.field:
            security.note(Event.CODE_REFUSED, user=user.pk)
        form.add_error("code" if refused.refusal.field else None, str(refused))
        return _set_up(request, form, begun)
    request.session.cycle_key()  # rights have risen (TH-25)
    request.session[SECOND_STEP] = True
    return _codes(request, codes, _("Two-step sign-in is on"))


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
@sensitive_post_parameters("current", "code")
def recovery_codes(request: MerchantRequest) -> HttpResponse:
    """Make new recovery codes, shown once."""
    form = AgainForm(request.POST or None, auto_id="%s")
    if not second_factor.is_on(request.user):
        return redirect("settings:two_step")
    proved, wait = _proved(request, form)
    if not proved:
        return page(request, "settings/two_step_codes_again.html", form, wait=wait)
    codes = second_factor.renew_codes(user=request.user)
    return _codes(request, codes, _("New recovery codes"))


@require_http_methods(["GET", "HEAD", "POST"])
@needs_self
@sensitive_post_parameters("current", "code")
def turn_off(request: MerchantRequest) -> HttpResponse:
    form = AgainForm(request.POST or None, auto_id="%s")
    if request.user.is_operator:
        return errors.refused(request, _("Operators always sign in with a second step."))
    if not second_factor.is_on(request.user):
        return redirect("settings:login")
    proved, wait = _proved(request, form)
    if not proved:
        return page(request, "settings/two_step_off.html", form, wait=wait)
    second_factor.turn_off(user=request.user)
    request.session.pop(SECOND_STEP, None)
    messages.success(request, _("Two-step sign-in is off"))
    return redirect("settings:login")


def _proved(request: MerchantRequest, form: AgainForm) -> tuple[bool, int]:
    """Tell whether password and code were right, and how long one must wait if not."""
    if request.method != "POST" or not form.is_valid():
        return False, 0
    wait = proving.password(request, form)
    if not form.errors:
        wait = proving.code(request.user, form)
    return not form.errors, wait


def _set_up(request: MerchantRequest, form: TwoStepForm, begun: str, wait: int = 0) -> HttpResponse:
    secret = second_factor.secret_in(begun, user=request.user)
    address = totp.address_for_apps(secret, account=request.user.email, issuer=settings.SITE_NAME)
    picture = squares(address)
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    shown = {"begun": begun, "qr": picture, "secret": groups}
    return page(request, "settings/two_step.html", form, wait=wait, **shown)


def _codes(request: MerchantRequest, codes: list[str], title: str) -> HttpResponse:
    """Show recovery codes: now and never again, for only their digests are kept."""
    return render(request, "settings/two_step_codes.html", {"codes": codes, "title": title})
