"""The texts and the logo of Your Info & Policies: posted text and file to clean values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain import profiles
from accounts.domain.profiles import FIELDS
from accounts.forms.seen import SeenForm
from accounts.models import Profile
from accounts.models.profile import MOST_LETTERS
from core.images import MOST_SIDE
from core.text import is_blank, is_plain


class Paragraphs(forms.CharField):
    """Several lines with limited mark-up, kept as typed."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"class": "textarea input--wide", "rows": 6}
        super().__init__(required=False, widget=forms.Textarea(attrs=attrs), **kwargs)
        self.validators = []  # their own words would come besides ours

    def to_python(self, value: Any) -> str:
        text = str(value or "").replace("\r\n", "\n").strip()
        return "" if is_blank(text) else text

    def validate(self, value: str) -> None:
        if len(value) > MOST_LETTERS:
            raise ValidationError(
                _("%(label)s must be %(longest)s characters or fewer")
                % {"label": self.label, "longest": f"{MOST_LETTERS:,}"}
            )
        if not is_plain(value, lines=True):
            raise ValidationError(_("Remove control characters"))


class PoliciesForm(SeenForm):
    about = Paragraphs(label=FIELDS["about"])
    returns = Paragraphs(
        label=FIELDS["returns"], help_text=gettext_lazy("Packing slips print its beginning")
    )
    shipping = Paragraphs(label=FIELDS["shipping"])
    gift_services = Paragraphs(label=FIELDS["gift_services"])
    privacy = Paragraphs(label=FIELDS["privacy"])
    faq = Paragraphs(label=FIELDS["faq"])


class LogoForm(SeenForm):
    logo = forms.FileField(
        label=FIELDS["logo"],
        required=False,
        allow_empty_file=True,  # an empty file is no picture: refused with our own words
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
    )
    remove = forms.BooleanField(
        label=gettext_lazy("Remove the logo"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "check"}),
    )

    def __init__(
        self, data: Mapping[str, Any] | None, files: Any = None, *, row: Profile, has_logo: bool
    ) -> None:
        super().__init__(data, row=row, files=files)
        self.has_logo = has_logo
        self.fields["logo"].help_text = _(
            "PNG or JPG, up to %(megabytes)d MB and %(most)s × %(most)s pixels. It is made smaller"
            " where needed"
        ) % {"megabytes": profiles.MOST_MEGABYTES, "most": f"{MOST_SIDE:,}"}

    def clean_logo(self) -> Any:
        file = self.cleaned_data["logo"]
        if file is not None and profiles.is_too_heavy(file.size):
            raise ValidationError(str(profiles.too_heavy()))
        return file

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("remove") and cleaned.get("logo") is None:
            self.add_error("logo", _("Choose a picture"))
        return cleaned

    @property
    def upload(self) -> bytes | None:
        """The bytes that were sent; None to take the logo away."""
        if self.cleaned_data["remove"]:
            return None
        file: bytes = self.cleaned_data["logo"].read()
        return file
