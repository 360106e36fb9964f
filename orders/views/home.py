"""Home: the day in figures, what needs attention, the last two weeks, what is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.domain import calendar
from accounts.permissions import Function
from core import charts
from core.days import day_words
from core.duties import duties_of
from core.http import MerchantRequest
from orders.domain import glance, listing
from orders.domain.glance import Day, Glance
from orders.views import attention
from orders.views.attention import in_figures

_LAST_DAY = gettext_lazy("Last 24 hours")
# Each figure: what it counts, its words, and the list of the orders it counts.
_FIGURES = (
    ("today", gettext_lazy("Ship today"), "?status=today"),
    ("unshipped", gettext_lazy("New unshipped"), "?status=unshipped&range=1d"),
    ("pending", gettext_lazy("Pending"), "?status=pending&range=1d"),
    ("confirmed", gettext_lazy("Confirmed"), "?by=confirmed&range=1d"),
    ("cancelled", gettext_lazy("Cancelled"), "?by=cancelled&range=1d"),
    ("refunded", gettext_lazy("Refunded"), "?by=refunded&range=1d"),
)


@require_safe
@needs(None)
def home(request: MerchantRequest) -> HttpResponse:
    """Show every panel that this person may see, and no other (HOME-01 to HOME-07)."""
    merchant = request.member.merchant
    at = calendar.now_for(merchant)
    context: dict[str, Any] = {"at": at, "duties": duties_of(request.actor)}
    figures = None
    if request.actor.may_view(Function.MANAGE_ORDERS):
        figures = glance.glance_at(merchant, at=at)
        days = glance.orders_by_day(merchant, at=at)
        context |= {
            "figures": _figures(figures, at, merchant.marketplace),
            "chart": _chart(days, merchant.marketplace.country),
            "first_use": not figures.has_confirmed,
        }
    context["todo"] = attention.lines(request, figures, at=at)
    context["sees_nothing"] = figures is None and not context["duties"]
    return render(request, "home.html", context)


def _figures(figures: Glance, at: datetime, marketplace: Any) -> list[dict[str, Any]]:
    today = day_words(marketplace.local_date(at), marketplace.country, weekday=False, year=False)
    there = reverse("orders:list")
    return [
        {
            "label": label,
            "value": in_figures(figures.numbers[what]),
            "href": there + query,
            "note": _("Not confirmed, due %s") % today if what == "today" else _LAST_DAY,
            "warns": what == "today" and figures.numbers[what],
        }
        for what, label, query in _FIGURES
    ]


def _chart(days: Sequence[Day], country: str) -> dict[str, Any]:
    """Draw the days as bars, say them in one sentence, and list them."""

    def name(day: Day) -> str:
        return day_words(day.date, country, weekday=False, year=False)

    total = sum(min(day.orders, listing.MOST_COUNTED) for day in days)
    all_of_them = f"{total:,}" + "+" * any(day.orders > listing.MOST_COUNTED for day in days)
    most = max(days, key=lambda day: day.orders)
    told = {
        "first": name(days[0]),
        "last": name(days[-1]),
        "total": all_of_them,
        "most": in_figures(most.orders),
        "day": name(most),
        "today": in_figures(days[-1].orders),
    }
    sentence = _("Orders by day from %(first)s to %(last)s: none.")
    if total:
        sentence = _(
            "Orders by day from %(first)s to %(last)s: %(total)s in all, the most on %(day)s"
            " with %(most)s, and %(today)s so far today."
        )
    return {
        "shape": charts.bars([(name(day), day.orders) for day in days]),
        "sentence": sentence % told,
        "total": total,
        "all": all_of_them,
        "rows": [(day.date, in_figures(day.orders)) for day in days],
    }
