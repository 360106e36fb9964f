"""Merchants and the people who work for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.domain import calendar, letters, sign_ins
from accounts.domain.own_history import tell
from accounts.models import Grant, Marketplace, Membership, Merchant, User
from accounts.permissions import MOST, PRESETS, Function, Level, Preset
from audit.domain import history
from core.actor import PLATFORM_DOORS, Actor
from core.refusal import Refusal, Refused

Levels = Mapping[Function, Level]


@transaction.atomic
def open_account(*, name: str, slug: str, marketplace: str, by: Actor, **details: Any) -> Merchant:
    """Open an account under a marketplace's policy; details are fields of ``Merchant``."""
    place = Marketplace.objects.get(code=marketplace)
    details.setdefault("country", place.country)
    details.setdefault("display_name", name)
    merchant = Merchant.objects.create(name=name, slug=slug, marketplace=place, **details)
    remember(merchant, "account.opened", by, after={"name": name})
    return merchant


@transaction.atomic
def add_owner(*, merchant: Merchant, user: User, by: Actor) -> Membership:
    """Make a person an owner, who holds every right and cannot be reduced (PERMISSION-04)."""
    member = Membership.objects.create(merchant=merchant, user=user, is_owner=True)
    remember(merchant, "member.added", by, after={"user": user.pk, "owner": True})
    return member


@transaction.atomic
def add_member(*, merchant: Merchant, user: User, preset: Preset, by: Actor) -> Membership:
    """Add a person with the levels of a preset, also one who was here before (PERMISSION-02)."""
    member, _new = Membership.objects.update_or_create(
        merchant=merchant,
        user=user,
        defaults={"preset": preset, "is_owner": False, "removed_at": None},
    )
    _grant(member, PRESETS[preset])
    remember(merchant, "member.added", by, after={"user": user.pk, "preset": preset.value})
    return member


@dataclass(frozen=True, slots=True)
class Wanted:
    """The permissions a member is to have. seen: version of the member that the page showed."""

    member_id: int
    levels: Levels
    preset: Preset
    seen: int


@transaction.atomic
def change_levels(*, merchant_id: int, wanted: Wanted, by: Actor) -> Membership:
    """Give a member other levels, effective with their next request; they are told (N28).

    preset: what the table was filled from; kept as its name. Functions left out stay as they are.
    Raises Refused: NOT_FOUND; PERMISSION_DENIED when the member is an owner, or when a level is
    raised above what the actor holds at this moment; INVALID_INPUT for a level that a function
    does not have; STALE_SETTINGS. Source: PERMISSION-02, -04, -07, INV-08, INV-18.
    """
    people = _lock_all(merchant_id)
    rights = rights_of(by, people)
    member = _member(people, wanted.member_id)
    if member.is_owner:
        raise Refused(
            Refusal("PERMISSION_DENIED", _("The owner of an account always keeps every right."))
        )
    if member.version != wanted.seen:
        raise Refused(
            Refusal(
                "STALE_SETTINGS",
                _("Someone else changed these permissions meanwhile."),
                remedy=_("Look at what they are now, then save again."),
            )
        )
    before = levels_of(member)
    after = {**before, **wanted.levels}
    refuse_to_exceed(rights, after, before)
    changed = {f: level for f, level in after.items() if level != before[f]}
    if not changed and member.preset == wanted.preset:
        return member
    member.preset = wanted.preset
    member.version += 1
    member.save(update_fields=["preset", "version"])
    _grant(member, after)
    if changed:
        letters.owe_change(
            user=member.user, what="permissions", by=by.user_id, merchant=member.merchant
        )
    remember(
        member.merchant,
        "member.permissions_changed",
        by,
        before={"user": member.user_id, **{f.value: int(before[f]) for f in changed}},
        after={"user": member.user_id, **{f.value: int(level) for f, level in changed.items()}},
    )
    return member


@transaction.atomic
def remove(*, merchant_id: int, member_id: int, by: Actor) -> Membership:
    """End a person's access at once; what they did stays in the history (PERMISSION-05).

    Raises Refused: NOT_FOUND; PERMISSION_DENIED, an owner is removed by an owner only; LAST_OWNER.
    """
    people = _lock_all(merchant_id)
    rights = rights_of(by, people)
    member = _member(people, member_id)
    if member.is_owner:
        if not rights.owner:
            raise Refused(
                Refusal("PERMISSION_DENIED", _("Only an owner can remove another owner."))
            )
        if sum(person.is_owner for person in people) == 1:
            raise Refused(
                Refusal("LAST_OWNER", _("The last owner of an account cannot be removed."))
            )
    member.removed_at = calendar.now_for(member.merchant)
    member.version += 1
    member.save(update_fields=["removed_at", "version"])
    if not Membership.objects.filter(user=member.user, removed_at=None).exists():
        sign_ins.end_all(user=member.user)
    letters.owe_change(user=member.user, what="removed", by=by.user_id, merchant=member.merchant)
    remember(member.merchant, "member.removed", by, after={"user": member.user_id})
    return member


@dataclass(frozen=True, slots=True)
class Rights:
    """What an actor holds at this moment, read under the lock. owner: everything."""

    levels: Levels
    owner: bool = False

    def level(self, function: Function) -> Level:
        return Level.EDIT if self.owner else self.levels.get(function, Level.NONE)


def rights_of(by: Actor, people: list[Membership]) -> Rights:
    """Return what an actor holds among locked members, if they may manage people at all.

    Read anew, for a right that was taken away since the request began has no effect (INV-18).
    Raises Refused: PERMISSION_DENIED.
    """
    if by.door in PLATFORM_DOORS:
        return Rights({}, owner=True)
    mine = next((person for person in people if person.user_id == by.user_id), None)
    rights = Rights(levels_of(mine), mine.is_owner) if mine is not None else Rights({})
    if rights.level(Function.USER_PERMISSIONS) < Level.EDIT:
        raise Refused(
            Refusal("PERMISSION_DENIED", _("You may not change who works for this account."))
        )
    return rights


def refuse_to_exceed(rights: Rights, after: Levels, before: Levels | None = None) -> None:
    """Raise Refused if a level is raised above what the granter holds, or what there is."""
    for function, level in after.items():
        if before is not None and level <= before[function]:
            continue
        if level > MOST[function]:
            raise Refused(
                Refusal(
                    "INVALID_INPUT",
                    _("%s has no such level.") % function.label,
                    field=function.value,
                )
            )
        if level > rights.level(function):
            raise Refused(
                Refusal(
                    "PERMISSION_DENIED",
                    _("You cannot give more than you have: %s.") % function.label,
                    field=function.value,
                )
            )


def levels_of(member: Membership) -> dict[Function, Level]:
    """Return a member's level for every function."""
    given = {grant.function: grant.level for grant in member.grants.all()}
    return {each: Level(given.get(each.value, Level.NONE)) for each in Function}


def acting_by_file(*, merchant_id: int, user_id: int | None, name: str) -> Actor:
    """Return a person as they act by a file they handed in, with the rights they hold now.

    Who was removed meanwhile, or may no longer sign in, holds none (INV-18).
    """
    member = Membership.objects.filter(
        merchant=merchant_id, user=user_id, removed_at=None, user__is_active=True
    ).first()
    if user_id is None or member is None:
        return Actor("file", name, user_id=user_id)
    levels = {function.value: int(level) for function, level in levels_of(member).items()}
    return Actor("file", name, user_id=user_id, levels=levels, owner=member.is_owner)


def lock_managers(merchant_id: int, user_id: int | None) -> list[Membership]:
    """Lock a merchant's owners and one more person, to read what they hold at this moment."""
    return _lock(merchant_id, Q(user=user_id) | Q(is_owner=True))


def _lock_all(merchant_id: int) -> list[Membership]:
    """Lock everybody of a merchant: whoever manages its people takes turns, owners are counted.

    In the order of keys, so that two managers cannot deadlock.
    """
    return _lock(merchant_id, Q())


def _lock(merchant_id: int, which: Q) -> list[Membership]:
    people = Membership.objects.filter(which, merchant=merchant_id, removed_at=None)
    people = people.select_related("user", "merchant__marketplace").order_by("pk")
    return list(people.select_for_update(of=("self",)).prefetch_related("grants"))


def _member(people: list[Membership], member_id: int) -> Membership:
    member = next((person for person in people if person.pk == member_id), None)
    if member is None:
        raise Refused(Refusal("NOT_FOUND", _("This person does not work for this account.")))
    return member


@transaction.atomic
def set_password(*, user: User, password: str, known: str, keep: str = "") -> None:
    """Give a person a new password; every open sign-in of theirs ends, but one (TH-25).

    known: the stored password that the person's link or old password was checked against; of two
    who come with the same one the second is refused. keep: key of the session that goes on.
    Raises Refused: LINK_ENDED.
    """
    user.set_password(password)
    if User.objects.filter(pk=user.pk, password=known).update(password=user.password) != 1:
        raise Refused(Refusal("LINK_ENDED", _("The password was changed meanwhile.")))
    sign_ins.end_all(user=user, but=keep)
    letters.owe_change(user=user, what="password")
    tell(user, "member.password_changed")


def remember(
    merchant: Merchant,
    event: str,
    by: Actor,
    after: Mapping[str, object],
    before: Mapping[str, object] | None = None,
) -> None:
    """Append a line to a merchant's history, by the merchant's clock."""
    at = calendar.now_for(merchant)
    history.append([history.Line(merchant.pk, event, at, by, before=before or {}, after=after)])


def _grant(member: Membership, levels: Levels) -> None:
    """Replace what a member holds."""
    member.grants.all().delete()
    Grant.objects.bulk_create(
        Grant(membership=member, function=function, level=level)
        for function, level in levels.items()
        if level
    )
