"""Forms that say which version of a row they were made from (INV-08)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms


class SeenForm(forms.Form):
    """Shows fields of a row that has a version, and carries the version that was seen."""

    seen = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None, *, row: Any, **kwargs: Any) -> None:
        initial = {name: getattr(row, name) for name in self.base_fields if hasattr(row, name)}
        initial["seen"] = row.version
        super().__init__(data, auto_id="%s", initial=initial, **kwargs)

    @property
    def values(self) -> dict[str, Any]:
        """What was entered, by field of the row."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}

    def seen_again(self, version: int) -> dict[str, Any]:
        """Return what was typed with the present version, to be shown again."""
        kept = self.data.copy()  # type: ignore[attr-defined]
        kept["seen"] = str(version)
        return kept  # type: ignore[no-any-return]
