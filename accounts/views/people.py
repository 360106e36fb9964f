"""User Permissions: who works for the account, invitations, and what each may do (SETTINGS-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.domain import calendar, invitations, members
from accounts.domain import signing_in as tries
from accounts.forms.people import GROUPS, ROWS, InviteForm, MatrixForm
from accounts.models import Invitation, Membership
from accounts.permissions import PRESETS, Function, Level, Preset
from core import security
from core.forms import describe
from core.http import MerchantRequest
from core.refusal import Refusal, Refused
from core.security import Event
from core.views import errors

TEMPLATE = "settings/permissions.html"


@require_safe
@needs(Function.USER_PERMISSIONS)
def people(request: MerchantRequest) -> HttpResponse:
    """List people and invitations; with ``member`` the matrix of one of them."""
    chosen = _chosen(request, request.GET)
    form = None
    if chosen is not None and not chosen.is_owner:
        form = _filled(chosen, members.levels_of(chosen), chosen.preset)
    return _page(request, chosen, form)


@require_POST
@needs(Function.USER_PERMISSIONS, Level.EDIT)
def change(request: MerchantRequest) -> HttpResponse:
    """Save a person's matrix, or fill it from a preset without saving."""
    chosen = _chosen(request, request.POST)
    if chosen is None:
        return errors.not_found(request)
    if request.POST.get("fill") == "1":
        return _page(request, chosen, _from_preset(request, chosen))
    form = MatrixForm(request.POST)
    if not form.is_valid():
        return _page(request, chosen, form, status=422)
    wanted = members.Wanted(
        member_id=chosen.pk,
        levels=form.levels,
        preset=Preset(form.cleaned_data["filled"]),
        seen=form.cleaned_data["seen"],
    )
    try:
        members.change_levels(merchant_id=chosen.merchant_id, wanted=wanted, by=request.actor)
    except Refused as refused:
        return _refused(request, chosen, form, refused.refusal)
    messages.success(request, _("Permissions saved: %s") % chosen.user.name)
    return redirect("settings:permissions")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Function.USER_PERMISSIONS, Level.EDIT)
def remove(request: MerchantRequest) -> HttpResponse:
    """Say what removing a person means, then do it (IMPL-07, PERMISSION-05)."""
    chosen = _chosen(request, request.POST if request.method == "POST" else request.GET)
    if chosen is None:
        return errors.not_found(request)
    refusal = None
    if request.method == "POST":
        try:
            members.remove(merchant_id=chosen.merchant_id, member_id=chosen.pk, by=request.actor)
        except Refused as refused:
            refusal = refused.refusal
        else:
            if chosen.user_id == request.user.pk:  # who leaves has no page to come back to
                logout(request)
                return redirect("account_login")
            messages.success(request, _("%s has no access any more") % chosen.user.name)
            return redirect("settings:permissions")
    context = {"person": chosen, "refusal": refusal}
    status = refusal.status if refusal else 200
    return render(request, "settings/remove_person.html", context, status=status)


@require_POST
@needs(Function.USER_PERMISSIONS, Level.EDIT)
def invite(request: MerchantRequest) -> HttpResponse:
    form = InviteForm(request.POST, presets=_offered(request))
    if not form.is_valid():
        return _page(request, None, None, invite=form, status=422)
    if wait := tries.wait_for_invitation(merchant_id=request.member.merchant_id):
        form.add_error(None, tries.wait_words(wait))
        return _waiting(_page(request, None, None, invite=form, status=429), wait)
    try:
        invitation = invitations.invite(
            merchant_id=request.member.merchant_id,
            email=form.cleaned_data["email"],
            preset=Preset(form.cleaned_data["preset"]),
            by=request.actor,
        )
    except Refused as refused:
        form.add_error("email", str(refused.refusal))
        return _page(request, None, None, invite=form, status=refused.refusal.status)
    messages.success(request, _("Invitation sent to %s") % invitation.email)
    return redirect("settings:permissions")


@require_POST
@needs(Function.USER_PERMISSIONS, Level.EDIT)
def answer_invitation(request: MerchantRequest) -> HttpResponse:
    """Send an invitation again, or withdraw it."""
    given = request.POST.get("invitation", "")
    which = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
    withdrawing = request.POST.get("act") == "withdraw"
    act = invitations.withdraw if withdrawing else invitations.send_again
    if not withdrawing and (
        wait := tries.wait_for_invitation(merchant_id=request.member.merchant_id)
    ):
        busy = Refusal("TOO_MANY", tries.wait_words(wait))
        return _waiting(errors.conflict(request, busy), wait)
    try:
        invitation = act(
            merchant_id=request.member.merchant_id, invitation_id=which, by=request.actor
        )
    except Refused as refused:
        return errors.conflict(request, refused.refusal)
    told = _("Invitation to %s is withdrawn") if withdrawing else _("Invitation sent again to %s")
    messages.success(request, told % invitation.email)
    return redirect("settings:permissions")


def _waiting(response: HttpResponse, wait: int) -> HttpResponse:
    response["Retry-After"] = str(wait)
    return response


def _page(
    request: MerchantRequest,
    chosen: Membership | None,
    form: MatrixForm | None,
    refusal: Refusal | None = None,
    invite: InviteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    merchant = request.member.merchant
    may_edit = request.actor.may_edit(Function.USER_PERMISSIONS)
    everybody = _people(request)
    if may_edit and invite is None:
        invite = InviteForm(None, presets=_offered(request))
    for shown in filter(None, (form, invite)):
        describe(shown)
    context = {
        "people": [_line(person) for person in everybody],
        "invitations": [_offer(each, request) for each in invitations.open_of(merchant)],
        "chosen": chosen,
        "form": form,
        "groups": _groups(form) if form is not None else [],
        "presets": Preset.choices,
        "invite": invite,
        "may_edit": may_edit,
        "refusal": refusal,
        "errors_of": form if form is not None and form.errors else invite,
    }
    return render(request, TEMPLATE, context, status=status)


def _refused(
    request: MerchantRequest, chosen: Membership, form: MatrixForm, refusal: Refusal
) -> HttpResponse:
    """Show the form again beside the refusal; a stale one beside what holds now."""
    if refusal.code == "STALE_SETTINGS":
        now = _person(request, chosen.pk)
        if now is None:
            return errors.not_found(request)
        typed = form.data.copy()  # type: ignore[attr-defined]
        typed["seen"] = str(now.version)
        form = MatrixForm(typed)
        chosen = now
    return _page(request, chosen, form, refusal, status=refusal.status)


def _chosen(request: MerchantRequest, given: QueryDict) -> Membership | None:
    text = given.get("member", "")
    pk = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    person = _person(request, pk) if pk else None
    if person is None and pk and Membership.objects.filter(pk=pk, removed_at=None).exists():
        who, merchant_id = request.user.pk, request.member.merchant_id
        security.note(Event.SCOPE_REFUSED, "member", user=who, merchant=merchant_id)
    return person


def _people(request: MerchantRequest) -> Any:
    people = Membership.objects.filter(merchant=request.member.merchant_id, removed_at=None)
    return (
        people.select_related("user__second_factor", "merchant")
        .prefetch_related("grants")
        .order_by("-is_owner", "user__name", "pk")
    )


def _person(request: MerchantRequest, pk: int) -> Membership | None:
    person: Membership | None = _people(request).filter(pk=pk).first()
    return person


def _line(person: Membership) -> dict[str, Any]:
    access = _("Owner") if person.is_owner else _access(person)
    has_two_steps = getattr(person.user, "second_factor", None) is not None
    return {"person": person, "access": access, "two_step": has_two_steps}


def _access(person: Membership) -> str:
    """Name what a person may do: the preset, and whether it was changed."""
    if not person.preset:
        return _("Own selection")
    preset = Preset(person.preset)
    as_given = all(members.levels_of(person)[f] == level for f, level in PRESETS[preset].items())
    return str(preset.label) if as_given else _("%s, changed") % preset.label


def _offer(invitation: Invitation, request: MerchantRequest) -> dict[str, Any]:
    return {
        "invitation": invitation,
        "access": Preset(invitation.preset).label,
        "ended": calendar.now_for(request.member.merchant) >= invitation.ends_at,
    }


def _offered(request: MerchantRequest) -> list[Preset]:
    """Return the presets that hold no more than this person does (PERMISSION-04)."""
    actor = request.actor
    return [
        preset
        for preset, levels in PRESETS.items()
        if all(level <= actor.level(function) for function, level in levels.items())
    ]


def _filled(
    chosen: Membership, levels: Mapping[Function, Level], preset: str, seen: int | None = None
) -> MatrixForm:
    """Return the form with levels in it, as if somebody had chosen them."""
    data = {row.name: str(int(min(levels[each] for each in row.functions))) for row in ROWS}
    data |= {
        "member": str(chosen.pk),
        "seen": str(chosen.version if seen is None else seen),
        "filled": preset or Preset.READ_ONLY.value,
    }
    return MatrixForm(data)


def _from_preset(request: MerchantRequest, chosen: Membership) -> MatrixForm:
    """Fill the matrix from a preset; nothing is saved by that."""
    wanted = request.POST.get("preset", "")
    seen = request.POST.get("seen", "")
    preset = Preset(wanted) if wanted in Preset.values else Preset.READ_ONLY
    known = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else chosen.version
    return _filled(chosen, PRESETS[preset], preset.value, known)


def _groups(form: MatrixForm) -> list[dict[str, Any]]:
    """Return the matrix as the template draws it: groups, rows, cells with their state."""
    return [
        {
            "label": label,
            "rows": [
                {
                    "name": row.name,
                    "label": row.label,
                    "errors": form[row.name].errors if form.errors else [],
                    "cells": [_cell(level, form[row.name].value()) for level in row.levels],
                }
                for row in rows
            ],
        }
        for label, rows in GROUPS
    ]


def _cell(level: Level | None, value: object) -> dict[str, Any] | None:
    if level is None:
        return None
    number = int(level)
    return {"value": number, "label": level.label, "checked": value == str(number)}
