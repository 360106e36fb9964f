"""Manage Orders: the list, its filters and searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from accounts.domain import calendar
from accounts.models import Membership
from accounts.permissions import Function
from core import throttle
from core.days import day_words
from core.http import MerchantRequest, is_inside
from core.views import errors
from orders.cursors import write_cursor
from orders.domain import listing
from orders.enums import OrderStatus, SubType
from orders.models import Order
from orders.views import acts, list_query
from orders.views.list_query import ListQuery

S = OrderStatus


@require_safe
@needs(Function.MANAGE_ORDERS)
def manage_orders(request: MerchantRequest) -> HttpResponse:
    member = request.member
    at = calendar.now_for(member.merchant)
    marketplace = member.merchant.marketplace
    asked = list_query.read(request.GET, member, today=marketplace.local_date(at))
    context: dict[str, Any] = {
        "asked": asked,
        "at": at,
        "parameters": _shown_parameters(asked),
        "searches": list_query.SEARCHES,
        "sub_types": SubType.choices,
        "sizes": list_query.SIZES,
    }
    if asked.errors.keys() - list_query.OF_RANGE:  # nothing that could be looked for
        context |= {"ranges": _ranges(asked), "views": []}
        return render(request, "orders/manage_orders.html", context, status=422)

    if asked.searches and (wait := _wait(request, at)):
        text = _("At most %d searches a minute are made for one person. Try again in a moment.")
        return errors.too_often(request, text % settings.SEARCHES_A_MINUTE, wait)
    criteria = asked.criteria(member, at=at)
    older: list[int] = []
    if asked.is_default and asked.cursor is None and criteria.from_at is not None:
        older = listing.pinned(member.merchant_id, criteria.from_at, at=at)
    page = listing.page(criteria, asked.sorting(), asked.size, asked.cursor, older)
    numbers = listing.counts(criteria, at=at)
    if asked.search == "order_id" and asked.searches and not page.orders:
        span = _span_words(asked, marketplace.country)
        context |= {"ranges": _ranges(asked), "views": _views(asked, numbers), "span": span}
        return render(request, "orders/order_not_found.html", context, status=404)

    items = listing.items_shown([*page.also, *page.orders])
    for order in [*page.also, *page.orders]:
        order.merchant, order.marketplace = member.merchant, marketplace
    shown = asked.statuses(marketplace)
    last = page.first + len(page.orders) - 1
    pressing = asked.status if criteria.pressing else ""
    total = numbers[pressing] if pressing else listing.total(numbers, shown)
    context |= {
        "ranges": _ranges(asked),
        "views": _views(asked, numbers),
        "is_pressing": bool(pressing),
        "rows": [_row(order, items, request, at) for order in page.orders],
        "pinned": [_row(order, items, request, at) for order in page.also],
        "outside": numbers["outside"],
        "is_outside_older": criteria.to_at is None,
        "pinned_are_all": len(page.also) < listing.MOST_PINNED,
        "at_risk": numbers["at_risk"],
        "title": _title(asked, shown, numbers, total, marketplace.country),
        "nothing": _nothing(asked, shown, marketplace.country),
        "total": _count(max(total, last), 0 if pressing else numbers["more"]),
        "page": page,
        "last": last,
        "next": write_cursor(page.next) if page.next else "",
        "previous": write_cursor(page.previous) if page.previous else "",
        "chips": _chips(asked, marketplace.country),
        "sort_date": _sort_heading(asked, "date"),
        "sort_status": _sort_heading(asked, "status"),
        "nothing_yet": asked.is_default and not page.orders and not page.also and _is_new(member),
    }
    status = 422 if asked.errors else 200  # a range that makes no sense: the list is unchanged
    return render(request, "orders/manage_orders.html", context, status=status)


def _wait(request: MerchantRequest, at: datetime) -> int:
    """Count a search; return the seconds that it must wait (SD-10)."""
    who = str(request.user.pk)
    return throttle.use("search", who, limit=settings.SEARCHES_A_MINUTE, seconds=60, at=at)


@require_POST
@needs(Function.MANAGE_ORDERS)
def preferences(request: MerchantRequest) -> HttpResponse:
    """Keep how many orders a page shows, and go back to where one was."""
    size = request.POST.get("per_page", "")
    if size in map(str, list_query.SIZES):
        Membership.objects.filter(pk=request.member.pk).update(list_page_size=int(size))
    back = request.POST.get("next", "")
    return redirect(back if is_inside(back) else reverse("orders:list"))


def _row(
    order: Order, items: Mapping[int, list[Any]], request: MerchantRequest, at: Any
) -> acts.Row:
    shown = items[order.pk]
    return acts.Row(
        order=order,
        items=shown,
        more_items=order.item_count - len(shown),
        buttons=acts.buttons(order, acts.ROW_ACTS[S(order.status)], request.actor, at=at),
        due=acts.due(order, at=at),
    )


def _is_new(member: Membership) -> bool:
    return not Order.objects.for_merchant(member.merchant_id).exists()


def _shown_parameters(asked: ListQuery) -> dict[str, Any]:
    """The parameters links carry on: all but the place in the list."""
    left_out = {"after", "before"} | (list_query.OF_RANGE if asked.errors else set())
    return {name: value for name, value in asked.parameters.items() if name not in left_out}


def _views(asked: ListQuery, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the quick views with their counts (LIST-16)."""
    ready = (S.UNSHIPPED, S.PARTIALLY_SHIPPED)
    views: list[tuple[str, str, int]] = []
    more = numbers["more"]
    if not asked.of_every_status:
        views.append(("", _("Ready to ship"), listing.total(numbers, ready)))
    views += [
        (status.value, str(status.label), numbers[status.value])
        for status in (*ready, S.PENDING, S.SHIPPED, S.CANCELLED)
    ]
    views.append(("all", _("All"), listing.total(numbers, asked.every_status)))
    current = asked.status or ("all" if asked.of_every_status else "")
    shown = [
        {
            "value": value,
            "label": label,
            "count": count,
            "shown": _count(count, more),
            "current": value == current,
        }
        for value, label, count in views
    ]
    for value, label in _PRESSING.items():
        if value == current or value == "attention" or (value == "at_risk" and numbers[value]):
            shown.append(
                {
                    "value": value,
                    "label": label,
                    "count": numbers[value],
                    "shown": _count(numbers[value]),
                    "current": value == current,
                    "alert": True,
                }
            )
    return shown


_PRESSING: Mapping[str, Any] = {
    "attention": gettext_lazy("Needs attention"),
    "at_risk": gettext_lazy("At risk"),
    "late": gettext_lazy("Late"),
    "today": gettext_lazy("Ship today"),
}


def _ranges(asked: ListQuery) -> list[dict[str, Any]]:
    usual = asked.usual_range
    return [
        {
            "to": None if value == usual else value,  # what is usual is not in the address
            "label": label,
            "current": asked.range == value,
        }
        for value, (_days, label) in list_query.RANGES.items()
    ]


def _sort_heading(asked: ListQuery, by: str) -> dict[str, str | None]:
    """Say how a column is sorted and what its heading leads to (LIST-08)."""
    if asked.sort == by:
        return {"aria": "ascending", "to": f"-{by}"}
    aria = "descending" if asked.sort == f"-{by}" else ""
    return {"aria": aria, "to": None if by == list_query.DEFAULT_SORT else by}


def _chips(asked: ListQuery, country: str) -> list[dict[str, Any]]:
    """Return the extra filters in force, each with the parameters that it drops."""
    chips: list[dict[str, Any]] = []
    if asked.searches:
        label = f"{list_query.SEARCHES[asked.search]}: {asked.keyword}"
        chips.append({"label": label, "drops": ["search", "keyword", "q"]})
    if asked.pending and not asked.q:
        chips.append({"label": _("Include Pending Orders"), "drops": ["pending"]})
    if asked.sub_types:
        labels = ", ".join(str(SubType(t).label) for t in asked.sub_types)
        chips.append({"label": f"{_('Order Sub Type')}: {labels}", "drops": ["sub_type"]})
    if asked.by:
        label = str(list_query.BY[asked.by] % _span_words(asked, country))
        chips.append(
            {"label": label[:1].upper() + label[1:], "drops": ["by", "range", "from", "to"]}
        )
    elif asked.range in ("custom", "all"):
        label = f"{_('Order date')}: {_span_words(asked, country)}"
        chips.append({"label": label, "drops": ["range", "from", "to"]})
    for chip in chips:
        kept = {k: v for k, v in _shown_parameters(asked).items() if k not in chip["drops"]}
        chip["href"] = _href(kept)
    return chips


def _href(parameters: Mapping[str, Any]) -> str:
    from django.utils.http import urlencode

    query = urlencode(parameters, doseq=True)
    return reverse("orders:list") + (f"?{query}" if query else "")


def _title(
    asked: ListQuery,
    shown: Sequence[OrderStatus],
    numbers: Mapping[str, int],
    total: int,
    country: str,
) -> dict[str, str]:
    """Tell in words what the list shows: how many of what, and when placed."""
    if asked.status in list_query.PRESSING:
        one, several, _none = _WHAT_PRESSES[asked.status]
        return {"what": f"{_count(total)} {one if total == 1 else several}", "when": ""}
    more = numbers["more"]
    words = [
        f"{_count(numbers[status.value], more)} {str(status.label).lower()}"
        for status in (S.UNSHIPPED, S.PARTIALLY_SHIPPED, S.PENDING, S.SHIPPED, S.CANCELLED)
        if status in shown and (numbers[status.value] or len(shown) == 1)
    ]
    if not words or not shown or len(shown) > 3:
        words = [_count(total, more)]
    what = _(" and ").join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    when = str(list_query.BY.get(asked.by, _("placed %s"))) % _span_words(asked, country)
    if asked.range == "all" and not asked.by:
        when = _("of all dates")
    return {"what": what + " " + ngettext("order", "orders", total), "when": when}


def _nothing(asked: ListQuery, shown: Sequence[OrderStatus], country: str) -> str:
    """Say what there is none of: No pending orders in the last 3 days."""
    if asked.status in list_query.PRESSING:
        return str(_WHAT_PRESSES[asked.status][2])
    when = _span_words(asked, country)
    if asked.by:
        when = str(list_query.BY[asked.by]) % when
    if asked.searches:
        return _("No order %s matches.") % when
    if len(shown) == 1:
        kind = str(shown[0].label).lower()
        return _("No %(kind)s orders %(when)s.") % {"kind": kind, "when": when}
    return _("No orders %s.") % when


# One such order, several, and none.
_WHAT_PRESSES: Mapping[str, tuple[Any, Any, Any]] = {
    "attention": (
        gettext_lazy("order that needs attention"),
        gettext_lazy("orders that need attention"),
        gettext_lazy("No order needs attention."),
    ),
    "at_risk": (
        gettext_lazy("order at risk of cancellation"),
        gettext_lazy("orders at risk of cancellation"),
        gettext_lazy("No order is at risk of cancellation."),
    ),
    "late": (
        gettext_lazy("order whose shipment is late"),
        gettext_lazy("orders whose shipment is late"),
        gettext_lazy("No shipment is late."),
    ),
    "today": (
        gettext_lazy("order to ship today"),
        gettext_lazy("orders to ship today"),
        gettext_lazy("No order is due today."),
    ),
}


def _count(number: int, more: int = 0) -> str:
    """Write how many there are; with a plus where counting stopped. more: 1 if it stopped here."""
    most = listing.MOST_COUNTED
    return f"{most:,}+" if number > most else f"{number:,}" + "+" * more


def _span_words(asked: ListQuery, country: str) -> str:
    """Return the range in words: in the last 3 days, from 1 Dec to 8 Dec 2026."""
    if asked.range in list_query.RANGES:
        days = list_query.RANGES[asked.range][0]
        return ngettext("in the last day", "in the last %(days)d days", days) % {"days": days}
    start, end = asked.from_date, asked.to_date
    if start and end:
        brief = start.year == end.year
        first = day_words(start, country, weekday=False, year=not brief)
        last = day_words(end, country, weekday=False)
        return _("from %(first)s to %(last)s") % {"first": first, "last": last}
    if start:
        return _("since %s") % day_words(start, country, weekday=False)
    if end:
        return _("up to %s") % day_words(end, country, weekday=False)
    return _("on all dates")
