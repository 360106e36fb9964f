"""Tries to sign in and to recover a password: how many, and how long one must wait."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock, throttle
from core.throttle import Verdict

HOUR = 3600
TRIES_PER_ADDRESS = 100  # an hour
RESETS_PER_ADDRESS, RESETS_PER_ACCOUNT = 20, 5  # an hour
CHANGES_PER_PERSON, INVITATIONS_PER_MERCHANT = 5, 60  # an hour: nobody is flooded with our mail


def begin(*, email: str, address: str) -> Verdict:
    """Count a try with a password before it is looked at; say whether it must wait.

    The count is per account and network address, so that nobody can lock another one out from
    elsewhere, and the same whether the account exists or not.
    Source: IMPL-12, TH-20, TH-21, reliability SD-10.
    """
    at = clock.now()
    wait = throttle.use("sign-in", address, limit=TRIES_PER_ADDRESS, seconds=HOUR, at=at)
    if wait:
        return Verdict(wait)
    return throttle.attempt("sign-in", email.casefold(), address, at=at)


def succeeded(*, email: str, address: str) -> None:
    """Forget the failures of this account at this address."""
    throttle.forgive("sign-in", email.casefold(), address)


def wait_for_reset(*, email: str, address: str) -> int:
    """Count a wish for a new password; return the seconds to wait, or 0 when it is taken."""
    at = clock.now()
    here = throttle.use("reset", address, limit=RESETS_PER_ADDRESS, seconds=HOUR, at=at)
    whose = email.casefold()
    return here or throttle.use("reset-of", whose, limit=RESETS_PER_ACCOUNT, seconds=HOUR, at=at)


def wait_for_change(*, user_id: int) -> int:
    """Count a wish for another address; return the seconds to wait, or 0 when it is taken."""
    return _wait("email-change", str(user_id), CHANGES_PER_PERSON)


def wait_for_invitation(*, merchant_id: int) -> int:
    """Count an invitation that is sent; return the seconds to wait, or 0 when it is taken."""
    return _wait("invitation", str(merchant_id), INVITATIONS_PER_MERCHANT)


def _wait(what: str, who: str, limit: int) -> int:
    return throttle.use(what, who, limit=limit, seconds=HOUR, at=clock.now())


def wait_words(seconds: int) -> str:
    """Say a wait in whole minutes, or in seconds when it is shorter than one."""
    if seconds < 60:
        told = ngettext(
            "Wait %d second, then try again.", "Wait %d seconds, then try again.", seconds
        )
        return _("Too many tries.") + " " + told % seconds
    minutes = -(-seconds // 60)
    told = ngettext("Wait %d minute, then try again.", "Wait %d minutes, then try again.", minutes)
    return _("Too many tries.") + " " + told % minutes
