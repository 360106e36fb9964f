"""Merchants and the people who work for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.domain import calendar
from accounts.models import Grant, Marketplace, Membership, Merchant, User
from accounts.permissions import PRESETS, Function, Level, Preset
from audit.domain import history
from core.actor import Actor


@transaction.atomic
def open_account(*, name: str, slug: str, marketplace: str, by: Actor, **details: Any) -> Merchant:
    """Open an account under a marketplace's policy; details are fields of ``Merchant``."""
    place = Marketplace.objects.get(code=marketplace)
    details.setdefault("country", place.country)
    details.setdefault("display_name", name)
    merchant = Merchant.objects.create(name=name, slug=slug, marketplace=place, **details)
    at = calendar.now_for(merchant)
    history.append([history.Line(merchant.pk, "account.opened", at, by, after={"name": name})])
    return merchant


@transaction.atomic
def add_owner(*, merchant: Merchant, user: User, by: Actor) -> Membership:
    """Make a person an owner, who holds every right and cannot be reduced (PERMISSION-04)."""
    member = Membership.objects.create(merchant=merchant, user=user, is_owner=True)
    _tell(merchant, "member.added", by, {"user": user.pk, "owner": True})
    return member


@transaction.atomic
def add_member(*, merchant: Merchant, user: User, preset: Preset, by: Actor) -> Membership:
    """Add a person with the levels of a preset (PERMISSION-02)."""
    member = Membership.objects.create(merchant=merchant, user=user, preset=preset)
    _grant(member, PRESETS[preset])
    _tell(merchant, "member.added", by, {"user": user.pk, "preset": preset.value})
    return member


@transaction.atomic
def set_password(*, user: User, password: str) -> None:
    """Give a person a new password; every open sign-in of theirs ends (TH-25)."""
    user.set_password(password)
    user.save(update_fields=["password"])
    by = Actor("form", user.name, user_id=user.pk)
    places = Merchant.objects.filter(memberships__user=user, memberships__removed_at=None)
    for merchant in places.order_by("pk"):
        _tell(merchant, "member.password_changed", by, {"user": user.pk})


def _grant(member: Membership, levels: Mapping[Function, Level]) -> None:
    Grant.objects.bulk_create(
        Grant(membership=member, function=function, level=level)
        for function, level in levels.items()
        if level
    )


def _tell(merchant: Merchant, event: str, by: Actor, after: Mapping[str, object]) -> None:
    at = calendar.now_for(merchant)
    history.append([history.Line(merchant.pk, event, at, by, after=after)])
