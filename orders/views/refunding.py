"""Refund Order: full or partial, a last look at an address of its own, then once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.domain import calendar
from accounts.permissions import Function, Level
from core.http import MerchantRequest
from core.money import AmountError, parse_amount
from core.refusal import Refusal, Refused
from orders.access import order_needs
from orders.domain import amounts, refunds
from orders.domain.words import amount as in_words
from orders.enums import (
    BOXES,
    COMPONENT_LABELS,
    COMPONENTS,
    REFUND_REASON_HELP,
    Act,
    OrderStatus,
    RefundReason,
    RefundState,
)
from orders.forms import PartialRefundForm, RefundForm
from orders.models import Item, Order, Refund
from orders.models.order import sign_of
from orders.views import acting, acts, looks

FULL, PARTIAL = "full", "partial"
TEMPLATES = {FULL: "orders/refund_full.html", PARTIAL: "orders/refund_partial.html"}


@require_http_methods(["GET", "HEAD", "POST"])
@order_needs(Function.REFUND_ORDERS, Level.EDIT)
def refund_order(request: MerchantRequest, order: Order) -> HttpResponse:
    return _asked(request, order) if request.method != "POST" else _posted(request, order)


def _asked(request: MerchantRequest, order: Order) -> HttpResponse:
    """The empty form; or, of what was kept, the last look or the form to change it."""
    name = request.GET.get("look", "")
    typed = looks.kept(request, order, name) if name else None
    if name and typed is None:
        messages.info(request, _("That refund form was sent or left. This is the order as it is."))
        return redirect(order.get_absolute_url())
    if (why := _impossible(request, order)) is not None:
        return acting.impossible(request, order, why)
    items = list(Item.objects.of_orders([order.pk]))
    tab = _tab(request.GET if typed is None else typed, order)
    form = _form(typed, order, items, tab)
    if typed is None or "edit" in request.GET or not form.is_valid():
        form.errors.clear()
        return _form_page(request, order, items, tab, form)
    wanted = _wanted(request, order, form, tab)
    try:
        plan = refunds.preview(order=order, items=items, wanted=wanted, by=request.actor)
    except Refused as no:
        return _refused(request, order, items, tab, form, no.refusal)
    hidden = [(field, value) for field in typed for value in typed.getlist(field)]
    return _review(request, order, items, tab, form, plan, hidden)


def _posted(request: MerchantRequest, order: Order) -> HttpResponse:
    """What was typed is kept for its last look; the confirmed last look is carried out."""
    confirmed = "confirmed" in request.POST
    try:
        first = acting.earlier_answer(request, refunds.ACTION, order) if confirmed else None
    except Refused as no:
        return acting.impossible(request, order, no.refusal)
    if first is not None:
        return _done(request, order, Refund.objects.get(order=order, number=first["refund"]))
    if (why := _impossible(request, order)) is not None:
        return acting.impossible(request, order, why)
    items = list(Item.objects.of_orders([order.pk]))
    acting.insist_on_own(items, request)
    tab = _tab(request.POST, order)
    form = _form(request.POST, order, items, tab)
    if "recalculate" in request.POST:
        form.errors.clear()
        return _form_page(request, order, items, tab, form)
    if not form.is_valid():
        return _form_page(request, order, items, tab, form)
    wanted = _wanted(request, order, form, tab)
    try:
        if confirmed:
            return _done(request, order, refunds.refund_order(wanted=wanted, by=request.actor))
        refunds.preview(order=order, items=items, wanted=wanted, by=request.actor)
    except Refused as no:
        return _refused(request, order, items, tab, form, no.refusal)
    return redirect(
        f"{request.path}?look={looks.keep(request, order, [*form.fields, 'tab', 'next'])}"
    )


def _impossible(request: MerchantRequest, order: Order) -> Refusal | None:
    at = calendar.now_for(order.merchant)
    act = Act.REFUND_IN_FULL if request.POST.get("tab") == FULL else Act.REFUND
    return acts.refusal(order, act, request.actor, at=at)


def _tab(given: QueryDict, order: Order) -> str:
    """Return the wanted tab; nothing shipped means that only a part can be refunded."""
    if order.status == OrderStatus.UNSHIPPED:
        return PARTIAL
    return PARTIAL if given.get("tab") == PARTIAL else FULL


def _form(data: Any, order: Order, items: Sequence[Item], tab: str) -> RefundForm:
    if tab == PARTIAL:
        return PartialRefundForm(data, order=order, items=items)
    return RefundForm(data, order=order)


def _wanted(
    request: MerchantRequest, order: Order, form: RefundForm, tab: str
) -> refunds.RefundRequest:
    given = form.cleaned_data
    what: amounts.Wanted = amounts.Everything()
    if tab == PARTIAL:
        what = amounts.Boxes(given["boxes"])
    return refunds.RefundRequest(
        order_id=order.pk,
        wanted=what,
        reason=RefundReason(given["reason"]),
        memo=given["memo"],
        seen=given["seen"],
        once=acting.once_of(request, refunds.ACTION, order),
    )


def _form_page(
    request: MerchantRequest,
    order: Order,
    items: Sequence[Item],
    tab: str,
    form: RefundForm,
    refusal: Refusal | None = None,
) -> HttpResponse:
    lines = [_line(request, item, form) for item in items]
    return acting.page(
        request,
        TEMPLATES[tab],
        order,
        form,
        refusal,
        tab=tab,
        lines=lines,
        sum=sum((line["sum"] for line in lines), Decimal(0)),
        reason_help=[(reason.label, REFUND_REASON_HELP[reason]) for reason in RefundReason],
    )


def _line(request: MerchantRequest, item: Item, form: RefundForm) -> dict[str, Any]:
    """Return what one item's row shows: what is left of it, maxima, and what was typed."""
    boxes: list[dict[str, Any]] = []
    for box in BOXES:
        name = f"{box}_{item.pk}"
        typed = form.data.get(name, "") if form.is_bound else ""
        most = amounts.maximum(item, box)
        if not form.is_bound and "not_sent" in request.GET and item.quantity_not_sent:
            typed = str(most)
        errors: list[str] = [str(e) for e in form.errors.get(name, ())] if form.is_bound else []
        boxes.append({"name": name, "kind": box, "max": most, "typed": typed, "errors": errors})
    ticked = (
        f"item_{item.pk}" in form.data
        if form.is_bound
        else "not_sent" in request.GET and item.quantity_not_sent > 0
    )
    paid = {box: sum_of(item, box) for box in BOXES}
    typed_sum = (
        sum((_number(box["typed"], item.currency) for box in boxes), Decimal(0))
        if ticked
        else Decimal(0)
    )
    left = [(COMPONENT_LABELS[c], sign_of(c) * item.remaining(c)) for c in COMPONENTS]
    return {
        "item": item,
        "boxes": boxes,
        "ticked": ticked,
        "paid": paid,
        "left": [(label, amount) for label, amount in left if amount],
        "sum": typed_sum,
    }


def sum_of(item: Item, box: str) -> Decimal:
    """Return what was paid in a box of an item, promotions taken off."""
    return sum((sign_of(c) * item.paid(c) for c in BOXES[box]), Decimal(0))


def _number(text: str, currency: str) -> Decimal:
    """Return a typed amount for the running total; what is no amount adds nothing to it."""
    try:
        return parse_amount(text, currency)
    except AmountError:
        return Decimal(0)


def _review(
    request: MerchantRequest,
    order: Order,
    items: Sequence[Item],
    tab: str,
    form: RefundForm,
    plan: amounts.Plan,
    hidden: Sequence[tuple[str, str]],
) -> HttpResponse:
    """The last look: amount, buyer, what is left (REFUND-13)."""
    rows = [
        (item, box, plan.of_box(box, item.pk))
        for item in items
        if item.pk in plan.amounts
        for box in BOXES
        if plan.of_box(box, item.pk)
    ]
    return acting.page(
        request,
        "orders/refund_review.html",
        order,
        form,
        tab=tab,
        hidden=hidden,
        rows=rows,
        plan=plan,
        reason=RefundReason(form.cleaned_data["reason"]).label,
        memo=form.cleaned_data["memo"],
        left=order.remaining_total - plan.total,
    )


def _refused(
    request: MerchantRequest,
    order: Order,
    items: Sequence[Item],
    tab: str,
    form: RefundForm,
    refusal: Refusal,
) -> HttpResponse:
    at_field = refusal.field and (refusal.field in form.fields or refusal.field == "total")
    if not at_field and refusal.code != "STALE_ORDER":
        order, _same = acting.refused(request, order, None, refusal)
        return acting.impossible(request, order, refusal)
    order, above = acting.refused(request, order, form if at_field else None, refusal)
    if above is not None:
        items = list(Item.objects.of_orders([order.pk]))
        form.order = order
        form = _form(form.posted_again(), order, items, tab)
    return _form_page(request, order, items, tab, form, above)


def _done(request: MerchantRequest, order: Order, refund: Refund) -> HttpResponse:
    looks.drop(request, request.POST.get("token", ""))
    amount = in_words(refund.total, refund.currency)
    if refund.state == RefundState.FAILED:
        messages.error(
            request,
            _(
                "Refund of %s failed: the payment gateway declined it. Nothing was refunded;"
                " you can try again."
            )
            % amount,
        )
    else:
        messages.success(
            request,
            _(
                "Refund of %(amount)s submitted. It goes to %(buyer)s, who is told by e-mail"
                " when it is done."
            )
            % {"amount": amount, "buyer": order.buyer_name},
        )
    return redirect(order.get_absolute_url())
