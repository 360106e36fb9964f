"""The request as views know it, and addresses that a form carried."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from accounts.models import Membership, User
    from core.actor import Actor


class MerchantRequest(HttpRequest):
    """A request of a signed-in member of a merchant, after the middleware."""

    user: User
    htmx: HtmxDetails
    member: Membership  # which merchant is worked for, with marketplace and levels loaded
    actor: Actor


_LONGEST = 4000  # characters of an address; no list of ours needs more


def is_inside(address: str) -> bool:
    """Tell whether an address leads to a page of this site: one may be sent there (TH-29)."""
    plain = address.startswith("/") and address.isprintable() and len(address) <= _LONGEST
    return plain and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def is_internal(request: HttpRequest) -> bool:
    """Tell whether somebody of this machine or network asks, and no proxy for somebody else."""
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False
