"""The address line of Manage Orders: its parameters, read into criteria and written back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.domain import calendar
from accounts.models import Marketplace, Membership
from core import days
from orders.cursors import read_cursor
from orders.domain import numbers, searching
from orders.domain.listing import ATTENTION, Criteria, Cursor, Pressing, Sort
from orders.enums import OrderStatus, SubType

S = OrderStatus
RANGES: Mapping[str, tuple[int, Any]] = {
    "1d": (1, gettext_lazy("Last day")),
    "3d": (3, gettext_lazy("Last 3 days")),
    "7d": (7, gettext_lazy("Last 7 days")),
    "30d": (30, gettext_lazy("Last 30 days")),
    "90d": (90, gettext_lazy("Last 90 days")),
}
DEFAULT_RANGE, SEARCH_RANGE = "3d", "90d"
SEARCHES: Mapping[str, Any] = {
    "buyer_email": gettext_lazy("Buyer e-mail"),
    "listing_id": gettext_lazy("Listing ID"),
    "sku": gettext_lazy("Your Merchant SKU"),
    "order_id": gettext_lazy("Order ID"),
    "product_name": gettext_lazy("Product Name"),
}
# Views of what presses, whatever the range: by value of ``status``.
PRESSING: Mapping[str, tuple[str, ...]] = {
    "attention": ATTENTION,
    "at_risk": ("at_risk",),
    "late": ("late",),
    "today": ("today",),
}
# What the range can be about instead of the purchase.
BY: Mapping[str, Any] = {
    "confirmed": gettext_lazy("confirmed %s"),
    "cancelled": gettext_lazy("cancelled %s"),
    "refunded": gettext_lazy("refunded %s"),
}
OF_RANGE = frozenset({"from", "to"})
SORTS = ("date", "-date", "status", "-status")
DEFAULT_SORT = "date"
SIZES = (25, 50, 100)
LONGEST_KEYWORD = 200
EARLIEST = date(2000, 1, 1)
FURTHEST = timedelta(days=366)  # ahead of today
LONGEST_RANGE = timedelta(days=732)  # two years and a leap day


@dataclass(slots=True)
class ListQuery:
    """What the address asks for. Unknown values fall back to the default (LIST-10).

    status: "" for the default view, a status, "all" or a view of ``PRESSING``.
    range: a key of ``RANGES``, "custom" or "all". by: "", or what it is about, of ``BY``.
    country: of the marketplace; days are told in its form.
    errors: messages by field; nothing is searched while there are any.
    """

    status: str = ""
    range: str = DEFAULT_RANGE
    by: str = ""
    from_date: date | None = None
    to_date: date | None = None
    q: str = ""
    search: str = ""
    keyword: str = ""
    pending: bool = False
    sub_types: tuple[str, ...] = ()
    sort: str = DEFAULT_SORT
    size: int = 25
    cursor: Cursor | None = None
    advanced: bool = False
    country: str = "GB"
    errors: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def given(self, name: str, default: str = "") -> str:
        """Return a parameter as it stands in the address, or the default."""
        value: str = self.parameters.get(name, default)
        return value

    @property
    def is_default(self) -> bool:
        """Whether this is the view one starts with (LIST-04)."""
        return not (
            {
                "status",
                "range",
                "by",
                "from",
                "to",
                "search",
                "keyword",
                "q",
                "sub_type",
                "advanced",
            }
            & self.parameters.keys()
        )

    @property
    def searches(self) -> bool:
        return bool(self.search and self.keyword)

    @property
    def usual_range(self) -> str:
        """The range when none is asked for (LIST-03, SEARCH-04)."""
        return SEARCH_RANGE if self.searches or self.advanced else DEFAULT_RANGE

    @property
    def is_advanced(self) -> bool:
        """Whether Advanced Search is open; a search from the plain box leaves it closed."""
        return self.advanced or bool(self.errors) or (self.searches and not self.q)

    @property
    def of_every_status(self) -> bool:
        """Whether no status is asked for and none is left out but pending (SEARCH-08)."""
        return not self.status and bool(self.search or self.advanced or self.by)

    @property
    def every_status(self) -> tuple[OrderStatus, ...]:
        """What "All" stands for: a search finds pending orders with the tick only (SEARCH-08)."""
        hidden = bool(self.search or self.advanced) and not self.pending
        return tuple(s for s in S if s != S.PENDING) if hidden else ()

    def sorting(self) -> Sort:
        return Sort(self.sort.lstrip("-"), self.sort.startswith("-"))

    def statuses(self, marketplace: Marketplace) -> tuple[OrderStatus, ...]:
        """Return the statuses shown; empty stands for all."""
        if self.status in S.values:
            return (S(self.status),)
        if self.status == "all" or self.of_every_status:
            return self.every_status
        with_pending = self.pending or marketplace.pending_in_default_list
        ready = (S.UNSHIPPED, S.PARTIALLY_SHIPPED)
        return (S.PENDING, *ready) if with_pending else ready

    def criteria(self, member: Membership, *, at: datetime) -> Criteria:
        """Return what to look for; calendar days are those of the marketplace (IMPL-05)."""
        marketplace = member.merchant.marketplace
        from_at, to_at = self.span(marketplace, at=at)
        return Criteria(
            merchant_id=member.merchant_id,
            statuses=self.statuses(marketplace),
            pressing=self._pressing(marketplace, at),
            from_at=from_at,
            to_at=to_at,
            sub_types=self.sub_types,
            search=self.search if self.keyword else "",
            keyword=self.keyword,
            by=self.by,
        )

    def _pressing(self, marketplace: Marketplace, at: datetime) -> Pressing | None:
        if self.status not in PRESSING:
            return None
        day_ends = calendar.end_of_day(marketplace.local_date(at), marketplace)
        return Pressing(at, PRESSING[self.status], day_ends)

    def span(
        self, marketplace: Marketplace, *, at: datetime
    ) -> tuple[datetime | None, datetime | None]:
        """Return the bounds of the purchase instant, the second exclusive (LIST-06, LIST-07)."""
        if self.range in RANGES:
            return at - timedelta(days=RANGES[self.range][0]), None
        from_at = _start(self.from_date, marketplace) if self.from_date else None
        day_after = self.to_date + timedelta(days=1) if self.to_date else None
        return from_at, _start(day_after, marketplace) if day_after else None


def read(parameters: QueryDict, member: Membership, *, today: date) -> ListQuery:
    """Read the address line; see ``ListQuery`` for what its parts mean."""
    asked = ListQuery(size=member.page_size, country=member.merchant.marketplace.country)
    asked.parameters = {
        name: parameters.getlist(name) if name == "sub_type" else parameters[name]
        for name in _KNOWN
        if parameters.get(name)
    }
    get = asked.given
    if get("status") in (*S.values, "all", *PRESSING):
        asked.status = get("status")
    if get("sort") in SORTS:
        asked.sort = get("sort")
    if get("per_page") in map(str, SIZES):
        asked.size = int(get("per_page"))
    asked.sub_types = tuple(t for t in asked.parameters.get("sub_type", []) if t in SubType.values)
    asked.advanced = get("advanced") == "1"
    asked.pending = get("pending") == "1"
    _read_search(asked, member)
    if get("by") in BY and not asked.searches and asked.status not in PRESSING:
        asked.by = get("by")
    _read_range(asked, today)
    asked.cursor = read_cursor(get("after"), get("before"))
    return asked


_KNOWN = (
    "status", "range", "by", "from", "to", "q", "search", "keyword", "pending", "sub_type", "sort",
    "per_page", "after", "before", "advanced",
)  # fmt: skip


def _read_search(asked: ListQuery, member: Membership) -> None:
    get = asked.given
    text = get("keyword", "").strip()
    if get("search") in SEARCHES:
        asked.search = get("search")
    elif text:
        asked.search = "order_id"
    asked.q = get("q", "").strip()
    if asked.q and not text:
        text = asked.q
        asked.search = searching.kind_of(member.merchant_id, text[:LONGEST_KEYWORD])
        asked.pending = True
    if len(text) > LONGEST_KEYWORD:
        asked.errors["keyword"] = _("Only the first %d characters are searched") % LONGEST_KEYWORD
        text = text[:LONGEST_KEYWORD]
    asked.keyword = text
    if not text:
        return
    if asked.search == "order_id":
        number = numbers.normalised(text)
        if number is None:
            asked.errors["keyword"] = _("An Order ID has 17 digits, like 203-1234567-1234567")
        else:
            asked.keyword = number
    elif asked.search == "buyer_email" and not 0 < text.find("@") < len(text) - 1:
        asked.errors["keyword"] = _("This is not an e-mail address")


def _read_range(asked: ListQuery, today: date) -> None:
    get = asked.given
    asked.range = asked.usual_range
    if get("range") in (*RANGES, "all", "custom"):
        asked.range = get("range")
    if not (get("from") or get("to")):
        if asked.range == "custom":
            asked.advanced = True
            asked.range = asked.usual_range
        return
    asked.range = "custom"
    asked.from_date = _read_day(asked, "from", today)
    asked.to_date = _read_day(asked, "to", today)
    if asked.from_date and asked.to_date and asked.from_date > asked.to_date:
        asked.errors["from"] = _("From must be before To")
    end = asked.to_date or today
    if asked.from_date and end - asked.from_date > LONGEST_RANGE:
        asked.errors["from"] = _("Choose at most two years")
    if asked.errors.keys() & OF_RANGE:  # the list stays as it would be without (LIST-07)
        asked.from_date = asked.to_date = None
        asked.range = asked.usual_range


def _read_day(asked: ListQuery, name: str, today: date) -> date | None:
    text = asked.parameters.get(name)
    if not text:
        return None
    day = days.read_day(text)
    if day is not None and EARLIEST <= day <= today + FURTHEST:
        return day
    asked.errors[name] = _("Enter a date, like %s") % days.example(asked.country)
    return None


def _start(day: date, marketplace: Marketplace) -> datetime:
    return datetime.combine(day, time(0), marketplace.zone).astimezone(UTC)
