"""Account Info: what the merchant says about itself, block by block (SETTINGS-01, -03, -16)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import needs
from accounts.domain import account_info
from accounts.forms.account import BLOCKS, Block, BlockForm
from accounts.models import Merchant
from accounts.permissions import Function, Level
from core.forms import describe
from core.http import MerchantRequest
from core.refusal import Refusal, Refused
from core.templatetags.ui import country


@require_safe
@needs(Function.ACCOUNT_INFO)
def account(request: MerchantRequest) -> HttpResponse:
    merchant = request.member.merchant
    blocks = [
        {"key": block.key, "title": block.title, "rows": rows_of(block, merchant)}
        for block in BLOCKS.values()
    ]
    may_edit = request.actor.may_edit(Function.ACCOUNT_INFO)
    context = {
        "blocks": blocks,
        "may_edit": may_edit,
        "sees_trail": request.actor.may_view(Function.AUDIT_TRAIL),
    }
    return render(request, "settings/account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Function.ACCOUNT_INFO, Level.EDIT)
def edit_block(request: MerchantRequest, block: str) -> HttpResponse:
    chosen = BLOCKS[block]
    merchant = request.member.merchant
    if request.method != "POST":
        return _page(request, chosen, chosen.form(None, merchant=merchant))
    form = chosen.form(request.POST, merchant=merchant)
    if not form.is_valid():
        return _page(request, chosen, form, status=422)
    try:
        account_info.change(
            merchant_id=merchant.pk,
            values=form.values,
            seen=form.cleaned_data["seen"],
            by=request.actor,
        )
    except Refused as refused:
        return _conflict(request, chosen, form, refused.refusal)
    messages.success(request, _("%s saved") % chosen.title)
    return redirect("settings:account")


def _conflict(
    request: MerchantRequest, block: Block, form: BlockForm, refusal: Refusal
) -> HttpResponse:
    """Show what was typed beside what somebody else saved meanwhile (INV-08)."""
    now = Merchant.objects.select_related("marketplace").get(pk=request.member.merchant_id)
    changes = [
        {
            "by": each.by,
            "at": each.at,
            "rows": [(account_info.FIELDS[n], words_of(n, v, now)) for n, v in each.values.items()],
        }
        for each in account_info.changes_since(now, form.cleaned_data["seen"])
    ]
    again = block.form(form.seen_again(now.version), merchant=now)
    return _page(request, block, again, refusal.status, refusal=refusal, changes=changes)


def _page(
    request: MerchantRequest, block: Block, form: BlockForm, status: int = 200, **more: Any
) -> HttpResponse:
    describe(form)
    context = {"block_of_account": block, "form": form, **more}
    return render(request, f"settings/account_{block.key}.html", context, status=status)


def rows_of(block: Block, merchant: Merchant) -> list[tuple[Any, Any]]:
    """Return the words and values of a block, as the page shows them."""
    names = [name for name in block.form.base_fields if name != "seen"]
    return [
        (account_info.FIELDS[name], words_of(name, getattr(merchant, name), merchant))
        for name in names
    ]


def words_of(name: str, value: Any, merchant: Merchant) -> str:
    """Return a value of a setting as people read it."""
    if isinstance(value, bool):
        return _("On") if value else _("Off")
    if isinstance(value, list):
        return "\n".join(map(str, value)) if value else _("The owners")
    if name == "handling_business_days":
        if value is None:
            days = merchant.marketplace.handling_business_days
            return _("%d business days, as in the marketplace") % days
        return _("%d business days") % int(value)
    if name == "country":
        return str(country(value))
    return str(value) if value != "" else "–"
