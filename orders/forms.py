"""Posted text to clean arguments; rules about orders live in the domain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import days
from core.money import AmountError, parse_amount
from core.refusal import Refusal
from orders import carriers
from orders.domain.drafts import is_plain
from orders.enums import BOXES, CancelReason, OrderStatus, RefundReason
from orders.models import Item, Order

TOKEN = r"\A[0-9A-Za-z_-]{1,64}\Z"  # of ours are 32 characters
SELECT = {"class": "select"}
INPUT = {"class": "input"}


class ActForm(forms.Form):
    """What every changing form carries: its one-use key and the version that was seen."""

    token = forms.RegexField(TOKEN, widget=forms.HiddenInput)
    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None, *, order: Order, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "%s")
        kwargs["initial"] = {"token": uuid4().hex, "seen": order.version} | kwargs.get(
            "initial", {}
        )
        super().__init__(data, **kwargs)
        self.order = order
        example = days.example(order.marketplace.country)
        for field in self.fields.values():
            if isinstance(field, DayField):
                field.error_messages["invalid"] = _("Enter a date, like %s") % example

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal at the field it is about, else above the form."""
        name = refusal.field if refusal.field in self.fields else None
        self.add_error(name, str(refusal))

    def describe_errors(self) -> None:
        """Tie each field to its error for those who cannot see it."""
        for name in self.errors:
            if name in self.fields:
                attributes = self.fields[name].widget.attrs
                attributes |= {"aria-invalid": "true", "aria-describedby": f"{name}-error"}

    def take_errors_of(self, other: ActForm) -> None:
        """Show the same errors beside a fresh key."""
        self.full_clean()
        self._errors: Any = other.errors

    def posted_again(self) -> dict[str, Any]:
        """Return what was typed with a fresh key and the present version, to be shown again."""
        kept = self.data.copy()  # type: ignore[attr-defined]
        kept["token"], kept["seen"] = uuid4().hex, str(self.order.version)
        return kept  # type: ignore[no-any-return]


class DayField(forms.DateField):
    """A day as the date control sends it, or as it is typed: see ``core.days``."""

    widget = forms.DateInput(
        attrs={"type": "date", "class": "input input--short"}, format="%Y-%m-%d"
    )
    default_error_messages = {
        "required": gettext_lazy("Enter a Ship Date"),
    }

    def to_python(self, value: Any) -> date | None:
        if not value or isinstance(value, date):
            return super().to_python(value)
        day = days.read_day(value)
        if day is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class LineField(forms.CharField):
    """One line of text without control characters."""

    def __init__(self, *, refused: Any, **kwargs: Any) -> None:
        super().__init__(required=False, empty_value="", **kwargs)
        self.refused = refused
        self.longest: int = kwargs.get("max_length", 50)
        self.validators = []

    def clean(self, value: Any) -> str:
        text = str(value or "").strip()
        if len(text) > self.longest or not is_plain(text):
            raise forms.ValidationError(self.refused)
        return text


class ConfirmForm(ActForm):
    """One package: quantities of each item and how it travels (SHIP-03)."""

    not_sent = forms.BooleanField(required=False)
    despite_request = forms.BooleanField(required=False)
    ship_date = DayField(label=gettext_lazy("Ship Date"))
    carrier = forms.ChoiceField(
        label=gettext_lazy("Shipping Carrier"),
        widget=forms.Select(attrs=SELECT),
        error_messages={
            "required": gettext_lazy("Choose a shipping carrier"),
            "invalid_choice": gettext_lazy("Choose a shipping carrier"),
        },
    )
    carrier_name = LineField(
        label=gettext_lazy("Carrier's name"),
        max_length=50,
        refused=gettext_lazy("Enter the carrier's name, up to 50 characters"),
        widget=forms.TextInput(attrs=INPUT),
    )
    method = LineField(
        label=gettext_lazy("Shipping Method"),
        max_length=50,
        refused=gettext_lazy("Shipping Method must be 50 characters or fewer"),
        widget=forms.TextInput(attrs={**INPUT, "list": "methods", "autocomplete": "off"}),
    )
    tracking_id = LineField(
        label=gettext_lazy("Tracking ID"),
        max_length=50,
        refused=gettext_lazy("Tracking ID must be 50 characters or fewer, on one line"),
        widget=forms.TextInput(
            attrs={"class": "input input--code", "autocomplete": "off", "spellcheck": "false"}
        ),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        order: Order,
        items: Sequence[Item],
        at: datetime,
        last_carrier: str,
    ) -> None:
        codes = carriers.codes_for(order.marketplace.country)
        first = {
            "ship_date": order.marketplace.local_date(at),
            "carrier": last_carrier if last_carrier in codes else "",
            "method": _METHODS.get(order.ship_service_level, ""),
        }
        super().__init__(data, order=order, initial=first)
        choices = [("", _("Choose a carrier")), *((code, _(code)) for code in codes)]
        self.fields["carrier"].choices = choices  # type: ignore[attr-defined]
        self.open_items = [item for item in items if item.quantity_remaining]
        for item in self.open_items:
            self.fields[f"quantity_{item.pk}"] = forms.CharField(
                label=_("Quantity of %s in this shipment") % item.title,
                required=False,
                initial=str(item.quantity_remaining),
                widget=forms.TextInput(
                    attrs={"class": "input input--xs input--num", "inputmode": "numeric"}
                ),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("carrier") == carriers.OTHER and not cleaned.get("carrier_name"):
            self.add_error("carrier_name", _("Enter the carrier's name, up to 50 characters"))
        quantities = {}
        for item in self.open_items:
            name = f"quantity_{item.pk}"
            text = str(cleaned.get(name, "")).strip()
            if not re.fullmatch(r"[0-9]{1,7}", text, re.ASCII):
                self.add_error(name, _("Enter a quantity"))
            elif int(text) > item.quantity_remaining:
                self.add_error(name, _("Quantity must be %d or less") % item.quantity_remaining)
            elif int(text):
                quantities[item.pk] = int(text)
        if not quantities and not self.errors:
            first = f"quantity_{self.open_items[0].pk}" if self.open_items else None
            self.add_error(first, _("Enter at least one unit to ship"))
        cleaned["quantities"] = quantities
        return cleaned


# The buyer's ordered service level, as a method (SHIP-05).
_METHODS = {
    "standard": "Standard",
    "expedited": "Expedited",
    "second-day": "Second Day",
    "priority": "Expedited",
}


class CancelForm(ActForm):
    reason = forms.ChoiceField(
        choices=CancelReason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a reason"),
            "invalid_choice": gettext_lazy("Choose a reason"),
        },
    )
    zero_out = forms.BooleanField(required=False)


class AnswerForm(ActForm):
    """The merchant's answer to a buyer's cancellation request (BUYERCANCEL-04)."""

    ACCEPT, DECLINE = "accept", "decline"
    CHOOSE = gettext_lazy("Choose an answer")

    answer = forms.ChoiceField(
        choices=[(ACCEPT, ACCEPT), (DECLINE, DECLINE)],
        widget=forms.RadioSelect,
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )
    text = forms.CharField(
        label=gettext_lazy("Your text to the buyer"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 4, "maxlength": 1000}),
    )

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        if len(text) > 1000:
            raise forms.ValidationError(_("Must be 1,000 characters or fewer"))
        if not is_plain(text, lines=True):
            raise forms.ValidationError(_("Remove control characters"))
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        declines = cleaned.get("answer") == self.DECLINE
        if declines and "text" not in self.errors and not cleaned.get("text", "").strip():
            self.add_error("text", _("Tell the buyer why"))
        return cleaned


class RefundForm(ActForm):
    """Reason and memo of a refund; the partial one has two boxes an item (REFUND-03)."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Reason to Refund"),
        widget=forms.Select(attrs=SELECT),
        error_messages={
            "required": gettext_lazy("Choose a reason"),
            "invalid_choice": gettext_lazy("Choose a reason"),
        },
    )
    memo = forms.CharField(
        label=gettext_lazy("Memo to Buyer"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 3, "maxlength": 1000}),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, order: Order, **kwargs: Any) -> None:
        super().__init__(data, order=order, **kwargs)
        choices = [("", _("Choose a reason")), *RefundReason.choices]
        self.fields["reason"].choices = choices  # type: ignore[attr-defined]

    def clean_memo(self) -> str:
        memo: str = self.cleaned_data["memo"].replace("\r\n", "\n")
        if len(memo) > 1000:
            raise forms.ValidationError(_("Must be 1,000 characters or fewer"))
        if not is_plain(memo, lines=True):
            raise forms.ValidationError(_("Remove control characters"))
        return memo if memo.strip() else ""


class PartialRefundForm(RefundForm):
    def __init__(
        self, data: Mapping[str, Any] | None, *, order: Order, items: Sequence[Item]
    ) -> None:
        super().__init__(data, order=order)
        self.lines = items
        for item in items:
            self.fields[f"item_{item.pk}"] = forms.BooleanField(required=False)
            for box in BOXES:
                self.fields[f"{box}_{item.pk}"] = forms.CharField(required=False, max_length=60)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        boxes: dict[int, tuple[Decimal, Decimal]] = {}
        for item in self.lines:
            if cleaned.get(f"item_{item.pk}"):  # boxes of unticked items are ignored
                item_cost, delivery = (self._amount(box, item, cleaned) for box in BOXES)
                boxes[item.pk] = (item_cost, delivery)
        if not boxes:
            first = f"item_{self.lines[0].pk}" if self.lines else None
            self.add_error(first, _("Tick at least one item"))
        cleaned["boxes"] = boxes
        return cleaned

    def _amount(self, box: str, item: Item, cleaned: Mapping[str, Any]) -> Decimal:
        name = f"{box}_{item.pk}"
        text = str(cleaned.get(name) or "").strip()
        if not text:
            return Decimal(0)
        try:
            return parse_amount(text, item.currency)
        except AmountError:
            example = "4.50" if item.currency != "JPY" else "450"
            self.add_error(name, _("Enter an amount, like %s") % example)
            return Decimal(0)


class DatesForm(ActForm):
    """The estimated dates as the buyer is to be told them; of a shipped order its arrival only."""

    ship = DayField(label=gettext_lazy("Shipping"))
    deliver_from = DayField(label=gettext_lazy("Delivery, from"))
    deliver_to = DayField(label=gettext_lazy("Delivery, to"))

    def __init__(self, data: Mapping[str, Any] | None, *, order: Order, today: date) -> None:
        present = {
            "ship": order.estimated_ship_date,
            "deliver_from": order.estimated_deliver_from_date,
            "deliver_to": order.estimated_deliver_to_date,
        }
        initial = {name: max(day, today) for name, day in present.items()}
        super().__init__(data, order=order, initial=initial)
        if order.status == OrderStatus.SHIPPED:
            del self.fields["ship"]
        for name in present.keys() & self.fields.keys():
            messages = self.fields[name].error_messages
            messages["required"] = messages["invalid"]


class NoteForm(forms.Form):
    """A note of one's own on an order, with the one-use key of every changing form."""

    LENGTH = gettext_lazy("A note has 1 to 1,000 characters.")

    token = forms.RegexField(TOKEN, widget=forms.HiddenInput)
    note = forms.CharField(error_messages={"required": LENGTH})

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="%s", initial={"token": uuid4().hex})

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"].replace("\r\n", "\n")
        if len(note) > 1000:
            raise forms.ValidationError(self.LENGTH)
        if not is_plain(note, lines=True):
            raise forms.ValidationError(_("Remove control characters"))
        return note
