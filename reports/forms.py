"""What is typed on the pages of reports, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from reports.enums import DAYS, EXTRA_COLUMNS, Period, ReportKind
from reports.models import ReportSettings, Schedule

NEVER = "never"


class RequestForm(forms.Form):
    """Asking for a report of orders."""

    days = forms.TypedChoiceField(
        label=_("Number of days"),
        choices=[(str(days), str(days)) for days in DAYS],
        coerce=int,
        initial="3",
        widget=forms.Select(attrs={"class": "select input--short"}),
        error_messages={
            "required": _("Choose a number of days"),
            "invalid_choice": _("Choose a number of days"),
        },
    )
    include_cancelled = forms.BooleanField(
        label=_("Include cancelled orders"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "check"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="%s")


class ScheduleForm(forms.Form):
    """Choosing how often a kind of report is made; carries the version of each kind's schedule."""

    SEEN = ("seen_orders", "seen_unshipped")

    kind = forms.ChoiceField(
        label=_("Report"),
        choices=ReportKind.choices,
        widget=forms.Select(attrs={"class": "select input--medium"}),
        error_messages={"required": _("Choose a report"), "invalid_choice": _("Choose a report")},
    )
    frequency = forms.TypedChoiceField(
        label=_("Frequency"),
        choices=[*((str(value), label) for value, label in Period.choices), (NEVER, _("Never"))],
        coerce=lambda value: None if value == NEVER else Period(int(value)),
        empty_value="",
        initial=str(Period.DAY_1.value),
        widget=forms.Select(attrs={"class": "select input--medium"}),
        error_messages={
            "required": _("Choose a frequency"),
            "invalid_choice": _("Choose a frequency"),
        },
    )
    seen_orders = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput(attrs={"id": None})
    )
    seen_unshipped = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput(attrs={"id": None})
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, schedules: Mapping[ReportKind, Schedule]
    ) -> None:
        seen = {
            f"seen_{kind}": schedules[kind].version if kind in schedules else 0
            for kind in ReportKind
        }
        super().__init__(data, auto_id="%s", initial=seen)

    @property
    def seen(self) -> int:
        """The version that was shown of the schedule that is to change."""
        version: int = self.cleaned_data[f"seen_{self.cleaned_data['kind']}"]
        return version


class ColumnsForm(forms.Form):
    """Switching further columns on and off; carries the version that was seen."""

    columns = forms.MultipleChoiceField(
        choices=[(name, name) for name in EXTRA_COLUMNS],
        required=False,
        error_messages={"invalid_choice": _("There is no column %(value)s")},
    )
    seen = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput(attrs={"id": None})
    )

    def __init__(self, data: Mapping[str, Any] | None, *, row: ReportSettings) -> None:
        initial = {"columns": row.extra_columns, "seen": row.version}
        super().__init__(data, auto_id="%s", initial=initial)
