"""What people change about themselves: name and e-mail address (SETTINGS-04)."""

from __future__ import annotations

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from accounts.domain import letters
from accounts.domain.own_history import tell
from accounts.models import EmailChange, User
from core import clock
from core.refusal import Refusal, Refused


@transaction.atomic
def rename(*, user: User, name: str) -> None:
    """Change the name that colleagues and the history show."""
    if user.name == name:
        return
    user.name = name
    user.save(update_fields=["name"])
    tell(user, "member.renamed", {"name": name})


@transaction.atomic
def ask_for_email(*, user: User, email: str) -> None:
    """Send a link to a new address; until it is confirmed the old one stays.

    The answer is the same whether somebody else signs in with it (BI-ACC). A later wish replaces
    an earlier one.
    """
    at = clock.now()
    User.objects.select_for_update().get(pk=user.pk)  # wishes of one person take turns
    _open_of(user).update(replaced_at=at)
    change = EmailChange.objects.create(
        user=user, old_email=user.email, new_email=email, asked_at=at
    )
    letters.owe_confirmation(change)


def find_change(key: str, *, user: User) -> EmailChange:
    """Return a person's open change of address by the key of its link. Raises Refused: LINK_ENDED.

    The link alone does nothing: whoever opens it must be signed in as who asked for it.
    """
    pk = letters.read_change(key)
    change = _open_of(user).filter(pk=pk).first() if pk is not None else None
    if change is None or clock.now() >= change.asked_at + letters.CHANGE_LIFE:
        raise Refused(_ended())
    return change


@transaction.atomic
def confirm_email(*, key: str, user: User) -> None:
    """Sign in by the new address from now on; the old one gets a note (N28).

    Raises Refused: LINK_ENDED, also when somebody else signs in with the address by now.
    """
    change = find_change(key, user=user)
    unused = _open_of(user).filter(pk=change.pk)
    if unused.update(confirmed_at=clock.now()) != 1:
        raise Refused(_ended())
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(email=change.new_email)
    except IntegrityError as error:
        raise Refused(_ended()) from error
    letters.owe_change(user=user, what="email", change=change)
    tell(user, "member.email_changed")


def _open_of(user: User) -> models.QuerySet[EmailChange]:
    return EmailChange.objects.filter(user=user, confirmed_at=None, replaced_at=None)


def _ended() -> Refusal:
    return Refusal(
        "LINK_ENDED",
        _("This link does not work any more"),
        remedy=_("It works once, for 24 hours. Ask for a new one in Login Settings."),
    )
