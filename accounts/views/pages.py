"""The way in, the switch between accounts, and the keys of the keyboard."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.models import Membership
from core.http import MerchantRequest, is_inside

_YEAR = 365 * 24 * 3600


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    return redirect("home")


@require_POST
@needs(None)
def switch(request: MerchantRequest) -> HttpResponse:
    """Work for another of one's merchants from now on (PERMISSION-06)."""
    wanted = request.POST.get("to", "")
    mine = Membership.objects.filter(user=request.user, removed_at=None).select_related("merchant")
    chosen = next((place for place in mine if place.merchant.slug == wanted), None)
    if chosen is not None:
        request.session.cycle_key()
        request.session["merchant"] = chosen.merchant_id
    return redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
@needs(None)
def shortcuts(request: MerchantRequest) -> HttpResponse:
    """List the keys; switch single ones on or off in this browser."""
    if request.method != "POST":
        return render(request, "account/shortcuts.html")
    on = request.POST.get("on") == "1"
    messages.success(request, _("Shortcuts are on") if on else _("Shortcuts are off"))
    back = request.POST.get("next", "")
    response = redirect(back if is_inside(back) else "shortcuts")
    response.set_cookie(
        "shortcuts",
        "on" if on else "off",
        max_age=_YEAR,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response
