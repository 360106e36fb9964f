"""How values look everywhere: only these tags write money, instants, statuses and icons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.numbers import format_currency
from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext

from core import markup as limited
from core.days import day_words
from core.text import initials

register = template.Library()

MINUS = "\u2212"
_PILLS: Mapping[str, tuple[str, str, Any]] = {
    "pending": ("pending", "ring", gettext_lazy("Pending")),
    "unshipped": ("unshipped", "dot", gettext_lazy("Unshipped")),
    "partially_shipped": ("partial", "half", gettext_lazy("Partially shipped")),
    "shipped": ("shipped", "check", gettext_lazy("Shipped")),
    "cancelled": ("cancelled", "cross", gettext_lazy("Cancelled")),
}
_REFUND_PILLS: Mapping[str, tuple[str, str, Any]] = {
    "submitted": ("info", "clock", gettext_lazy("Submitted")),
    "completed": ("good", "check", gettext_lazy("Completed")),
    "failed": ("bad", "cross", gettext_lazy("Failed")),
}


@lru_cache(maxsize=4)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=4096)
def _amount(value: Decimal, currency: str) -> str:
    text = format_currency(abs(value), currency, locale="ja_JP" if currency == "JPY" else "en_GB")
    return (MINUS if value < 0 else "") + text.replace("\uffe5", "¥")


@register.simple_tag
def money(amount: Decimal, currency: str, taken_off: bool = False) -> str:
    """{% money order.total order.currency %}: £1,234.56, −£8.00, ¥1,500; True turns the sign."""
    return _amount(-amount if taken_off else amount, currency)


@register.filter
def currency_sign(currency: str) -> str:
    """{{ order.currency|currency_sign }}: £ or ¥."""
    return _amount(Decimal(0), currency).rstrip("0.")


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """{% icon "truck" %}: always beside a word, never alone."""
    extra = f" icon--{size}" if size else ""
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="{}#i-{}"/></svg>',
        extra,
        _sprite(),
        name,
    )


@lru_cache(maxsize=1)
def _sprite() -> str:
    return static("icons.svg")


@register.simple_tag
def pill(status: str, large: bool = False) -> SafeString:
    """{% pill order.status %}: the status as a word and a shape."""
    return _pill(*_PILLS[status], large=large)


@register.simple_tag
def refund_pill(state: str) -> SafeString:
    """{% refund_pill refund.state %}"""
    return _pill(*_REFUND_PILLS[state], large=False)


def _pill(kind: str, shape: str, label: object, *, large: bool) -> SafeString:
    size = " pill--lg" if large else ""
    return format_html('<span class="pill pill--{}{}">{}{}</span>', kind, size, icon(shape), label)


@register.simple_tag(takes_context=True)
def day(context: template.Context, value: date | datetime | None, form: str = "full") -> SafeString:
    """{% day value %} Tue 8 Dec 2026; form "text" 12 Dec 2026, "short" Wed 9 Dec, "brief" 9 Dec."""
    if value is None:
        return SafeString("–")
    place = context["marketplace"]
    moment = value
    if isinstance(value, datetime):
        value = value.astimezone(_zone(place.time_zone)).date()
    words = day_words(
        value,
        place.country,
        weekday=form in ("full", "short"),
        year=form in ("full", "text"),
    )
    machine = moment.isoformat()
    return format_html('<time datetime="{}">{}</time>', machine, words)


@register.simple_tag(takes_context=True)
def instant(context: template.Context, value: datetime | None, form: str = "text") -> SafeString:
    """{% instant value %} 8 Dec 2026, 16:20; "zone" adds GMT, "full" weekday and zone too."""
    if value is None:
        return SafeString("–")
    place = context["marketplace"]
    local = value.astimezone(_zone(place.time_zone))
    words = day_words(local.date(), place.country, weekday=form == "full", year=form != "brief")
    zone = f" {local.tzname()}" if form in ("zone", "full") else ""
    return format_html(
        '<time datetime="{}">{}, {}{}</time>',
        f"{value:%Y-%m-%dT%H:%MZ}",
        words,
        f"{local:%H:%M}",
        zone,
    )


@register.simple_tag(takes_context=True)
def clock_time(context: template.Context, value: datetime) -> str:
    """{% clock_time value %}: 16:20 GMT."""
    local = value.astimezone(_zone(context["marketplace"].time_zone))
    return f"{local:%H:%M} {local.tzname()}"


@register.simple_tag(takes_context=True)
def zone_now(context: template.Context) -> str:
    """{% zone_now %}: GMT in winter, BST in summer, by the merchant's clock."""
    merchant = context.get("merchant")  # none on an operator's pages
    now = timezone.now() + (merchant.clock_ahead if merchant else timedelta(0))
    return now.astimezone(_zone(context["marketplace"].time_zone)).tzname() or ""


@register.filter
def duration(span: timedelta) -> str:
    """{{ merchant.clock_ahead|duration }}: 3 days, 5 hours, 1 minute; in one unit."""
    seconds = span.total_seconds()
    if (days := round(seconds / 86400)) and seconds >= 86400:
        return ngettext("%d day", "%d days", days) % days
    if (hours := round(seconds / 3600)) and seconds >= 3600:
        return ngettext("%d hour", "%d hours", hours) % hours
    minutes = round(seconds / 60)
    return ngettext("%d minute", "%d minutes", minutes) % minutes


@register.simple_tag(takes_context=True)
def querystring_with(context: template.Context, **changes: Any) -> str:
    """{% querystring_with sort="-date" after=None %}: this page's parameters with changes."""
    current: dict[str, Any] = context.get("parameters") or {}
    merged = {**current, **changes}
    pairs = [(key, value) for key, value in merged.items() if value not in (None, "", [])]
    return "?" + urlencode(pairs, doseq=True) if pairs else context["request"].path


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    """{{ mapping|get:key }}"""
    return mapping.get(key)


@register.filter(name="initials")
def initials_of(name: str) -> str:
    """{{ person.name|initials }}: MF."""
    return initials(name)


@register.filter
def markup(text: str) -> SafeString:
    """{{ policy.text|markup }}: what somebody wrote with limited mark-up, harmless."""
    return limited.as_html(text)


@register.filter
def thousands(number: int) -> str:
    """{{ count|thousands }}: 28,644."""
    return f"{number:,}"


@register.simple_tag
def country(code: str) -> str:
    """{% country "GB" %}: United Kingdom, in the language of the page."""
    language = (get_language() or "en").split("-")[0]
    return str(_territories(language).get(code, code))


@lru_cache(maxsize=4)
def _territories(language: str) -> Mapping[str, str]:
    from babel import Locale

    return dict(Locale(language).territories)


@register.filter
def quantity_field(form: Any, key: int) -> Any:
    """{{ form|quantity_field:item.pk }}: the bound field of an item's quantity."""
    return form[f"quantity_{key}"]


_CANCEL_HINTS: Mapping[str, Any] = {
    "NoInventory": gettext_lazy("You do not have the product in stock."),
    "BuyerCancelled": gettext_lazy("The buyer asked you to."),
    "ShippingAddressUndeliverable": gettext_lazy(
        "The carrier cannot deliver to the address in the order."
    ),
    "CustomerExchange": gettext_lazy("The buyer takes another product instead."),
    "PricingError": gettext_lazy("The price was wrong when the buyer ordered."),
    "GeneralAdjustment": gettext_lazy("Any other reason."),
}


@register.simple_tag
def cancel_reason_hint(reason: str) -> str:
    """{% cancel_reason_hint reason.value %}: what a reason is for."""
    return str(_CANCEL_HINTS[reason])
