"""The form that moves a sandbox's clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy


class ClockForm(forms.Form):
    """One step of a sandbox's clock, with the one-use key of the page (IMPL-01)."""

    token = forms.RegexField(r"\A[0-9A-Za-z_-]{1,64}\Z", widget=forms.HiddenInput)
    move = forms.ChoiceField(
        choices=[(step, step) for step in ("hour", "day", "warning", "deadline")],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), gettext_lazy("Choose how far the clock moves")
        ),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="%s", initial={"token": uuid4().hex})
