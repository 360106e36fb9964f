"""Your Info & Policies: the texts and the logo that buyers see (SETTINGS-13)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import needs
from accounts.domain import profiles
from accounts.forms.policies import LogoForm, PoliciesForm
from accounts.models import Profile
from accounts.permissions import Function, Level
from core.forms import describe
from core.http import MerchantRequest
from core.refusal import Refused


@require_safe
@needs(Function.POLICIES)
def policies(request: MerchantRequest) -> HttpResponse:
    profile = profiles.of(request.member.merchant_id)
    context = {
        "policies": [
            {"label": label, "text": getattr(profile, name)}
            for name, label in profiles.POLICIES.items()
        ],
        "logo": profiles.logo_of(profile.merchant_id),
        "may_edit": request.actor.may_edit(Function.POLICIES),
    }
    return render(request, "settings/policies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Function.POLICIES, Level.EDIT)
def edit_texts(request: MerchantRequest) -> HttpResponse:
    merchant_id = request.member.merchant_id
    template = "settings/policies_texts.html"
    form = PoliciesForm(request.POST or None, row=profiles.of(merchant_id))
    if request.method != "POST":
        return _page(request, template, form)
    if not form.is_valid():
        return _page(request, template, form, status=422)
    try:
        profiles.change_policies(
            merchant_id=merchant_id,
            values=form.values,
            seen=form.cleaned_data["seen"],
            by=request.actor,
        )
    except Refused as refused:
        now = profiles.of(merchant_id)
        again = PoliciesForm(form.seen_again(now.version), row=now)
        return _conflict(request, template, again, refused, form.cleaned_data["seen"], now)
    messages.success(request, _("Policies saved"))
    return redirect("settings:policies")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Function.POLICIES, Level.EDIT)
def edit_logo(request: MerchantRequest) -> HttpResponse:
    merchant_id = request.member.merchant_id
    template = "settings/policies_logo.html"
    profile, logo = profiles.of(merchant_id), profiles.logo_of(merchant_id)
    form = LogoForm(None, row=profile, has_logo=logo is not None)
    if request.method == "POST":
        form = LogoForm(request.POST, request.FILES, row=profile, has_logo=logo is not None)
    if request.method != "POST":
        return _page(request, template, form, logo=logo)
    if not form.is_valid():
        return _page(request, template, form, status=422, logo=logo)
    try:
        profiles.change_logo(
            merchant_id=merchant_id,
            upload=form.upload,
            seen=form.cleaned_data["seen"],
            by=request.actor,
        )
    except Refused as refused:
        if refused.refusal.field:
            form.add_error(refused.refusal.field, str(refused))
            return _page(request, template, form, status=422, logo=logo)
        now, logo = profiles.of(merchant_id), profiles.logo_of(merchant_id)
        again = LogoForm(form.seen_again(now.version), {}, row=now, has_logo=logo is not None)
        seen = form.cleaned_data["seen"]
        return _conflict(request, template, again, refused, seen, now, logo=logo)
    messages.success(request, _("Logo saved") if form.cleaned_data["logo"] else _("Logo removed"))
    return redirect("settings:policies")


def _conflict(
    request: MerchantRequest,
    template: str,
    again: PoliciesForm | LogoForm,
    refused: Refused,
    seen: int,
    now: Profile,
    **more: Any,
) -> HttpResponse:
    """Show what was typed beside what somebody else saved meanwhile (INV-08)."""
    changes = [
        {
            "by": each.by,
            "at": each.at,
            "rows": [(profiles.FIELDS[name], value or "–") for name, value in each.values.items()],
        }
        for each in profiles.changes_since(now, seen)
    ]
    refusal = refused.refusal
    return _page(request, template, again, refusal.status, refusal=refusal, changes=changes, **more)


def _page(
    request: MerchantRequest,
    template: str,
    form: PoliciesForm | LogoForm,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    describe(form)
    return render(request, template, {"form": form, **more}, status=status)
