"""Instants and amounts inside the sentences that refusals and history say."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from babel.numbers import format_currency

from accounts.models import Marketplace


def day(when: date, marketplace: Marketplace) -> str:
    """Return a day as people of the marketplace write it: 12 Dec 2026, 2026/12/12."""
    return f"{when:%Y/%m/%d}" if marketplace.country == "JP" else f"{when.day} {when:%b %Y}"


def day_and_time(instant: datetime, marketplace: Marketplace) -> str:
    """Return an instant as people of the marketplace write it, with the zone's abbreviation."""
    local = instant.astimezone(marketplace.zone)
    if marketplace.country == "JP":
        return f"{local:%Y/%m/%d}, {local:%H:%M} {local.tzname()}"
    return f"{local.day} {local:%b %Y}, {local:%H:%M} {local.tzname()}"


def amount(value: Decimal, currency: str) -> str:
    """Return an amount with its sign and separators: £1,234.56, ¥1,500 (MONEY-13)."""
    text = format_currency(abs(value), currency, locale="ja_JP" if currency == "JPY" else "en_GB")
    text = text.replace("￥", "¥")
    return f"\u2212{text}" if value < 0 else text
