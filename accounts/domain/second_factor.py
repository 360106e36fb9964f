"""The second step of signing in: turned on, asked for, turned off (TH-23, reliability SD-09)."""

from __future__ import annotations

import hashlib
import re
import secrets

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.domain import letters, totp
from accounts.domain.own_history import tell
from accounts.models import RecoveryCode, SecondFactor, User
from core import clock, sealing, throttle
from core.refusal import Refusal, Refused
from core.throttle import Verdict

CODES = 10
_CODE_BYTES = 16  # 128 bit
_PURPOSE = "second factor"
_SETTING_UP = 3600  # seconds a secret may wait for its first code


def is_on(user: User) -> bool:
    """Tell whether a person signs in with a second step."""
    return SecondFactor.objects.filter(user=user).exists()


def begin(*, user: User) -> str:
    """Return a sealed fresh secret; nothing is on before its first code is confirmed."""
    return sealing.seal(f"{user.pk}:{totp.new_secret()}", purpose="second factor set-up")


def secret_in(begun: str, *, user: User) -> str:
    """Return the secret that ``begin`` made for this person.

    Raises sealing.Unreadable: altered, made for somebody else, or more than an hour ago.
    """
    told = sealing.unseal(begun, purpose="second factor set-up", seconds=_SETTING_UP)
    whose, _colon, secret = told.partition(":")
    if whose != str(user.pk):
        raise sealing.Unreadable("second factor set-up")
    return secret


@transaction.atomic
def turn_on(*, user: User, secret: str, code: str) -> list[str]:
    """Ask for a second step from now on; return the recovery codes, which are shown only now.

    Raises Refused: INVALID_INPUT when the code is not one of the secret, ALREADY_KNOWN when a
    second step is asked for already.
    """
    counter = totp.counter_of(secret, _digits(code), counters=_counters())
    if counter is None:
        raise Refused(_wrong())
    sealed = sealing.seal(secret, purpose=_PURPOSE)
    at = clock.now()
    factor, made = SecondFactor.objects.get_or_create(
        user=user, defaults={"secret": sealed, "last_counter": counter, "confirmed_at": at}
    )
    if not made:
        raise Refused(Refusal("ALREADY_KNOWN", _("Two-step sign-in is on already.")))
    codes = _new_codes(factor)
    letters.owe_change(user=user, what="two_step_on")
    tell(user, "member.two_step_on")
    return codes


@transaction.atomic
def renew_codes(*, user: User) -> list[str]:
    """Replace the recovery codes; the old ones stop working. Raises Refused: NOT_FOUND."""
    factor = _locked(user)
    factor.recovery_codes.all().delete()
    codes = _new_codes(factor)
    letters.owe_change(user=user, what="recovery_codes")
    tell(user, "member.recovery_codes_renewed")
    return codes


@transaction.atomic
def turn_off(*, user: User) -> None:
    """Sign in with the password alone from now on; an operator never (PLATFORM, SD-09).

    Raises Refused: PERMISSION_DENIED, NOT_FOUND.
    """
    if user.is_operator:
        raise Refused(
            Refusal("PERMISSION_DENIED", _("Operators always sign in with a second step."))
        )
    _locked(user).delete()
    letters.owe_change(user=user, what="two_step_off")
    tell(user, "member.two_step_off")


def attempt(*, user: User) -> Verdict:
    """Count a code before it is looked at, per person: five are free, then each must wait."""
    return throttle.attempt("second-step", str(user.pk), at=clock.now())


def take(*, user: User, code: str) -> bool:
    """Use up a code of the app or a recovery code; say whether it was one.

    Each code counts once: of two that come at once the database lets one through (TH-23). Call
    ``attempt`` before; a right code forgets the failures.
    """
    taken = _take_from_app(user, _digits(code)) or _take_from_paper(user, code)
    if taken:
        throttle.forgive("second-step", str(user.pk))
    return taken


def _take_from_app(user: User, code: str) -> bool:
    factor = SecondFactor.objects.filter(user=user).first()
    if factor is None:
        return False
    secret = sealing.unseal(factor.secret, purpose=_PURPOSE)
    counter = totp.counter_of(secret, code, counters=_counters())
    if counter is None:
        return False
    unused = SecondFactor.objects.filter(user=user, secret=factor.secret, last_counter__lt=counter)
    return unused.update(last_counter=counter) == 1


@transaction.atomic
def _take_from_paper(user: User, code: str) -> bool:
    unused = RecoveryCode.objects.filter(factor=user.pk, digest=_digest(code), used_at=None)
    if unused.update(used_at=clock.now()) != 1:
        return False
    letters.owe_change(user=user, what="recovery_code_used")
    tell(user, "member.recovery_code_used")
    return True


def codes_left(user: User) -> int:
    """Return how many recovery codes are unused."""
    return RecoveryCode.objects.filter(factor=user.pk, used_at=None).count()


def _locked(user: User) -> SecondFactor:
    factor = SecondFactor.objects.select_for_update().filter(user=user).first()
    if factor is None:
        raise Refused(Refusal("NOT_FOUND", _("Two-step sign-in is off.")))
    return factor


def _new_codes(factor: SecondFactor) -> list[str]:
    codes = [secrets.token_hex(_CODE_BYTES) for _code in range(CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(factor=factor, digest=_digest(code)) for code in codes
    )
    return ["-".join(re.findall(".{8}", code)) for code in codes]


def _counters() -> range:
    """Return the time steps whose codes are taken: this one, and as many before as are allowed."""
    now = totp.counter_at(clock.now())
    return range(now - settings.TOTP_TOLERANCE_STEPS, now + 1)


def _digits(code: str) -> str:
    """Return six digits however they were typed; anything else becomes what no code is."""
    typed = "".join(code.split())
    return typed if typed.isascii() and typed.isdigit() and len(typed) == totp.DIGITS else ""


def _digest(code: str) -> bytes:
    """Return what is kept of a recovery code; blanks, hyphens and capitals make no difference.

    128 random bits need no slow hash: nobody can try them all.
    """
    typed = "".join(code.casefold().replace("-", "").split())
    return hashlib.sha256(typed.encode("utf-8", "replace")).digest()


def _wrong() -> Refusal:
    return Refusal(
        "INVALID_INPUT",
        _("That code is not right. Enter the code that the app shows now."),
        field="code",
    )
