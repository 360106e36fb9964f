"""The form that hands in a file."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms import describe


class UploadForm(forms.Form):
    """One file; ``again`` appears once the same content was uploaded within 24 hours."""

    file = forms.FileField(
        label=_("Browse for a file or drop it here"),
        error_messages={
            "required": _("Choose a file first"),
            "missing": _("Choose a file first"),
            "invalid": _("Choose a file first"),
        },
        help_text=_(
            "Tab-delimited text, up to 10 MB and 50,000 records. Save a spreadsheet as"
            " tab-delimited text first."
        ),
        allow_empty_file=True,  # the report says so, as of every other file (1001)
        max_length=500,
        widget=forms.FileInput(attrs={"accept": ".txt,.tsv,text/plain,text/tab-separated-values"}),
    )
    again = forms.BooleanField(required=False, label=_("Upload this file once more"))

    def __init__(self, *args: object, asks_again: bool = False, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.asks_again = asks_again
        describe(self)
