"""The only way a request reaches an upload: its own merchant's, else 404."""

from __future__ import annotations

from django.http import Http404
from django.shortcuts import get_object_or_404

from core.http import MerchantRequest
from uploads.enums import FUNCTIONS, Feed
from uploads.models import Upload


def get_upload(request: MerchantRequest, number: int) -> Upload:
    """Return the member's merchant's upload of that batch number, else 404."""
    rows = Upload.objects.filter(merchant=request.member.merchant_id)
    if number > 2**63 - 1:
        raise Http404
    return get_object_or_404(rows.select_related("merchant__marketplace"), pk=number)


def may_upload(request: MerchantRequest, feed: Feed) -> bool:
    """Tell whether the member may hand in such a file (FEED-38)."""
    return request.actor.may_edit("uploads") and request.actor.may_edit(FUNCTIONS[feed])
