"""Changing an order within its first minutes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from checkout.access import BUYER, Visit, again, once_of, page, refused, signed_link
from checkout.forms import ChangeForm
from core.refusal import Refusal, Refused
from orders.domain import contacts, edits, guards
from orders.enums import Act
from orders.models import Item

# What can be put right on the same page; anything else ends the attempt.
_TO_PUT_RIGHT = frozenset({"STALE_ORDER", "PAYMENT_NOT_AUTHORISED", "GATEWAY_UNAVAILABLE"})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_link
def change_order(request: HttpRequest, visit: Visit) -> HttpResponse:
    if request.method != "POST":
        confirming = bool(getattr(visit.order, "confirmation_open", False))
        facts = guards.Facts(visit.order, BUYER, visit.at, confirming)
        if (why := guards.ask(Act.BUYER_EDIT, facts)) is not None:
            return refused(request, visit, why)
        return _page(request, visit, _form(visit, None))

    form = _form(visit, request.POST)
    if not form.is_valid():
        return _page(request, visit, form)
    wanted = edits.Edit(
        order_id=visit.order.pk,
        address=form.cleaned_data["address"],
        quantities=form.cleaned_data["quantities"],
        seen=form.cleaned_data["seen"],
        once=once_of(request, edits.ACTION, visit),
    )
    try:
        edits.edit_order(wanted=wanted, by=BUYER)
    except Refused as no:
        if no.refusal.field or no.code == "INVALID_INPUT":
            form.refuse(no.refusal)
            return _page(request, visit, form)
        visit = again(visit)
        if no.code not in _TO_PUT_RIGHT:
            return refused(request, visit, no.refusal)
        form.order = visit.order
        return _page(request, visit, _form(visit, form.posted_again()), no.refusal)
    messages.success(request, _("Your order is changed."))
    return redirect("checkout:order", visit.signed)


def _form(visit: Visit, data: object) -> ChangeForm:
    return ChangeForm(
        data,  # type: ignore[arg-type]
        order=visit.order,
        address=contacts.delivery_for_buyer(visit.order),
        items=list(Item.objects.of_orders([visit.order.pk])),
        units=edits.can_pay_another_amount(visit.order),
    )


def _page(
    request: HttpRequest, visit: Visit, form: ChangeForm, refusal: Refusal | None = None
) -> HttpResponse:
    form.describe_errors()
    context = {
        "form": form,
        "refusal": refusal,
        "signed": visit.signed,
        "country": form.address.country,
        "lines": [(form[name], not form.fields[name].required) for name in form.LINES],
        "quantities": [form[f"quantity_{item.pk}"] for item in form.items],
        "until": guards.window_ends(visit.order),
    }
    status = refusal.status if refusal else 422 if form.errors else 200
    return page(request, "checkout/change.html", context, order=visit.order, status=status)
