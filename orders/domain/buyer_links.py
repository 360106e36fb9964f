"""The signed link by which a buyer reaches the page of one order without signing in (BUYER-01)."""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer

from orders.models import Order

PATH = "/buyer/%s/"  # where checkout serves it; a link in a sent mail stays good for months


def link_for(order: Order) -> str:
    """Return the whole address of an order's buyer page; nobody can guess another order's."""
    return f"{settings.SITE_URL}{PATH % token_for(order)}"


def token_for(order: Order) -> str:
    """Return the signed part of that address."""
    return str(_signer().sign(order.number))


def read(token: str) -> str | None:
    """Return the Order ID a token was signed for, None for anything else.

    Tokens of older keys stay good while SECRET_KEY_FALLBACKS has those keys. How long a link is
    good is for the page to say.
    """
    try:
        return str(_signer().unsign(token))
    except BadSignature:
        return None


def _signer() -> Signer:
    return Signer(salt="orders.buyer_link")
