"""The only way a request reaches an order, and what it may do there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from accounts.access import needs
from accounts.permissions import Function, Level
from core.http import MerchantRequest
from orders.models import Order

View = Callable[..., HttpResponse]


def get_order(request: MerchantRequest, number: str) -> Order:
    """Return the member's merchant's order of that number, else 404 (F18)."""
    mine = Order.objects.for_merchant(request.member.merchant_id).with_facts()
    rows = mine.select_related("merchant", "marketplace", "cancellation")
    return get_object_or_404(rows, number=number)


def order_needs(function: Function, level: Level = Level.VIEW) -> Callable[[View], View]:
    """Hand the view its order: strangers get 404, members without the level 403."""

    def decorate(view: View) -> View:
        guarded = needs(function, level)(view)

        @wraps(guarded)
        def ours_first(
            request: HttpRequest, number: str, *args: Any, **kwargs: Any
        ) -> HttpResponse:
            # 404 for a stranger comes before 403: what is not ours does not exist. Without a
            # member the guard answers itself and the view is never reached.
            ours = cast(MerchantRequest, request)
            order = get_order(ours, number) if getattr(ours, "member", None) else None
            return guarded(request, order, *args, **kwargs)

        return ours_first

    return decorate
