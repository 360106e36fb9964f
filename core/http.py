"""The request as views know it, for the type checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest
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
