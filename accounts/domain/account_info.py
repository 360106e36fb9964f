"""Account Info: what a merchant says about itself, and how it wants things (SETTINGS-01 to -17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain import calendar
from accounts.models import Merchant
from audit.domain import history
from core.actor import Actor
from core.refusal import Refusal, Refused

EVENT = "account.changed"

# What can be changed, by name of the field, with the words on screen.
FIELDS: Mapping[str, Any] = {
    "name": gettext_lazy("Business name"),
    "display_name": gettext_lazy("Display name"),
    "address_1": gettext_lazy("Address line 1"),
    "address_2": gettext_lazy("Address line 2"),
    "city": gettext_lazy("Town or city"),
    "region": gettext_lazy("County or region"),
    "postal_code": gettext_lazy("Postal code"),
    "country": gettext_lazy("Country"),
    "contact_phone": gettext_lazy("Contact phone"),
    "customer_service_hours": gettext_lazy("Customer service hours"),
    "notify_sold_ship_now": gettext_lazy("Sold, Ship Now"),
    "notification_emails": gettext_lazy("Send to"),
    "customer_service_email": gettext_lazy("Customer Service Reply-to E-mail"),
    "claim_email": gettext_lazy("Claims and warnings"),
    "second_step_required": gettext_lazy("Second step for everybody"),
    "zero_out_inventory": gettext_lazy("Allow to zero out inventory when cancelling order"),
    "handling_business_days": gettext_lazy("Handling time"),
    "list_page_size": gettext_lazy("List page size"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One saved change of the account: who, when, and the new values by field."""

    by: str
    at: datetime
    values: Mapping[str, Any]


@transaction.atomic
def change(*, merchant_id: int, values: Mapping[str, Any], seen: int, by: Actor) -> Merchant:
    """Give fields of an account new values, with the old ones in the history (SETTINGS-17).

    values: by names of ``FIELDS``. seen: the version of the account that the page showed.
    Raises Refused: STALE_SETTINGS when somebody changed the account since (INV-08),
    PERMISSION_DENIED when somebody else than an owner changes how everybody signs in (SD-09).
    """
    if unknown := values.keys() - FIELDS.keys():
        raise ValueError(f"no fields of Account Info: {sorted(unknown)}")
    # Orders may be placed meanwhile: their keys refer to the row, which this lock leaves alone.
    rows = Merchant.objects.select_related("marketplace")
    merchant = rows.select_for_update(of=("self",), no_key=True).get(pk=merchant_id)
    if merchant.version != seen:
        raise Refused(
            Refusal(
                "STALE_SETTINGS",
                _("Someone else changed this account"),
                remedy=_("Nothing of yours was saved. Look at what changed, then save again."),
            )
        )
    before = {name: getattr(merchant, name) for name in values}
    after = {name: value for name, value in values.items() if value != before[name]}
    if not after:
        return merchant
    if "second_step_required" in after and not by.owner:
        raise Refused(
            Refusal(
                "PERMISSION_DENIED",
                _("Only an owner decides how everybody signs in"),
                remedy=_("Ask an owner of this account."),
            )
        )
    for name, value in after.items():
        setattr(merchant, name, value)
    merchant.version += 1
    merchant.save(update_fields=[*after, "version"])
    line = history.Line(
        merchant.pk,
        EVENT,
        calendar.now_for(merchant),
        by,
        before={name: before[name] for name in after},
        after={**after, "version": merchant.version},
    )
    history.append([line])
    return merchant


def changes_since(merchant: Merchant, version: int) -> list[Change]:
    """Return what was saved after a version of the account, oldest first."""
    entries = history.entries(merchant.pk, EVENT).filter(after__version__gt=version)
    return [
        Change(
            entry.actor,
            entry.happened_at,
            {name: value for name, value in entry.after.items() if name in FIELDS},
        )
        for entry in entries.order_by("number")[:50]
    ]
