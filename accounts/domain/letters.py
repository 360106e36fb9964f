"""Letters to persons about their sign-in and their place: N27, N28, N29 (requirements 8.1).

They are owed as rows, whose payload holds ids alone; links are made when a letter is sent, and
name the site of the settings, not of any request (TH-24).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core import signing
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.domain import calendar
from accounts.domain.own_history import home_of
from accounts.models import EmailChange, Invitation, Merchant, User
from core import clock, security
from core.days import day_words
from core.security import Event
from notifications.domain import outbox
from notifications.domain.letters import Letter, writes

if TYPE_CHECKING:
    from notifications.models import Outbox

RESET_LIFE = timedelta(hours=1)
CHANGE_LIFE = timedelta(hours=24)
_INVITATION, _CHANGE = "accounts.invitation", "accounts.email_change"

# What N28 says was changed, by language; never the values.
CHANGES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "password": "Your password was changed. Every other sign-in of yours has ended.",
        "email": "The e-mail address that you sign in with was changed.",
        "two_step_on": "Two-step sign-in was turned on.",
        "two_step_off": "Two-step sign-in was turned off.",
        "recovery_codes": "New recovery codes were made. The old ones stopped working.",
        "recovery_code_used": "A recovery code was used instead of a code of your app.",
        "questions": "Your security questions were changed.",
        "questions_dropped": "Your security questions were removed.",
        "permissions": "What you may see and change was changed by %(by)s.",
        "removed": "%(by)s removed your access.",
        "joined": "You joined by an invitation of %(by)s.",
    },
    "ja": {
        "password": "パスワードが変更されました。ほかのサインインはすべて終了しました。",
        "email": "サインインに使用するメールアドレスが変更されました。",
        "two_step_on": "2 段階認証が有効になりました。",
        "two_step_off": "2 段階認証が無効になりました。",
        "recovery_codes": "新しい回復コードが作成されました。以前のコードは使用できません。",
        "recovery_code_used": "アプリのコードの代わりに回復コードが使用されました。",
        "questions": "秘密の質問が変更されました。",
        "questions_dropped": "秘密の質問が削除されました。",
        "permissions": "%(by)s があなたの権限を変更しました。",
        "removed": "%(by)s があなたのアクセス権を削除しました。",
        "joined": "%(by)s からの招待により参加しました。",
    },
}
_PLATFORM = {"en": "The platform", "ja": "プラットフォーム"}


def owe_invitation(invitation: Invitation) -> None:
    """Owe the letter with the link (N27)."""
    key = f"invitation-{invitation.pk}-{invitation.serial}"
    payload = {"invitation": invitation.pk, "serial": invitation.serial}
    _owe("N27", key, payload, merchant=invitation.merchant)


def owe_reset(user: User) -> None:
    """Owe the link to a new password (N29); each wish is one of its own."""
    _owe("N29", f"reset-{user.pk}-{secrets.token_hex(8)}", {"user": user.pk}, home_of(user))


def owe_change(
    *,
    user: User,
    what: str,
    by: int | None = None,
    merchant: Merchant | None = None,
    change: EmailChange | None = None,
) -> None:
    """Owe a person the note that something about their sign-in or place was changed (N28).

    what: one of those in ``CHANGES``. by: the person who did it, if not they themselves.
    merchant: whose place it is about; None for the sign-in itself.
    change: the change of address whose old address is told.
    """
    payload = {
        "user": user.pk,
        "what": what,
        "by": by,
        "about": merchant.pk if merchant else None,
        "change": change.pk if change else None,
    }
    key = f"change-{user.pk}-{what}-{secrets.token_hex(8)}"
    _owe("N28", key, payload, merchant or home_of(user))


def owe_confirmation(change: EmailChange) -> None:
    """Owe the link by which a new address is confirmed (N28, SETTINGS-04)."""
    payload = {"what": "confirm_email", "change": change.pk}
    _owe("N28", f"email-change-{change.pk}", payload, home_of(change.user))


def _owe(kind: str, key: str, payload: Mapping[str, object], merchant: Merchant | None) -> None:
    at = calendar.now_for(merchant) if merchant else clock.now()
    pk = merchant.pk if merchant else None
    outbox.owe([outbox.Owed(pk, None, kind, key, at, at, payload)])


def key_of_invitation(invitation: Invitation) -> str:
    """Return what the link of an invitation's last sending carries."""
    return signing.Signer(salt=_INVITATION).sign_object([invitation.pk, invitation.serial])


def key_of_change(change: EmailChange) -> str:
    """Return what the link to a new address carries."""
    return signing.Signer(salt=_CHANGE).sign_object([change.pk])


def read_invitation(key: str) -> tuple[int, int] | None:
    """Return invitation and serial of a link's key, or None if it is none of ours."""
    told = _read(key, _INVITATION)
    return (told[0], told[1]) if told else None


def read_change(key: str) -> int | None:
    told = _read(key, _CHANGE)
    return told[0] if told else None


def _read(key: str, salt: str) -> list[int] | None:
    try:
        told: list[int] = signing.Signer(salt=salt).unsign_object(key)
    except (signing.BadSignature, ValueError):
        security.note(Event.LINK_REFUSED, salt.removeprefix("accounts."))
        return None
    return told


@writes("N27")
def invitation(row: Outbox) -> Letter | None:
    invited = (
        Invitation.objects.select_related("merchant__marketplace", "invited_by")
        .filter(pk=row.payload["invitation"], serial=row.payload["serial"])
        .filter(accepted_at=None, withdrawn_at=None)
        .first()
    )
    if invited is None or calendar.now_for(invited.merchant) >= invited.ends_at:
        return None
    values = {
        "merchant": invited.merchant,
        "by": invited.invited_by.name,
        "link": _site(reverse("invitation", args=[key_of_invitation(invited)])),
        "ends": _moment(invited.ends_at, invited.merchant),
    }
    return _letter(invited.email, "invitation", values, invited.merchant)


@writes("N28")
def change(row: Outbox) -> Letter | None:
    if row.payload["what"] == "confirm_email":
        return _confirmation(row)
    told = row.payload
    user = User.objects.get(pk=told["user"])
    email = user.email
    if told["change"]:
        email = EmailChange.objects.get(pk=told["change"]).old_email
    merchant = by = None
    if told["about"]:
        merchant = Merchant.objects.select_related("marketplace").get(pk=told["about"])
    if told["by"]:
        by = User.objects.get(pk=told["by"])
    place = merchant or row.merchant
    language = _language(place)
    values = {
        "name": user.name,
        "merchant": merchant,
        "what": CHANGES[language][told["what"]] % {"by": by or _PLATFORM[language]},
        "when": _moment(row.created_at, place),
        "link": _site(reverse("settings:login")),
        "forgot": _site(reverse("account_reset_password")),
    }
    return _letter(email, "changed", values, place)


def _confirmation(row: Outbox) -> Letter | None:
    """Write to a new address; not when somebody else signs in with it: nobody learns of that."""
    wish = EmailChange.objects.select_related("user").get(pk=row.payload["change"])
    open_ = wish.confirmed_at is None and wish.replaced_at is None
    if not open_ or clock.now() >= wish.asked_at + CHANGE_LIFE:
        return None
    if User.objects.filter(email__iexact=wish.new_email).exclude(pk=wish.user_id).exists():
        return None
    link = _site(f"{reverse('settings:confirm_email')}?key={key_of_change(wish)}")
    values = {"name": wish.user.name, "link": link}
    return _letter(wish.new_email, "confirm_email", values, row.merchant)


@writes("N29")
def password_reset(row: Outbox) -> Letter | None:
    """Write the link; a wish that could not be met in an hour has lapsed."""
    user = User.objects.filter(pk=row.payload["user"], is_active=True).first()
    now = calendar.now_for(row.merchant) if row.merchant else clock.now()
    if user is None or now >= row.created_at + RESET_LIFE:
        return None
    values = {"name": user.name, "link": reset_link(user)}
    return _letter(user.email, "password_reset", values, row.merchant)


def reset_link(user: User) -> str:
    """Return a link to a new password, good once and for an hour from now."""
    key = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return _site(reverse("account_reset_password_from_key", kwargs=key))


def _letter(to: str, name: str, values: Mapping[str, Any], merchant: Merchant | None) -> Letter:
    """Write a letter in the language of the merchant's marketplace; its first line is the subject.

    merchant: None for people who work for none; they read English (NOTIF-08).
    """
    context = {"site_name": settings.SITE_NAME, **values}
    text = render_to_string(f"emails/{_language(merchant)}/{name}.txt", context)
    subject, _rest, body = text.strip().partition("\n")
    return Letter((to,), subject, body.strip() + "\n")


def _language(merchant: Merchant | None) -> str:
    japanese = merchant is not None and merchant.marketplace.language.startswith("ja")
    return "ja" if japanese else "en"


def _site(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def _moment(at: datetime, merchant: Merchant | None) -> str:
    """Say an instant in the merchant's zone and form, else in UTC."""
    place = merchant.marketplace if merchant else None
    local = at.astimezone(place.zone) if place else at
    day = day_words(local.date(), place.country if place else "", weekday=False)
    return f"{day}, {local:%H:%M} {local.tzname()}"
