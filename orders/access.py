"""The only way a request reaches an order, and what it may do there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, cast

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from accounts.access import needs
from accounts.permissions import Function, Level
from core import security
from core.http import MerchantRequest
from core.security import Event
from orders.models import Order

View = Callable[..., HttpResponseBase]


def get_order(request: MerchantRequest, number: str) -> Order:
    """Return the member's merchant's order of that number, else 404 (F18)."""
    mine = Order.objects.for_merchant(request.member.merchant_id).with_facts()
    rows = mine.select_related("merchant", "marketplace", "cancellation")
    order = rows.filter(number=number).first()
    if order is None:
        tell_of_others([number], user_id=request.user.pk, merchant_id=request.member.merchant_id)
        raise Http404
    return order


def tell_of_others(numbers: Sequence[str], *, user_id: int | None, merchant_id: int) -> None:
    """Note which orders that were not found are another merchant's; the answer does not say so."""
    others = Order.objects.filter(number__in=numbers).exclude(merchant=merchant_id)
    for pk in others.order_by("pk").values_list("pk", flat=True):
        security.note(Event.SCOPE_REFUSED, "order", user=user_id, merchant=merchant_id, order=pk)


def order_needs(function: Function, level: Level = Level.VIEW) -> Callable[[View], View]:
    """Hand the view its order: strangers get 404, members without the level 403."""

    def decorate(view: View) -> View:
        guarded = needs(function, level)(view)

        @wraps(guarded)
        def ours_first(
            request: HttpRequest, number: str, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            # 404 for a stranger comes before 403: what is not ours does not exist. Without a
            # member the guard answers itself and the view is never reached.
            ours = cast(MerchantRequest, request)
            order = get_order(ours, number) if getattr(ours, "member", None) else None
            return guarded(request, order, *args, **kwargs)

        return ours_first

    return decorate
