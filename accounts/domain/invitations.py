"""Invitations: sent by a link, good for 7 days, once, for one address (PERMISSION-01)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from accounts.domain import calendar, letters, members
from accounts.models import Invitation, Membership, Merchant, User
from accounts.permissions import PRESETS, Preset
from core import security
from core.actor import Actor
from core.refusal import Refusal, Refused
from core.security import Event

LIFE = timedelta(days=7)
MOST_OPEN = 100  # invitations of one merchant that nobody has answered


def open_of(merchant: Merchant) -> models.QuerySet[Invitation]:
    """Return a merchant's invitations that were neither accepted nor withdrawn, oldest first."""
    found = Invitation.objects.filter(merchant=merchant, accepted_at=None, withdrawn_at=None)
    return found.order_by("pk")


@transaction.atomic
def invite(*, merchant_id: int, email: str, preset: Preset, by: Actor) -> Invitation:
    """Offer a place to whoever reads the mail of an address; they get a link (N27).

    Whether somebody signs in with the address already makes no difference to the answer.
    Raises Refused: PERMISSION_DENIED, also for a preset that holds more than the actor does;
    ALREADY_KNOWN for a member or an open invitation; INVALID_INPUT above the number of open ones.
    """
    if by.user_id is None:
        raise ValueError("an invitation names the person who sent it")
    merchant = _merchant(merchant_id)
    _may_offer(merchant_id, preset, by)
    if Membership.objects.filter(
        merchant=merchant_id, user__email__iexact=email, removed_at=None
    ).exists():
        raise _already(_("This person works for this account already."))
    if open_of(merchant).count() >= MOST_OPEN:
        text = _("There are %d open invitations. Withdraw some of them first.")
        raise Refused(Refusal("INVALID_INPUT", text % MOST_OPEN, field="email"))
    at = calendar.now_for(merchant)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                merchant=merchant,
                email=email,
                preset=preset,
                invited_by_id=by.user_id,
                sent_at=at,
                ends_at=at + LIFE,
            )
    except IntegrityError as error:
        if "one_open_invitation_an_address" not in str(error):
            raise
        raise _already(_("This address is invited already. Send the invitation again.")) from error
    letters.owe_invitation(invitation)
    members.remember(
        merchant, "invitation.sent", by, after={"email": email, "preset": preset.value}
    )
    return invitation


@transaction.atomic
def send_again(*, merchant_id: int, invitation_id: int, by: Actor) -> Invitation:
    """Send a new link, good for 7 days from now; the old one stops working.

    Raises Refused: PERMISSION_DENIED, NOT_FOUND.
    """
    merchant = _merchant(merchant_id)
    invitation = _open(merchant, invitation_id, by)
    _may_offer(merchant_id, Preset(invitation.preset), by)
    at = calendar.now_for(merchant)
    invitation.serial += 1
    invitation.sent_at, invitation.ends_at = at, at + LIFE
    invitation.invited_by_id = by.user_id or invitation.invited_by_id
    invitation.save(update_fields=["serial", "sent_at", "ends_at", "invited_by"])
    letters.owe_invitation(invitation)
    members.remember(merchant, "invitation.sent", by, after={"email": invitation.email})
    return invitation


@transaction.atomic
def withdraw(*, merchant_id: int, invitation_id: int, by: Actor) -> Invitation:
    """Take an invitation back: its link stops working. Raises Refused: PERMISSION_DENIED,
    NOT_FOUND."""
    merchant = _merchant(merchant_id)
    invitation = _open(merchant, invitation_id, by)
    members.rights_of(by, members.lock_managers(merchant_id, by.user_id))
    invitation.withdrawn_at = calendar.now_for(merchant)
    invitation.save(update_fields=["withdrawn_at"])
    members.remember(merchant, "invitation.withdrawn", by, after={"email": invitation.email})
    return invitation


def find(key: str) -> Invitation:
    """Return the invitation that a link leads to. Raises Refused: LINK_ENDED."""
    told = letters.read_invitation(key)
    invitation = None
    if told is not None:
        found = Invitation.objects.filter(pk=told[0], serial=told[1])
        invitation = found.select_related("merchant__marketplace", "invited_by").first()
    if invitation is None or not _is_open(invitation, calendar.now_for(invitation.merchant)):
        raise Refused(_ended())
    return invitation


def invited_person(invitation: Invitation) -> User | None:
    """Return who signs in with the invited address already."""
    return User.objects.filter(email__iexact=invitation.email).first()


def accept_as_new(*, key: str, name: str, password: str) -> User:
    """Become a person who signs in with the invited address, and take the place.

    Raises Refused: LINK_ENDED; PERMISSION_DENIED when who invited may not offer it any more.
    """
    hashed = make_password(password)  # slow, so before anything is locked
    with transaction.atomic():
        invitation = _locked(key)
        try:
            with transaction.atomic():
                user = User.objects.create(email=invitation.email, name=name, password=hashed)
        except IntegrityError as error:
            raise Refused(_ended()) from error
        _take(invitation, user)
    return user


@transaction.atomic
def accept(*, key: str, user: User) -> Membership:
    """Take the place as somebody who signs in already, by the invited address and no other.

    Raises Refused: LINK_ENDED; PERMISSION_DENIED for another address, for an operator, and when
    who invited may not offer it any more.
    """
    invitation = _locked(key)
    if user.email.casefold() != invitation.email.casefold():
        raise Refused(
            Refusal("PERMISSION_DENIED", _("This invitation is for another e-mail address."))
        )
    if user.is_operator:
        raise Refused(Refusal("PERMISSION_DENIED", _("Operators work for no merchant.")))
    return _take(invitation, user)


def _take(invitation: Invitation, user: User) -> Membership:
    """Make a member of who accepts, with no more than who invited holds now (INV-18)."""
    merchant = invitation.merchant
    sender = Actor("form", invitation.invited_by.name, user_id=invitation.invited_by_id)
    try:
        _may_offer(merchant.pk, Preset(invitation.preset), sender)
    except Refused as refused:
        raise Refused(
            Refusal(
                "PERMISSION_DENIED",
                _("Who invited you may not offer this any more."),
                remedy=_("Ask %s for a new invitation.") % merchant,
            )
        ) from refused
    invitation.accepted_at = calendar.now_for(merchant)
    invitation.save(update_fields=["accepted_at"])
    by = Actor("form", user.name, user_id=user.pk)
    member = members.add_member(
        merchant=merchant, user=user, preset=Preset(invitation.preset), by=by
    )
    letters.owe_change(user=user, what="joined", by=invitation.invited_by_id, merchant=merchant)
    return member


def _locked(key: str) -> Invitation:
    """Lock the invitation of a link and read it again: of two who accept at once one does."""
    found = find(key)
    again = Invitation.objects.select_for_update(of=("self",)).select_related(
        "merchant__marketplace", "invited_by"
    )
    invitation = again.get(pk=found.pk)
    if invitation.serial != found.serial or not _is_open(
        invitation, calendar.now_for(invitation.merchant)
    ):
        raise Refused(_ended())
    return invitation


def _open(merchant: Merchant, invitation_id: int, by: Actor) -> Invitation:
    invitation = open_of(merchant).select_for_update().filter(pk=invitation_id).first()
    if invitation is None:
        if Invitation.objects.filter(pk=invitation_id).exclude(merchant=merchant).exists():
            who = by.user_id
            security.note(Event.SCOPE_REFUSED, "invitation", user=who, merchant=merchant.pk)
        raise Refused(Refusal("NOT_FOUND", _("This invitation was answered or withdrawn.")))
    invitation.merchant = merchant
    return invitation


def _may_offer(merchant_id: int, preset: Preset, by: Actor) -> None:
    rights = members.rights_of(by, members.lock_managers(merchant_id, by.user_id))
    members.refuse_to_exceed(rights, PRESETS[preset])


def _is_open(invitation: Invitation, now: datetime) -> bool:
    unanswered = invitation.accepted_at is None and invitation.withdrawn_at is None
    return unanswered and now < invitation.ends_at


def _merchant(merchant_id: int) -> Merchant:
    return Merchant.objects.select_related("marketplace").get(pk=merchant_id)


def _already(text: str) -> Refused:
    return Refused(Refusal("ALREADY_KNOWN", text, field="email"))


def _ended() -> Refusal:
    return Refusal(
        "LINK_ENDED",
        _("This link does not work any more"),
        remedy=_("An invitation works once, for 7 days. Ask for a new one."),
    )
