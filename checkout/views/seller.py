"""Seller profile: who a merchant is and what it promises, for anybody to read (BUYER-06)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from accounts.domain import profiles
from accounts.models import Merchant


@require_safe
def profile(request: HttpRequest, slug: str) -> HttpResponse:
    seller = Merchant.objects.select_related("marketplace").filter(slug=slug).first()
    if seller is None:
        raise Http404
    written = profiles.of(seller.pk)
    with translation.override(seller.marketplace.language):
        context = {
            "seller": seller,
            "marketplace": seller.marketplace,
            "language": seller.marketplace.language,
            "logo": profiles.logo_of(seller.pk),
            "policies": [
                {"key": name, "label": label, "text": text}
                for name, label in profiles.POLICIES.items()
                if (text := getattr(written, name)) or name == "returns"
            ],
        }
        return render(request, "checkout/seller.html", context)


@require_safe
def logo(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    """Answer with a logo under the address of its own bytes, which never change."""
    seller = Merchant.objects.filter(slug=slug, logo__digest=digest).values_list("pk").first()
    if seller is None:
        raise Http404
    response = HttpResponse(profiles.picture_of(*seller), content_type="image/png")
    # For browsers alone: the answer to somebody who is signed in may renew their cookie.
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
