"""User Permissions: the rows of the matrix, and posted text to clean values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import Address
from accounts.permissions import MOST, Function, Level, Preset

F = Function


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the matrix: a level for one function, or for some that go together."""

    label: Any
    functions: tuple[Function, ...]

    @property
    def name(self) -> str:
        return self.functions[0].value

    @property
    def levels(self) -> tuple[Level | None, ...]:
        """The levels there are, with None where the table shows a dash."""
        most = MOST[self.functions[0]]
        return tuple(level if level <= most else None for level in Level)


def _row(*functions: Function) -> Row:
    return Row(functions[0].label, functions)


# Login Settings are everybody's own, the Access Key is the owner's: neither is given here.
GROUPS: tuple[tuple[Any, tuple[Row, ...]], ...] = (
    (
        _("Orders"),
        tuple(
            map(
                _row,
                (
                    *(F.MANAGE_ORDERS, F.CONFIRM_SHIPMENTS, F.PACKING_SLIPS, F.CANCEL_ORDERS),
                    *(F.REFUND_ORDERS, F.RMA, F.ORDER_REPORTS, F.UPLOADS, F.MESSAGES),
                    *(F.INVENTORY, F.CHANNELS),
                ),
            )
        ),
    ),
    (
        _("Reports"),
        tuple(
            map(
                _row,
                (F.CLAIMS, F.SELLER_PERFORMANCE, F.SITE_METRICS, F.PAYMENTS, F.FEEDBACK),
            )
        ),
    ),
    (
        _("Integration and Settings"),
        (
            _row(F.INTEGRATION),
            _row(F.ACCOUNT_INFO),
            _row(F.BANK_INFORMATION),
            Row(
                _("Shipping Settings, Manage Promotions, Manage Taxes"),
                (F.SHIPPING_SETTINGS, F.PROMOTIONS, F.TAXES),
            ),
            _row(F.USER_PERMISSIONS),
            Row(_("Your Info & Policies, Order Pipeline Settings"), (F.POLICIES, F.PIPELINE)),
            _row(F.AUDIT_TRAIL),
        ),
    ),
)
ROWS = tuple(row for _label, rows in GROUPS for row in rows)


class MatrixForm(forms.Form):
    """A level for each row. preset: what the table was filled from."""

    member = forms.IntegerField(min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    seen = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    filled = forms.ChoiceField(choices=Preset, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None) -> None:
        super().__init__(data, auto_id="%s")
        for row in ROWS:
            choices = [(str(int(level)), "") for level in row.levels if level is not None]
            self.fields[row.name] = forms.TypedChoiceField(
                label=row.label,
                choices=choices,
                coerce=lambda value: Level(int(value)),
                error_messages={
                    "required": _("Choose a level"),
                    "invalid_choice": _("Choose one of the levels"),
                },
            )

    @property
    def levels(self) -> dict[Function, Level]:
        return {each: self.cleaned_data[row.name] for row in ROWS for each in row.functions}


class InviteForm(forms.Form):
    email = Address(
        label=_("E-mail"),
        attrs={"autocomplete": "off", "class": "input input--medium"},
    )
    preset = forms.ChoiceField(
        label=_("Start with"),
        widget=forms.Select(attrs={"class": "select input--short"}),
        error_messages={
            "required": _("Choose what they start with"),
            "invalid_choice": _("Choose what they start with"),
        },
    )

    def __init__(self, data: Mapping[str, Any] | None, *, presets: list[Preset]) -> None:
        super().__init__(data, auto_id="invite-%s")
        choices = [(each.value, each.label) for each in presets]
        self.fields["preset"].choices = choices  # type: ignore[attr-defined]
