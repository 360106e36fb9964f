"""Operators of the platform: people of their own, who work for no merchant (PLATFORM-04)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.models import User
from core.refusal import Refusal, Refused


def create(*, email: str, name: str) -> User:
    """Make an operator who still has to choose a password.

    Raises Refused: ALREADY_KNOWN when somebody signs in with the address; a merchant's people
    cannot become operators, for nobody is both.
    """
    if User.objects.filter(email__iexact=email).exists():
        raise Refused(Refusal("ALREADY_KNOWN", _("Somebody signs in with this address already.")))
    return User.objects.create_user(email, None, name=name, is_operator=True)
