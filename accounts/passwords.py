"""Rules for passwords beyond those of the framework (reliability SD-08)."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Merchant, User


class MaximumLengthValidator:
    """Refuse passwords longer than the hasher is asked to work on; none is ever cut."""

    def __init__(self, max_length: int = 128) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: object = None) -> None:
        if len(password) > self.max_length:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        return _("Your password must be %d characters or fewer.") % self.max_length


class OwnWordsValidator:
    """Refuse passwords made of the product's or the person's shops' names (reliability SD-08)."""

    def validate(self, password: str, user: User | None = None) -> None:
        names = [settings.SITE_NAME]
        if user is not None and user.pk is not None:
            shops = Merchant.objects.filter(memberships__user=user)
            names += [name for pair in shops.values_list("name", "display_name") for name in pair]
        typed = _letters(password)
        if any(_mostly(typed, _letters(name)) for name in names):
            raise ValidationError(self.get_help_text(), code="password_is_own_name")

    def get_help_text(self) -> str:
        return _("Your password must not be the name of the product or of your shop.")


def _letters(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum())


def _mostly(typed: str, name: str) -> bool:
    """Tell whether a name is more than half of what was typed."""
    return len(name) > 3 and name in typed and 2 * len(name) > len(typed)
