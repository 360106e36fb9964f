"""Shipping Label/Packing List, on screen and as PDF."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.domain import calendar
from accounts.models import Marketplace
from accounts.permissions import Function
from core import throttle
from core.bounded import Unfinished
from core.http import MerchantRequest
from core.refusal import Refusal
from core.views import errors
from orders import documents
from orders.access import order_needs, tell_of_others
from orders.domain import contacts, numbers, printing
from orders.enums import Act
from orders.models import Item, Order
from orders.views import acting, acts

PAPERS = Marketplace.PaperSize
FILES_A_MINUTE = 30  # of one person; each has a process of its own to be made in
log = logging.getLogger(__name__)


@require_safe
@order_needs(Function.PACKING_SLIPS)
def packing_slip(request: MerchantRequest, order: Order) -> HttpResponse:
    at = calendar.now_for(order.merchant)
    if (why := acts.refusal(order, Act.PRINT, request.actor, at=at)) is not None:
        return acting.impossible(request, order, why)
    paper = _paper(request)
    slips = _slips(request, [order], paper)
    context = {
        "order": order,
        "slips": slips,
        "paper": PAPERS(paper),
        "other_paper": PAPERS.LETTER if paper == PAPERS.A4 else PAPERS.A4,
        "printed": printing.last_print(order),
        "back": acting.origin(request, order),
    }
    return render(request, "orders/packing_slip.html", context)


@require_safe
@order_needs(Function.PACKING_SLIPS)
def packing_slip_pdf(request: MerchantRequest, order: Order) -> HttpResponse:
    at = calendar.now_for(order.merchant)
    if (why := acts.refusal(order, Act.PRINT, request.actor, at=at)) is not None:
        return acting.impossible(request, order, why)
    return _pdf(request, [order], f"packing-slip-{order.number}.pdf", at)


@require_safe
@needs(Function.PACKING_SLIPS)
def bulk_pdf(request: MerchantRequest) -> HttpResponse:
    """One PDF of the selected orders; refused ones are left out and named (SLIP-09)."""
    asked = [n for n in dict.fromkeys(request.GET.getlist("order")) if numbers.normalised(n)]
    if not asked:
        messages.warning(request, _("No orders selected. Tick the orders to print."))
        return redirect(acting.list_left(request) or "orders:list")
    if len(asked) > documents.MOST_ORDERS:
        messages.warning(
            request,
            _("Print up to %(most)d orders at once; %(count)d were selected.")
            % {"most": documents.MOST_ORDERS, "count": len(asked)},
        )
        return redirect(acting.list_left(request) or "orders:list")
    mine = Order.objects.for_merchant(request.member.merchant_id).with_facts()
    found = {
        order.number: order
        for order in mine.filter(number__in=asked).select_related(
            "merchant", "marketplace", "cancellation"
        )
    }
    if missing := [number for number in asked if number not in found]:
        who = {"user_id": request.user.pk, "merchant_id": request.member.merchant_id}
        tell_of_others(missing, **who)
    at = calendar.now_for(request.member.merchant)
    orders = [found[number] for number in asked if number in found]
    why = {o.number: acts.refusal(o, Act.PRINT, request.actor, at=at) for o in orders}
    left_out = [_named(number, found, why) for number in asked if why.get(number, True)]
    printable = [order for order in orders if why[order.number] is None]
    if left_out and "anyway" not in request.GET:
        return _confirm_left_out(request, left_out, printable)
    if not printable:
        return redirect(acting.list_left(request) or "orders:list")
    return _pdf(request, printable, "packing-slips.pdf", at)


def _confirm_left_out(
    request: MerchantRequest, left_out: Sequence[str], printable: Sequence[Order]
) -> HttpResponse:
    """A file cannot carry a message: name the orders left out before the others are printed."""
    context = {"left_out": left_out, "printable": printable}
    status = 200 if printable else 409
    return render(request, "orders/slips_left_out.html", context, status=status)


def _named(number: str, found: dict[str, Order], why: dict[str, Refusal | None]) -> str:
    refusal = why.get(number)
    if number not in found or refusal is None:
        return _("There is no order %s.") % number
    return str(refusal)


def _pdf(
    request: MerchantRequest, orders: Sequence[Order], name: str, at: datetime
) -> HttpResponse:
    who = str(request.user.pk)
    if wait := throttle.use("pdf", who, limit=FILES_A_MINUTE, seconds=60, at=at):
        text = _("At most %d files a minute are made for one person. Try again in a moment.")
        return errors.too_often(request, text % FILES_A_MINUTE, wait)
    try:
        file = documents.render_pdf(_slips(request, orders, _paper(request)))
    except documents.PdfUnavailable as missing:
        return HttpResponse(str(missing), status=503, content_type="text/plain; charset=utf-8")
    except documents.TooLong as long:
        refusal = Refusal("INVALID_INPUT", str(long))
        return errors.conflict(request, refusal)
    except Unfinished as why:
        log.warning("pdf.unfinished", extra={"code": str(why), "count": len(orders)})
        return errors.unfinished(
            request, _("The PDF could not be made. Try again, or select fewer orders at once.")
        )
    printing.remember_print(order_ids=[order.pk for order in orders], by=request.actor)
    response = HttpResponse(file, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _paper(request: MerchantRequest) -> str:
    asked = request.GET.get("paper", "")
    if asked in PAPERS.values:
        return asked
    return request.member.paper_size or request.member.merchant.marketplace.paper_size


def _slips(request: MerchantRequest, orders: Sequence[Order], paper: str) -> list[documents.Slip]:
    """Collect the sheets; contact data comes through its one door, the state with it."""
    known = contacts.for_merchant(orders)
    rows = Item.objects.of_orders([order.pk for order in orders]).select_related("listing")
    items: dict[int, list[Item]] = {order.pk: [] for order in orders}
    for item in rows:
        items[item.order_id].append(item)
    told = documents.seller(request.member.merchant)
    slips = []
    for order in orders:
        contact = known[order.pk]
        if contact is not None:
            slips.append(documents.slip(order, items[order.pk], contact, paper, told))
    return slips
