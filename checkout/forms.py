"""What buyers type into the pages of their order; rules about orders live in the domain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms import describe
from orders.domain.contacts import Address
from orders.enums import RequestReason
from orders.forms import INPUT, ActForm
from orders.models import Item, Order


def _line(label: Any, longest: int, fills: str, *, required: bool = True) -> forms.CharField:
    attributes = {**INPUT, "autocomplete": f"shipping {fills}"}
    return forms.CharField(
        label=label,
        max_length=longest,
        required=required,
        widget=forms.TextInput(attrs=attributes),
        error_messages={
            "required": gettext_lazy("This is needed."),
            "max_length": gettext_lazy("Must be %(limit_value)d characters or fewer."),
        },
    )


class ChangeForm(ActForm):
    """Where the goods go and how many there are (BUYERCANCEL-01).

    units: whether quantities can change, because another amount can be paid.
    """

    LINES = (
        "recipient_name", "address_1", "address_2", "address_3", "city", "region", "postal_code"
    )  # fmt: skip

    recipient_name = _line(gettext_lazy("Name"), 100, "name")
    address_1 = _line(gettext_lazy("Address line 1"), 180, "address-line1")
    address_2 = _line(gettext_lazy("Address line 2"), 180, "address-line2", required=False)
    address_3 = _line(gettext_lazy("Address line 3"), 180, "address-line3", required=False)
    city = _line(gettext_lazy("Town or city"), 100, "address-level2")
    region = _line(gettext_lazy("County or region"), 100, "address-level1", required=False)
    postal_code = _line(gettext_lazy("Postcode"), 20, "postal-code")

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        order: Order,
        address: Address,
        items: Sequence[Item],
        units: bool,
    ) -> None:
        written = {name: getattr(address, name) for name in self.LINES}
        super().__init__(data, order=order, initial=written)
        self.address = address
        self.items = items if units else ()
        for item in self.items:
            self.fields[f"quantity_{item.pk}"] = forms.CharField(
                label=item.title,
                required=False,
                initial=str(item.quantity_purchased),
                widget=forms.TextInput(
                    attrs={"class": "input input--xs input--num", "inputmode": "numeric"}
                ),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        quantities = {}
        for item in self.items:
            name = f"quantity_{item.pk}"
            text = str(cleaned.get(name, "")).strip()
            if not re.fullmatch(r"[0-9]{1,7}", text, re.ASCII) or not int(text):
                self.add_error(name, _("Enter a quantity of 1 or more."))
            else:
                quantities[item.pk] = int(text)
        cleaned["quantities"] = quantities
        if not self.errors:
            lines = {name: cleaned[name] for name in self.LINES}
            cleaned["address"] = Address(**lines, country=self.address.country)
        return cleaned

    def describe_errors(self) -> None:
        describe(self)


class CancelForm(ActForm):
    """The buyer's own word that the order ends."""


class RequestForm(ActForm):
    """Why the buyer asks for a cancellation."""

    reason = forms.ChoiceField(
        choices=RequestReason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a reason"),
            "invalid_choice": gettext_lazy("Choose a reason"),
        },
    )
