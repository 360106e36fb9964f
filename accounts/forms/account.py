"""The blocks of Account Info: which fields each has, and posted text to clean values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from babel import Locale
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domain.account_info import FIELDS
from accounts.forms.fields import Address, Addresses, Line, Number, Phone
from accounts.forms.seen import SeenForm
from accounts.models import Merchant
from accounts.models.merchant import MOST_ADDRESSES, MOST_HANDLING_DAYS


class BlockForm(SeenForm):
    """What each block carries: the version of the account that was seen."""

    def __init__(self, data: Mapping[str, Any] | None, *, merchant: Merchant) -> None:
        super().__init__(data, row=merchant)


class BusinessForm(BlockForm):
    name = Line(
        label=FIELDS["name"],
        longest=100,
        size="input--wide",
        attrs={"autocomplete": "organization"},
        help_text=_("As on packing slips"),
        error_messages={"required": _("Enter the business name")},
    )
    display_name = Line(
        label=FIELDS["display_name"],
        longest=100,
        size="input--wide",
        help_text=_("As buyers see it"),
        error_messages={"required": _("Enter the display name")},
    )


@lru_cache(maxsize=1)
def countries() -> list[tuple[str, str]]:
    """Return the countries of the world by their names: ISO code and name."""
    names = Locale("en").territories
    found = [(code, name) for code, name in names.items() if len(code) == 2 and code.isalpha()]
    return sorted((pair for pair in found if pair[0] not in _NO_COUNTRIES), key=lambda p: p[1])


_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


class AddressForm(BlockForm):
    address_1 = Line(
        label=FIELDS["address_1"],
        longest=180,
        size="input--wide",
        attrs={"autocomplete": "address-line1"},
        error_messages={"required": _("Enter the first line of the address")},
    )
    address_2 = Line(
        label=FIELDS["address_2"],
        longest=180,
        size="input--wide",
        attrs={"autocomplete": "address-line2"},
        required=False,
    )
    city = Line(
        label=FIELDS["city"],
        longest=100,
        size="input--medium",
        attrs={"autocomplete": "address-level2"},
        error_messages={"required": _("Enter the town or city")},
    )
    region = Line(
        label=FIELDS["region"],
        longest=100,
        size="input--medium",
        attrs={"autocomplete": "address-level1"},
        required=False,
    )
    postal_code = Line(
        label=FIELDS["postal_code"],
        longest=20,
        size="input--short",
        attrs={"autocomplete": "postal-code"},
        error_messages={"required": _("Enter the postal code")},
    )
    country = forms.ChoiceField(
        label=FIELDS["country"],
        choices=countries,
        widget=forms.Select(attrs={"class": "select input--medium", "autocomplete": "country"}),
        error_messages={
            "required": _("Choose a country"),
            "invalid_choice": _("Choose a country"),
        },
    )


class ContactForm(BlockForm):
    contact_phone = Phone(
        label=FIELDS["contact_phone"],
        longest=30,
        size="input--medium",
        attrs={"autocomplete": "tel", "inputmode": "tel"},
        help_text=_("Printed on packing slips"),
        required=False,
    )
    customer_service_hours = Line(
        label=FIELDS["customer_service_hours"],
        longest=200,
        size="input--wide",
        help_text=_("As you would say it, like Mon to Fri, 9:00 to 17:00"),
        required=False,
    )


class NotificationForm(BlockForm):
    notify_sold_ship_now = forms.BooleanField(
        label=FIELDS["notify_sold_ship_now"],
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "check"}),
    )
    notification_emails = Addresses(
        label=FIELDS["notification_emails"],
        most=MOST_ADDRESSES,
        required=False,
        help_text=_("One address a line. Without one, the owners are told"),
    )
    customer_service_email = Address(
        label=FIELDS["customer_service_email"],
        required=False,
        help_text=_("Where questions of buyers arrive; printed on packing slips"),
    )
    claim_email = Address(
        label=FIELDS["claim_email"],
        required=False,
        help_text=_("Where claims, chargebacks and warnings arrive"),
    )


PAGE_SIZES = [(str(size), str(size)) for size in (25, 50, 100)]


class OrdersForm(BlockForm):
    zero_out_inventory = forms.BooleanField(
        label=FIELDS["zero_out_inventory"],
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "check"}),
    )
    handling_business_days = Number(
        label=FIELDS["handling_business_days"],
        low=0,
        high=MOST_HANDLING_DAYS,
        required=False,
    )
    list_page_size = forms.TypedChoiceField(
        label=FIELDS["list_page_size"],
        choices=PAGE_SIZES,
        coerce=int,
        widget=forms.Select(attrs={"class": "select input--xs"}),
        help_text=_("Orders on a page, until a person chooses another number"),
        error_messages={
            "required": _("Choose 25, 50 or 100"),
            "invalid_choice": _("Choose 25, 50 or 100"),
        },
    )

    def __init__(self, data: Mapping[str, Any] | None, *, merchant: Merchant) -> None:
        super().__init__(data, merchant=merchant)
        self.fields["handling_business_days"].help_text = (
            _(
                "Business days from purchase to shipping, for new orders. Empty: %d, as in the"
                " marketplace"
            )
            % merchant.marketplace.handling_business_days
        )


class SecurityForm(BlockForm):
    second_step_required = forms.BooleanField(
        label=FIELDS["second_step_required"],
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "check"}),
    )


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the page with an Edit of its own."""

    key: str
    title: Any
    form: type[BlockForm]


BLOCKS = {
    block.key: block
    for block in (
        Block("business", _("Business"), BusinessForm),
        Block("address", _("Business address"), AddressForm),
        Block("contact", _("Customer service"), ContactForm),
        Block("notifications", _("Order Notification"), NotificationForm),
        Block("orders", _("Orders"), OrdersForm),
        Block("security", _("Signing in"), SecurityForm),
    )
}
