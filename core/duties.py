"""The daily and periodic tasks of a merchant, each with the page where it is done (HOME-05)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from core.navigation import address_of


@dataclass(frozen=True, slots=True)
class Duty:
    """One task: words, URL name and query of its page, the function that shows the page.

    acts: functions of which one must be held to carry it out; empty when looking is the task.
    """

    label: Any
    url: str
    function: str
    query: str = ""
    acts: tuple[str, ...] = ()
    daily: bool = False


DUTIES = (
    Duty(_("Check orders"), "orders:list", "manage_orders", daily=True),
    Duty(
        _("Confirm shipments"),
        "orders:list",
        "manage_orders",
        "?status=unshipped&range=all",
        ("confirm_shipments",),
        daily=True,
    ),
    Duty(_("Read feedback"), "reports:feedback", "feedback"),
    Duty(_("Check payments"), "reports:payments", "payments"),
    Duty(
        _("Cancel or refund orders"),
        "orders:list",
        "manage_orders",
        "?status=all",
        ("cancel_orders", "refund_orders"),
    ),
    Duty(_("Check your checkout buttons"), "integration:button", "integration"),
    Duty(_("Look at site metrics"), "reports:metrics", "site_metrics"),
    Duty(_("Renew your log-in information"), "settings:login", "login_settings"),
    Duty(_("Review shipping settings"), "settings:shipping", "shipping_settings"),
    Duty(_("Review promotions"), "settings:promotions", "promotions"),
    Duty(_("Review account info"), "settings:account", "account_info"),
    Duty(_("Review taxes"), "settings:taxes", "taxes"),
    Duty(_("Review user permissions"), "settings:permissions", "user_permissions"),
    Duty(_("Review your info and policies"), "settings:policies", "policies"),
    Duty(_("Review order pipeline settings"), "settings:pipeline", "pipeline"),
)


def duties_of(actor: Actor) -> list[dict[str, Any]]:
    """Return the tasks whose page exists and that this actor may see and carry out."""
    return [
        {"label": duty.label, "href": href + duty.query, "daily": duty.daily}
        for duty in DUTIES
        if actor.may_view(duty.function)
        and (not duty.acts or any(actor.may_edit(act) for act in duty.acts))
        and (href := address_of(duty.url))
    ]
