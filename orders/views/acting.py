"""What the pages that act on one order have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.domain import calendar
from accounts.permissions import Function
from audit.domain import submissions
from audit.domain.submissions import Once, Result, fingerprint_of
from audit.models import Entry
from core import security
from core.http import MerchantRequest, is_inside
from core.refusal import Refusal
from core.security import Event
from orders.access import get_order
from orders.domain import contacts
from orders.enums import LEAVES_AS_IT_IS, OrderEvent
from orders.forms import ActForm
from orders.models import Item, Order
from orders.views import acts

_OF_AN_ITEM = re.compile(r"(?:quantity|item|item_cost|delivery)_([0-9]+)")
_NOT_ASKED = frozenset({"csrfmiddlewaretoken", "token", "next"})


def origin(request: HttpRequest, order: Order) -> str:
    """Return where the person came from, to lead back to the same place in the list (IMPL-36)."""
    posted = request.POST.get("next", "")
    if is_inside(posted):
        return posted
    return list_left(request) or order.get_absolute_url()


def list_left(request: HttpRequest) -> str:
    """Return the list that the person came from, as it was shown there; else nothing."""
    try:
        came_from = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # no address at all
        return ""
    if came_from.netloc != request.get_host() or came_from.path != "/orders/":
        return ""
    return f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path


def insist_on_own(items: Sequence[Item], request: MerchantRequest) -> None:
    """Raise Http404 if a posted field names an item that is not one of the order's (BI-SHIP)."""
    own = {str(item.pk) for item in items}
    named = filter(None, map(_OF_AN_ITEM.fullmatch, request.POST))
    if any(name[1] not in own for name in named):
        who, merchant_id = request.user.pk, request.member.merchant_id
        security.note(Event.SCOPE_REFUSED, "item", user=who, merchant=merchant_id)
        raise Http404


def once_of(request: HttpRequest, action: str, order: Order) -> Once:
    """Return the one-use key of a posted form, bound to what it asks."""
    asked = {k: request.POST.getlist(k) for k in request.POST if k not in _NOT_ASKED}
    return Once(
        token=request.POST.get("token", "")[:64],
        fingerprint=fingerprint_of({"action": action, "order": order.pk, **asked}),
    )


def earlier_answer(request: MerchantRequest, action: str, order: Order) -> Result | None:
    """Return what the same form led to when it was sent before. Raises Refused: TOKEN_REUSED."""
    once = once_of(request, action, order)
    if not once.token.isprintable():  # none of ours; the form will say so
        return None
    return submissions.earlier_answer(
        once, merchant_id=order.merchant_id, action=action, by=request.actor
    )


def page(
    request: MerchantRequest,
    template: str,
    order: Order,
    form: ActForm | None = None,
    refusal: Refusal | None = None,
    **more: Any,
) -> HttpResponse:
    """Answer with the page of an act: 200, 422 with errors, or the status of a refusal."""
    at = calendar.now_for(order.merchant)
    context = {
        "order": order,
        "form": form,
        "refusal": refusal,
        "changed_by": _last_change(order, refusal),
        "due": acts.due(order, at=at),
        "may_answer": request.actor.may_edit(Function.CANCEL_ORDERS),
        "contact": contacts.of_order(order),
        "next": origin(request, order),
        "at": at,
        **more,
    }
    status = 200
    if refusal is not None:
        status = refusal.status
    elif form is not None and form.errors:
        form.describe_errors()
        status = 422
    return render(request, template, context, status=status)


def refused(
    request: MerchantRequest, order: Order, form: ActForm | None, refusal: Refusal
) -> tuple[Order, Refusal | None]:
    """Take in a refusal: a field's becomes the form's error, others stand above the fresh order."""
    if form is not None and refusal.field:
        form.refuse(refusal)
        return order, None
    return get_order(request, order.number), refusal


def impossible(request: MerchantRequest, order: Order, refusal: Refusal) -> HttpResponse:
    """Answer an act that the order does not allow: the order as it is, and why (409)."""
    return page(request, "orders/refused.html", order, refusal=refusal)


def _last_change(order: Order, refusal: Refusal | None) -> dict[str, Any] | None:
    """Return who changed an order since it was shown; what left it as it was does not count."""
    if refusal is None or refusal.code != "STALE_ORDER":
        return None
    lines = Entry.objects.filter(order=order).exclude(event__in=LEAVES_AS_IT_IS)
    entry = lines.order_by("-number").first()
    if entry is None:
        return None
    what = OrderEvent(entry.event).label if entry.event in OrderEvent.values else entry.event
    return {"who": entry.actor, "what": what, "at": entry.happened_at}
