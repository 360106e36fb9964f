"""The way in, and the switch between accounts."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from accounts.access import needs
from accounts.models import Membership
from core.http import MerchantRequest


def root(request: HttpRequest) -> HttpResponse:
    return redirect("home")


@require_GET
@needs(None)
def home(request: MerchantRequest) -> HttpResponse:
    """The first page of the day: the orders."""
    return redirect("orders:list")


@require_POST
@needs(None)
def switch(request: MerchantRequest) -> HttpResponse:
    """Work for another of one's merchants from now on (PERMISSION-06)."""
    wanted = request.POST.get("to", "")
    mine = Membership.objects.filter(user=request.user, removed_at=None)
    chosen = mine.filter(merchant__slug=wanted).first()
    if chosen is not None:
        request.session.cycle_key()
        request.session["merchant"] = chosen.merchant_id
    back = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if inside else reverse("home"))
