"""Sent mail on a page, for demo and development: what left, to whom, as plain text."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.permissions import Function
from core.http import MerchantRequest
from notifications.models import LetterCopy, Outbox

PAGE = 50


@require_safe
@needs(Function.MANAGE_ORDERS)
def sent(request: MerchantRequest) -> HttpResponse:
    """List the letters of the member's merchant, newest first."""
    before = request.GET.get("before", "")
    rows = _mine(request).order_by("-pk")
    if before.isdecimal() and before.isascii() and len(before) <= 18:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    older = shown[-1].pk if len(found) > PAGE else None
    context = {"letters": shown, "older": older, "newest": not before}
    return render(request, "notifications/sent_mail.html", context)


@require_safe
@needs(Function.MANAGE_ORDERS)
def letter(request: MerchantRequest, pk: int) -> HttpResponse:
    """Show one letter as it left."""
    row = get_object_or_404(_mine(request), pk=pk)
    return render(request, "notifications/letter.html", {"letter": row})


def _mine(request: MerchantRequest) -> QuerySet[LetterCopy]:
    """Letters about orders; those to persons, which may let somebody in, are for owners alone."""
    rows = LetterCopy.objects.filter(merchant=request.member.merchant_id)
    if not request.actor.owner:
        about_orders = (Outbox.Channel.BUYER_EMAIL, Outbox.Channel.MERCHANT_EMAIL)
        rows = rows.filter(outbox__channel__in=about_orders)
    return rows.select_related("outbox__order")
