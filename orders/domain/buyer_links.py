"""The signed link by which a buyer reaches the page of one order without signing in (BUYER-01)."""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer

from orders.models import Order

# Where checkout serves them; a link in a sent mail stays good for months.
PATH, RECEIPT = "/buyer/%s/", "/buyer/%s/receipt/"


def link_for(order: Order) -> str:
    """Return the whole address of an order's buyer page; nobody can guess another order's."""
    return f"{settings.SITE_URL}{PATH % token_for(order)}"


def token_for(order: Order) -> str:
    """Return the signed part of that address."""
    return str(_signer().sign(order.number))


def receipt_link_for(order: Order) -> str:
    """Return an address of the receipt alone, which its seller may pass on (BUYER-04)."""
    return f"{settings.SITE_URL}{RECEIPT % receipt_token_for(order)}"


def receipt_token_for(order: Order) -> str:
    return str(_receipt_signer().sign(order.number))


def read_for_receipt(token: str) -> str | None:
    """Return the Order ID whose receipt a token opens: the buyer's own link, or that one alone."""
    number = read(token)
    if number is not None:
        return number
    try:
        return str(_receipt_signer().unsign(token))
    except BadSignature:
        return None


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


def _receipt_signer() -> Signer:
    return Signer(salt="orders.receipt_link")
