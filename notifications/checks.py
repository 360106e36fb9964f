"""A check that letters are copied only where people try things out; it runs at every start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def letters_are_not_copied_on_a_server(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E001: the mail viewer shows members what is written to buyers; no shop that trades may."""
    if not settings.MAIL_VIEWER or settings.SANDBOX_SIGN_INS:
        return []
    hint = "MAIL_VIEWER belongs to the settings of development and tests."
    return [Error("The mail viewer is on.", hint=hint, id="notifications.E001")]
