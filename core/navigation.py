"""The tabs and their entries (NAV-01), and what every page's frame needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from core.text import initials


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu: URL name, words on screen, function of the permission matrix."""

    url: str
    label: Any
    function: str


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab and its entries; key follows ``g`` on the keyboard."""

    key: str
    label: Any
    entries: tuple[Entry, ...]


TABS = (
    Tab(
        "o",
        _("Orders"),
        (
            Entry("orders:list", _("Manage Orders"), "manage_orders"),
            Entry("reports:orders", _("Order Reports"), "order_reports"),
            Entry("uploads:first", _("Upload Order Related Files"), "uploads"),
        ),
    ),
    Tab(
        "i",
        _("Integration"),
        (
            Entry("integration:button", _("Checkout Button"), "integration"),
            Entry("integration:methods", _("Integration Methods"), "integration"),
            Entry("integration:errors", _("Error Console"), "integration"),
            Entry("integration:key", _("Access Key"), "access_key"),
            Entry("integration:upsell", _("Upsell Settings"), "integration"),
            Entry("integration:toolkit", _("Marketing Toolkit"), "integration"),
        ),
    ),
    Tab(
        "r",
        _("Reports"),
        (
            Entry("reports:performance", _("Seller Performance"), "seller_performance"),
            Entry("reports:metrics", _("Site Metrics & Reports"), "site_metrics"),
            Entry("reports:payments", _("Payments"), "payments"),
            Entry("reports:feedback", _("Feedback"), "feedback"),
        ),
    ),
    Tab(
        "s",
        _("Settings"),
        (
            Entry("settings:account", _("Account Info"), "account_info"),
            Entry("settings:login", _("Login Settings"), "login_settings"),
            Entry("settings:shipping", _("Shipping Settings"), "shipping_settings"),
            Entry("settings:promotions", _("Manage Promotions"), "promotions"),
            Entry("settings:taxes", _("Manage Taxes"), "taxes"),
            Entry("settings:permissions", _("User Permissions"), "user_permissions"),
            Entry("settings:policies", _("Your Info & Policies"), "policies"),
            Entry("settings:pipeline", _("Order Pipeline Settings"), "pipeline"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where pages of no merchant are: how they write times."""

    name: Any
    country: str
    time_zone: str


PLATFORM = Place(_("Platform"), "GB", "UTC")  # operators'


def menu(actor: Actor, path: str) -> list[dict[str, Any]]:
    """Return the tabs an actor sees: entries that lead somewhere and that they may view."""
    tabs = []
    for tab in TABS:
        entries: list[dict[str, Any]] = [
            {"label": entry.label, "href": href}
            for entry in tab.entries
            if actor.may_view(entry.function) and (href := address_of(entry.url))
        ]
        # Of pages below each other, as reports of orders are below orders, the nearest is current.
        above = [entry["href"] for entry in entries if path.startswith(entry["href"])]
        for entry in entries:
            entry["current"] = entry["href"] == max(above, key=len, default="")
        if entries:
            current = bool(above)
            first = entries[0]["href"]
            shown = {"key": tab.key, "label": tab.label, "href": first, "current": current}
            tabs.append({**shown, "entries": entries})
    return tabs


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the name of the site, and the member's frame once signed in."""
    context: dict[str, Any] = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
    member = getattr(request, "member", None)
    user = getattr(request, "user", None)
    if member is None and getattr(user, "is_operator", False):
        return context | {
            "marketplace": PLATFORM,
            "initials": initials(str(user)),
            "idle_seconds": request.idle_seconds,  # type: ignore[attr-defined]
            "stay": "settings:login",
            "own_settings": True,
        }
    if member is not None:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        tabs = menu(actor, request.path)
        moves_clock = member.merchant.is_sandbox and actor.may_edit("account_info")
        context |= {
            "member": member,
            "merchant": member.merchant,
            "marketplace": member.merchant.marketplace,
            "other_merchants": request.other_merchants,  # type: ignore[attr-defined]
            "initials": initials(str(member.merchant)),
            "mail_viewer": settings.MAIL_VIEWER and request.actor.may_view("manage_orders"),  # type: ignore[attr-defined]
            "shortcuts_on": request.COOKIES.get("shortcuts") != "off",
            "idle_seconds": request.idle_seconds,  # type: ignore[attr-defined]
            "stay": "shortcuts",
            "clock_href": address_of("sandbox_clock") if moves_clock else "",
            "own_settings": actor.may_edit("login_settings"),
            "tabs": tabs,
            "subnav": next((tab["entries"] for tab in tabs if tab["current"]), []),
        }
    return context


def address_of(name: str) -> str:
    """Return where an entry leads, or nothing while its page does not exist."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
