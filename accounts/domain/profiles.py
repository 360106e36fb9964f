"""Your Info & Policies: what a merchant tells its buyers, and its logo (SETTINGS-13, BUYER-06)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.domain import calendar
from accounts.models import Logo, Merchant, Profile
from accounts.models.profile import LOGO_HEIGHT, LOGO_WIDTH
from audit.domain import history
from core import images
from core.actor import Actor
from core.bounded import Bounded, Unfinished
from core.refusal import Refusal, Refused

EVENT = "policies.changed"
MOST_MEGABYTES = 1
LOGO = "logo"

# The texts in the order in which buyers read them, with the words above each.
POLICIES: Mapping[str, Any] = {
    "about": gettext_lazy("About the seller"),
    "returns": gettext_lazy("Returns and refunds"),
    "shipping": pgettext_lazy("policy", "Shipping"),
    "gift_services": gettext_lazy("Gift services"),
    "privacy": gettext_lazy("Privacy policy"),
    "faq": gettext_lazy("FAQ"),
}
FIELDS: Mapping[str, Any] = {**POLICIES, LOGO: gettext_lazy("Logo")}

_reader = Bounded(seconds=20, wait=3, megabytes=512)


@dataclass(frozen=True, slots=True)
class Change:
    """One saved change: who, when, and the new values by name of ``FIELDS``."""

    by: str
    at: datetime
    values: Mapping[str, Any]


def of(merchant_id: int) -> Profile:
    """Return what a merchant wrote; an empty one, not stored, when it wrote nothing yet."""
    found = Profile.objects.filter(pk=merchant_id).first()
    return found or Profile(merchant_id=merchant_id)


def logo_of(merchant_id: int) -> Logo | None:
    """Return the facts of a merchant's logo, without the picture."""
    return Logo.objects.filter(pk=merchant_id).defer("picture").first()


def picture_of(merchant_id: int) -> bytes:
    """Return a merchant's logo as PNG; nothing where there is none."""
    found = Logo.objects.filter(pk=merchant_id).values_list("picture", flat=True).first()
    return bytes(found or b"")


@transaction.atomic
def change_policies(
    *, merchant_id: int, values: Mapping[str, str], seen: int, by: Actor
) -> Profile:
    """Give policies new texts, with the old ones in the history (SETTINGS-13, -17).

    values: by names of ``POLICIES``. seen: the version of the profile that the page showed.
    Raises Refused: STALE_SETTINGS when somebody changed texts or logo since (INV-08).
    """
    if unknown := values.keys() - POLICIES.keys():
        raise ValueError(f"no policies: {sorted(unknown)}")
    merchant, profile = _lock(merchant_id, seen)
    before = {name: getattr(profile, name) for name in values}
    after = {name: value for name, value in values.items() if value != before[name]}
    if after:
        for name, value in after.items():
            setattr(profile, name, value)
        _save(merchant, profile, before={name: before[name] for name in after}, after=after, by=by)
    return profile


def change_logo(*, merchant_id: int, upload: bytes | None, seen: int, by: Actor) -> Profile:
    """Take another logo, drawn anew from what was sent; None takes it away (SETTINGS-13, -17).

    upload: the bytes of a PNG or JPEG file. The history keeps size and digest of old and new.
    Raises Refused: INVALID_INPUT for a file that is none of these, too heavy, too large or too
        slow to read; STALE_SETTINGS as ``change_policies``.
    """
    picture = None if upload is None else _redrawn(upload)  # slow: before anything is locked
    with transaction.atomic():
        merchant, profile = _lock(merchant_id, seen)
        old = logo_of(merchant.pk)
        new = None if picture is None else _logo(merchant, picture)
        if (old and old.digest) == (new and new.digest):
            return profile
        if new is None:
            Logo.objects.filter(pk=merchant.pk).delete()
        else:
            new.save()
        _save(
            merchant,
            profile,
            before={LOGO: str(old) if old else ""},
            after={LOGO: str(new) if new else ""},
            by=by,
        )
    return profile


def changes_since(profile: Profile, version: int) -> list[Change]:
    """Return what was saved after a version of the profile, oldest first."""
    entries = history.entries(profile.merchant_id, EVENT).filter(after__version__gt=version)
    return [
        Change(
            entry.actor,
            entry.happened_at,
            {name: value for name, value in entry.after.items() if name in FIELDS},
        )
        for entry in entries.order_by("number")[:50]
    ]


def too_heavy() -> Refusal:
    """Say that a file has more bytes than are taken; doors ask before they read it."""
    return _unfit(_("The file is larger than %d MB.") % MOST_MEGABYTES)


def is_too_heavy(size: int) -> bool:
    return size > MOST_MEGABYTES * 1024 * 1024


def _lock(merchant_id: int, seen: int) -> tuple[Merchant, Profile]:
    """Lock the account, so that the first texts of two people also wait for each other."""
    # Orders may be placed meanwhile: their keys refer to the row, which this lock leaves alone.
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    profile = of(merchant.pk)
    if profile.version != seen:
        raise Refused(
            Refusal(
                "STALE_SETTINGS",
                _("Someone else changed this page"),
                remedy=_("Nothing of yours was saved. Look at what changed, then save again."),
            )
        )
    return merchant, profile


def _save(
    merchant: Merchant,
    profile: Profile,
    *,
    before: Mapping[str, str],
    after: Mapping[str, str],
    by: Actor,
) -> None:
    profile.version += 1
    profile.save()
    line = history.Line(
        merchant.pk,
        EVENT,
        calendar.now_for(merchant),
        by,
        before=before,
        after={**after, "version": profile.version},
    )
    history.append([line])


def _logo(merchant: Merchant, picture: images.Picture) -> Logo:
    return Logo(
        merchant=merchant,
        digest=hashlib.sha256(picture.png).hexdigest()[:32],
        width=picture.width,
        height=picture.height,
        picture=picture.png,
    )


def _redrawn(upload: bytes) -> images.Picture:
    if is_too_heavy(len(upload)):
        raise Refused(too_heavy())
    try:
        drawn = _reader.run(images.redraw, upload, LOGO_WIDTH, LOGO_HEIGHT)
    except (Unfinished, OSError) as why:
        raise Refused(_unfit(_("This picture could not be read in time."))) from why
    if drawn is images.Unfit.TOO_LARGE:
        raise Refused(
            _unfit(
                _("The picture has more than %(most)s × %(most)s pixels.")
                % {"most": f"{images.MOST_SIDE:,}"}
            )
        )
    if not isinstance(drawn, images.Picture):
        raise Refused(_unfit(_("This file is no PNG or JPG picture, or it is damaged.")))
    return drawn


def _unfit(sentence: str) -> Refusal:
    remedy = _("Choose a PNG or JPG of up to %(megabytes)d MB and %(most)s × %(most)s pixels.") % {
        "megabytes": MOST_MEGABYTES,
        "most": f"{images.MOST_SIDE:,}",
    }
    return Refusal("INVALID_INPUT", sentence, remedy=remedy, field=LOGO)
