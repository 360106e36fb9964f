"""The JSON API of orders: placing and reading, by the same verbs as everything else."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.domain import calendar
from accounts.permissions import Function
from audit.domain.submissions import Once, fingerprint_of
from orders.access import tell_of_others
from orders.api.serializers import NewOrder, OrderOut
from orders.cursors import read_cursor, write_cursor
from orders.domain import contacts, deliveries, lifecycle, listing, placing
from orders.domain.listing import Criteria, Sort
from orders.enums import OrderStatus
from orders.models import Order

PAGE = 50
not_kept = method_decorator(cache_control(no_store=True), name="dispatch")  # TH-10
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Up to 255 characters; the same key again gets the first answer.",
)


@not_kept
class Orders(APIView):
    """All orders of the key's merchant."""

    @extend_schema(
        operation_id="orders_place",
        summary="Place an order",
        request=NewOrder,
        responses={201: OrderOut},
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        posted = NewOrder(data=request.data)
        posted.is_valid(raise_exception=True)
        user: Any = request.user
        order = placing.place_order(
            merchant_id=user.merchant.pk,
            draft=posted.draft(at=calendar.now_for(user.merchant)),
            by=user.actor,
            once=_once(request, "POST /api/v1/orders/"),
        )
        return Response(_shown([order])[0], status=201)

    @extend_schema(
        operation_id="orders_list",
        summary="List orders, earliest purchase first",
        parameters=[
            OpenApiParameter("status", enum=[*OrderStatus.values, "all"]),
            OpenApiParameter("after", description="Cursor of the page before"),
        ],
        responses={200: OrderOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        user: Any = request.user
        _view_needs(user.actor)
        _each_once(request)
        status = request.query_params.get("status", "all")
        if status not in (*OrderStatus.values, "all"):
            raise ParseError("status must be one of " + ", ".join([*OrderStatus.values, "all"]))
        text = request.query_params.get("after")
        cursor = read_cursor(text, None)
        if text and cursor is None:
            raise ParseError("The cursor cannot be read.")
        statuses = () if status == "all" else (OrderStatus(status),)
        page = listing.page(Criteria(user.merchant.pk, statuses), Sort(), PAGE, cursor)
        for order in page.orders:
            order.merchant, order.marketplace = user.merchant, user.merchant.marketplace
        following = write_cursor(page.next) if page.next else None
        return Response({"orders": _shown(page.orders), "next": following})


@not_kept
class OneOrder(APIView):
    """One order of the key's merchant; another merchant's does not exist."""

    @extend_schema(operation_id="orders_read", summary="Read an order", responses={200: OrderOut})
    def get(self, request: Request, number: str) -> Response:
        user: Any = request.user
        _view_needs(user.actor)
        return Response(_shown([_own(user, number)])[0])


@not_kept
class Delivery(APIView):
    """What a carrier's update says: everything of an order has arrived (DETAIL-17)."""

    @extend_schema(
        operation_id="orders_mark_delivered",
        summary="Mark an order as delivered",
        request=None,
        responses={200: OrderOut},
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, number: str) -> Response:
        user: Any = request.user
        order = deliveries.mark_delivered(
            order_id=_own(user, number).pk,
            by=user.actor,
            once=_once(request, f"POST /api/v1/orders/{number}/delivery/"),
        )
        return Response(_shown([order])[0])


def _own(user: Any, number: str) -> Order:
    """Return the order of the key's merchant; another merchant's does not exist."""
    mine = Order.objects.for_merchant(user.merchant.pk).select_related("marketplace")
    order = mine.filter(number=number).first()
    if order is None:
        tell_of_others([number], user_id=None, merchant_id=user.merchant.pk)
        raise Http404
    return order


def _shown(orders: list[Order]) -> list[dict[str, Any]]:
    context = {"contacts": contacts.for_merchant(orders), "items": lifecycle.items_of(orders)}
    return list(OrderOut(orders, many=True, context=context).data)


def _view_needs(actor: Any) -> None:
    if not actor.may_view(Function.MANAGE_ORDERS):
        raise PermissionDenied("The key may not read orders.")


def _each_once(request: Request) -> None:
    if any(len(values) > 1 for _name, values in request.query_params.lists()):
        raise ParseError("Each parameter may be given once.")


def _once(request: Request, route: str) -> Once | None:
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return None
    if len(key) > 255 or not key.isprintable():
        raise ParseError("Idempotency-Key has at most 255 printable characters.")
    user: Any = request.user
    asked = {"route": route, "body": request.data}
    return Once(token=key, fingerprint=fingerprint_of(asked), scope=f"key {user.pk} {route}")
