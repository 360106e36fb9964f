"""Kinds of fields that settings and people share: one line, one address, several, a number."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.text import is_address, is_blank, is_straight

INPUT = "input"
NO_ADDRESS = {
    "required": gettext_lazy("Enter an e-mail address"),
    "invalid": gettext_lazy("Enter one e-mail address, like jo@shop.example"),
}
_PHONE = re.compile(r"\+?[0-9 ().-]+")


class Line(forms.CharField):
    """One line of text that reads as it is stored; blanks around it are dropped."""

    def __init__(self, *, longest: int, size: str = "", **kwargs: Any) -> None:
        attrs = {"class": f"{INPUT} {size}".strip(), **kwargs.pop("attrs", {})}
        kwargs.setdefault("widget", forms.TextInput(attrs={**attrs, "maxlength": longest}))
        super().__init__(**kwargs)
        self.longest = longest
        self.validators = []  # their own words would come besides ours

    def to_python(self, value: Any) -> str:
        text = str(value or "").strip()
        return "" if is_blank(text) else text

    def validate(self, value: str) -> None:
        super().validate(value)
        if len(value) > self.longest:
            raise ValidationError(
                _("%(label)s must be %(longest)d characters or fewer")
                % {"label": self.label, "longest": self.longest}
            )
        if not is_straight(value):
            raise ValidationError(_("Remove line breaks, control characters, < and >"))


class Phone(Line):
    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not (value.isascii() and _PHONE.fullmatch(value)):
            raise ValidationError(_("Use digits, blanks, + ( ) - and . only, like 01632 960417"))


class Address(forms.CharField):
    """One e-mail address in plain letters, so that none only looks like another."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {
            "class": f"{INPUT} input--wide",
            "autocomplete": "email",
            "spellcheck": "false",
            "maxlength": 254,
            **kwargs.pop("attrs", {}),
        }
        kwargs.setdefault("widget", forms.EmailInput(attrs=attrs))
        kwargs["error_messages"] = {**NO_ADDRESS, **kwargs.get("error_messages", {})}
        super().__init__(**kwargs)
        self.validators = []

    def to_python(self, value: Any) -> str:
        return str(value or "").strip()

    def validate(self, value: str) -> None:
        super().validate(value)
        if value:
            check_address(value, self.error_messages["invalid"])


class Addresses(forms.CharField):
    """Several e-mail addresses, one a line; the same one counts once."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        attrs = {"class": "textarea input--wide", "rows": 3, "spellcheck": "false"}
        super().__init__(widget=forms.Textarea(attrs=attrs), **kwargs)
        self.most = most
        self.validators = []

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = [line.strip() for line in str(value or "").splitlines()]
        once: dict[str, str] = {}
        for line in filter(None, lines):
            once.setdefault(line.casefold(), line)
        found = list(once.values())
        if self.required and not found:
            raise ValidationError(self.error_messages["required"])
        if len(found) > self.most:
            raise ValidationError(_("Enter %d addresses or fewer") % self.most)
        for each in found:
            shown = each if len(each) <= 80 else each[:79] + "…"
            check_address(each, _("“%s” is no e-mail address. Write one a line") % shown)
        return found


class Number(forms.CharField):
    """A whole number within bounds, in plain digits; empty where that means something."""

    def __init__(self, *, low: int, high: int, **kwargs: Any) -> None:
        attrs = {"class": f"{INPUT} input--xs", "inputmode": "numeric", "maxlength": len(str(high))}
        kwargs.setdefault("widget", forms.TextInput(attrs=attrs))
        super().__init__(**kwargs)
        self.low, self.high = low, high

    def clean(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text and not self.required:
            return None
        digits = text.isascii() and text.isdigit() and len(text) <= 6
        if not digits or not self.low <= int(text) <= self.high:
            raise ValidationError(
                _("Enter a whole number from %(low)d to %(high)d")
                % {"low": self.low, "high": self.high}
            )
        return int(text)


def check_address(text: str, refused: Any) -> None:
    """Raise ValidationError unless a text is one e-mail address, in plain letters."""
    if not text.isascii():
        raise ValidationError(
            _("Write the address in plain letters; a domain of other letters begins with xn--")
        )
    if len(text) > 254 or not is_address(text):
        raise ValidationError(refused)
