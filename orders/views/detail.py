"""Order details."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.domain import calendar
from accounts.permissions import Function, Level
from audit.models import Entry
from core.actor import Actor
from core.http import MerchantRequest
from core.refusal import Refused
from orders import carriers
from orders.access import order_needs
from orders.domain import buyer_links, contacts, notes, refunds
from orders.domain.words import amount as in_words
from orders.domain.words import day as in_days
from orders.domain.words import day_and_time
from orders.enums import (
    BOXES,
    COMPONENT_LABELS,
    COMPONENTS,
    Act,
    CancelCause,
    OrderEvent,
    OrderStatus,
    PaymentState,
    SubType,
)
from orders.forms import ActForm, NoteForm
from orders.models import Item, Order, OrderNote, Refund, Shipment, ShipmentLine
from orders.models.order import sign_of
from orders.views import acting, acts, timeline

S = OrderStatus


@require_safe
@order_needs(Function.MANAGE_ORDERS)
def order_details(request: MerchantRequest, order: Order) -> HttpResponse:
    return _page(request, order, NoteForm())


def _page(request: MerchantRequest, order: Order, form: NoteForm) -> HttpResponse:
    at = calendar.now_for(order.merchant)
    items = list(Item.objects.of_orders([order.pk]).select_related("listing"))
    lines = Prefetch("lines", ShipmentLine.objects.select_related("item").order_by("item__line"))
    shipments = list(
        Shipment.objects.filter(order=order).order_by("number").prefetch_related(lines)
    )
    history = list(Entry.objects.filter(order=order).order_by("number")[:500])
    context = {
        "order": order,
        "at": at,
        "due": acts.due(order, at=at),
        "buttons": acts.buttons(order, acts.PAGE_ACTS[S(order.status)], request.actor, at=at),
        "outer": _outer_limit(order),
        "explanations": acts.explanations(order, request.actor, at=at),
        "contact": contacts.of_order(order),
        "items": [_item(item) for item in items],
        "totals": _totals(items),
        "shipments": [(s, carriers.tracking_url(s.carrier, s.tracking_id)) for s in shipments],
        "refunds": _refunds(order),
        "cancelled": _cancelled(order),
        "notes": list(OrderNote.objects.filter(order=order).order_by("pk")),
        "note_form": form,
        "may_answer": request.actor.may_edit(Function.CANCEL_ORDERS),
        "may_revise": acts.refusal(order, Act.REVISE_DATES, request.actor, at=at) is None,
        "deliver_form": _deliver_form(order, request.actor, at),
        "receipt_link": buyer_links.receipt_link_for(order) if order.has_receipt else "",
        "may_write": request.actor.may_edit(Function.MANAGE_ORDERS),
        "timeline": timeline.merged([_event(entry, order) for entry in history], order),
        "steps": _steps(order, shipments),
        "sub_type": SubType(order.sub_type).label,
        "charged": _charged(order),
        "hidden": order.status in contacts.HIDDEN,
    }
    status = 422 if form.errors else 200
    return render(request, "orders/order_details.html", context, status=status)


@require_POST
@order_needs(Function.MANAGE_ORDERS, Level.EDIT)
def add_note(request: MerchantRequest, order: Order) -> HttpResponse:
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, order, form)
    once = acting.once_of(request, notes.ACTION, order)
    try:
        notes.add_note(
            order_id=order.pk, text=form.cleaned_data["note"], by=request.actor, once=once
        )
    except Refused as no:
        return acting.impossible(request, order, no.refusal)
    messages.success(request, _("Note added"))
    return redirect(order.get_absolute_url())


def _deliver_form(order: Order, by: Actor, at: datetime) -> ActForm | None:
    """Return the form of "Mark as delivered" where the guards allow it now (DETAIL-17)."""
    possible = acts.refusal(order, Act.DELIVER, by, at=at) is None
    return ActForm(None, order=order, auto_id=False) if possible else None


def _outer_limit(order: Order) -> dict[str, int]:
    """Tell in days how much of the confirmation period the delivery promise leaves (AUTO-16)."""
    days = round((order.deadline_at - order.purchased_at) / timedelta(days=1))
    bought = order.marketplace.local_date(order.purchased_at)
    first, last = ((day - bought).days for day in (order.deliver_from_date, order.deliver_to_date))
    return {"days": days, "first": first, "last": last, "least": days - last, "most": days - first}


def _item(item: Item) -> dict[str, Any]:
    """One row of the contents: the item and those of its eight amounts that are not zero."""
    parts = [
        (COMPONENT_LABELS[component], sign_of(component) * item.paid(component))
        for component in COMPONENTS
        if item.paid(component)
    ]
    return {"item": item, "parts": parts, "paid": item.paid_total, "refunded": item.refunded_total}


def _totals(items: Sequence[Item]) -> list[tuple[Any, Any]]:
    rows = []
    for component in COMPONENTS:
        total = sum((item.paid(component) for item in items), start=items[0].paid(component) * 0)
        if total:
            rows.append((COMPONENT_LABELS[component], sign_of(component) * total))
    return rows


def _refunds(order: Order) -> list[dict[str, Any]]:
    """Return the refunds with their items, and the amounts of each box by component (DETAIL-06)."""
    parts = refunds.parts_of(order)
    rows = []
    for refund in Refund.objects.filter(order=order).order_by("number"):
        mine = parts.get(refund.pk, [])
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for part in mine:
            sums[part.component] += part.amount
        boxes = {
            box: [(COMPONENT_LABELS[c], sums[c]) for c in components if sums[c]]
            for box, components in BOXES.items()
        }
        titles = list(dict.fromkeys(part.item.title for part in mine))
        rows.append({"refund": refund, "titles": titles, **boxes})
    return rows


# Who ended an order, by the row of table 4.2 (DETAIL-07).
_ENDED_BY: Mapping[str, Any] = {
    "T03": gettext_lazy("the system"),
    "T04": gettext_lazy("the buyer"),
    "T10": gettext_lazy("the system"),
    "T11": gettext_lazy("the buyer"),
    "T13": gettext_lazy("the platform"),
    "T14": gettext_lazy("the sales channel"),
}


def _cancelled(order: Order) -> dict[str, Any]:
    """Say by whom and why an order was cancelled (DETAIL-07); empty for others."""
    if order.status != S.CANCELLED:
        return {}
    end = order.cancellation
    by = _ENDED_BY.get(end.move) or _("the merchant (%s)") % end.cancelled_by
    reason = end.reason_label
    if end.reason == CancelCause.NOT_CONFIRMED:
        days = round((order.deadline_at - order.purchased_at) / timedelta(days=1))
        reason = (
            ngettext("Not confirmed within %d day", "Not confirmed within %d days", days) % days
        )
    return {"by": by, "reason": reason, "counts": end.counts}


def _charged(order: Order) -> str:
    """When the buyer is or was charged, in words (DETAIL-01)."""
    if order.paid_at is not None:
        day = day_and_time(order.paid_at, order.marketplace)
        return _("%s, in advance") % day if order.advance_paid_at else day
    if order.payment_state == PaymentState.CAPTURE_FAILED:
        return _("Charge failed; confirm again to retry")
    if order.status == S.CANCELLED:
        return _("Not charged")
    return _("When you confirm")


def _steps(order: Order, shipments: Sequence[Shipment]) -> list[dict[str, Any]]:
    """The stepper: from Pending to Shipped, or to where it stopped."""
    been = [(S.PENDING, order.purchased_at)]
    if order.verified_at is not None:
        been.append((S.UNSHIPPED, order.verified_at))
    if order.status == S.CANCELLED:
        assert order.cancelled_at is not None
        been.append((S.CANCELLED, order.cancelled_at))
    elif order.status == S.PARTIALLY_SHIPPED or len(shipments) > 1:
        been.append((S.PARTIALLY_SHIPPED, shipments[0].confirmed_at))
    if order.status == S.SHIPPED:
        been.append((S.SHIPPED, shipments[-1].confirmed_at))
    steps: list[dict[str, Any]] = [{"status": s, "when": at, "done": True} for s, at in been]
    steps[-1] |= {"now": True, "done": False}
    if order.status == S.PENDING:
        steps.append({"status": S.UNSHIPPED})
    if order.status not in (S.SHIPPED, S.CANCELLED):
        steps.append({"status": S.SHIPPED})
    return steps


def _revised(told: Mapping[str, Any], order: Order) -> str:
    """Say which dates the buyer was told (DETAIL-15)."""
    days = {
        name: in_days(date.fromisoformat(told[name]), order.marketplace)
        for name in ("ship_date", "deliver_from", "deliver_to")
    }
    return _("Ships by %(ship_date)s, arrives %(deliver_from)s to %(deliver_to)s") % days


def _event(entry: Entry, order: Order) -> dict[str, Any]:
    """One line of the timeline (DETAIL-10)."""
    known = entry.event in OrderEvent.values
    text = str(OrderEvent(entry.event).label) if known else entry.event
    after = entry.after
    if "shipment" in after:
        text = _("%(what)s: package %(number)s, %(units)s units") % {
            "what": text, "number": after["shipment"], "units": after.get("units", "")
        }  # fmt: skip
        if after.get("charged"):
            text += ". " + _("Buyer charged %s") % in_words(order.total, order.currency)
    if entry.event == OrderEvent.DATES_REVISED:
        text += ". " + _revised(after, order)
    if "total" in after:
        text += ": " + in_words(Decimal(str(after["total"])), order.currency)
    if "status" in after and "status" in entry.before:
        change = {"before": S(entry.before["status"]).label, "after": S(after["status"]).label}
        text += ". " + _("Status changed from %(before)s to %(after)s") % change
    tone = ""
    if entry.event in (OrderEvent.VERIFIED, OrderEvent.SHIPMENT_CONFIRMED):
        tone = "is-good"
    elif entry.event in (OrderEvent.CAPTURE_FAILED, OrderEvent.REFUND_FAILED) or "ancelled" in text:
        tone = "is-bad"
    return {
        "text": text,
        "at": entry.happened_at,
        "by": entry.actor,
        "door": entry.door,
        "tone": tone,
    }
