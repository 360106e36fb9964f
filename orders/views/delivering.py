"""Mark as delivered: staff note that everything of an order has arrived (DETAIL-17)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import Function, Level
from core.http import MerchantRequest
from core.refusal import Refusal, Refused
from orders.access import order_needs
from orders.domain import deliveries
from orders.forms import ActForm
from orders.models import Order
from orders.views import acting


@require_POST
@order_needs(Function.CONFIRM_SHIPMENTS, Level.EDIT)
def mark_delivered(request: MerchantRequest, order: Order) -> HttpResponse:
    form = ActForm(request.POST, order=order)
    if not form.is_valid():
        told = _("This form cannot be read. Open the order again and repeat.")
        return acting.impossible(request, order, Refusal("INVALID_INPUT", told))
    try:
        deliveries.mark_delivered(
            order_id=order.pk,
            by=request.actor,
            seen=form.cleaned_data["seen"],
            once=acting.once_of(request, deliveries.ACTION, order),
        )
    except Refused as no:
        fresh, _none = acting.refused(request, order, None, no.refusal)
        return acting.impossible(request, fresh, no.refusal)
    messages.success(request, _("Order %s is marked as delivered.") % order.number)
    return redirect(order.get_absolute_url())
